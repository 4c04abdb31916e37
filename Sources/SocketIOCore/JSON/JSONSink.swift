// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Where an encoder and its containers write.
///
/// Values are nested by call: whatever `encode(to:)` of an element writes lies between two calls, so it goes to the same buffer, and a
/// stack of slots is all the state. Containers that a caller opens by hand (`nestedContainer`, `superEncoder`) may be filled in any order;
/// each gets a sink of its own, spliced in at the end. All sinks of one argument share its list of attachments.
final class JSONSink {
    static let tooDeep = "nested deeper than \(JSONWalker.deepestNesting) arrays and objects"

    enum Kind {
        case empty, single, array, object
    }

    /// A value that is being encoded.
    struct Slot {
        var kind = Kind.empty
        var count = 0
        /// The key or index whose value is being encoded.
        var key: (any CodingKey)?
    }

    // A sink stays inside one call of the encoder, and none of its accesses overlap; checking that at run time costs more than the writing.
    @exclusivity(unchecked) private(set) var slots: [Slot]
    @exclusivity(unchecked) private var writer = JSONWriter()
    /// The sink that has the attachments; nil in itself.
    private let root: JSONSink?
    @exclusivity(unchecked) private var splices: [(offset: Int, sink: JSONSink)] = []
    /// What a call that cannot throw would have thrown.
    @exclusivity(unchecked) private var failure: (any Error)?
    private let basePath: [any CodingKey]
    private let baseDepth: Int
    @exclusivity(unchecked) private var openContainers = 0

    /// The sink of a whole argument.
    convenience init() { self.init(root: nil, basePath: [], baseDepth: 0) }

    private init(root: JSONSink?, basePath: [any CodingKey], baseDepth: Int) {
        self.root = root
        self.basePath = basePath
        self.baseDepth = baseDepth
        self.slots = []
        self.slots.reserveCapacity(root == nil ? 6 : 2)
        self.slots.append(Slot())
    }

    func path(to level: Int) -> [any CodingKey] {
        self.basePath + self.slots[..<min(level, self.slots.count)].compactMap(\.key)
    }

    // MARK: Values

    /// Encodes the argument. The caller's buffer and attachments change only if that succeeds.
    func encodeRoot(_ value: some Encodable, into buffer: inout ByteBuffer, attachments: inout [ByteBuffer]) throws {
        self.writer.attachments = attachments
        try value.encode(to: JSONSinkEncoder(sink: self, level: 0))
        try self.throwFailure()
        if self.slots[0].kind == .empty {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(type(of: value)) encoded no value"))
        }
        try self.finish()
        self.move(into: &buffer)
        attachments = self.writer.attachments
    }

    /// Begins an element of the container at `level`: a separator, and in an object the key.
    @inline(__always)
    func begin(in level: Int) throws {
        guard level == self.slots.count - 1 else {
            throw self.misuse("a container is written to while one of its elements is being encoded", level)
        }
        let count = self.slots[level].count
        switch self.slots[level].kind {
        case .empty: self.slots[level].kind = .single
        case .single: guard count == 0 else { throw self.misuse("a second value is written to a single value container", level) }
        case .array, .object: if count > 0 { self.writer.output.append(UInt8(ascii: ",")) }
        }
        self.slots[level].count = count + 1
    }

    func begin(_ key: String, in level: Int) throws {
        try self.begin(in: level)
        self.writer.output.append(key)
        self.writer.output.append(UInt8(ascii: ":"))
    }

    // What cannot fail, to be called after `begin`.

    func write(_ value: String) { self.writer.output.append(value) }
    func write(_ value: Int) { self.writer.output.append(Int64(value)) }
    func write(_ value: Bool) { self.writer.output.append(value) }
    func writeNil() { self.writer.output.append("null" as StaticString) }

    /// Encodes one element of the container at `level`; `key` is asked for if the element needs an `Encoder`, and for errors. It is nil in
    /// arrays and single value containers.
    @inline(__always)
    func encode<T: Encodable>(_ value: T, in level: Int, name: String?, key: () -> (any CodingKey)?) throws {
        let mark = Mark(output: self.writer.output.count, attachments: self.attachmentCount, splices: self.splices.count)
        if let name { try self.begin(name, in: level) } else { try self.begin(in: level) }
        do {
            if try self.writeDirect(value, key: key, in: level) { return }
            try self.encodeNested(value, key: key(), in: level)
        } catch {
            self.rollBack(to: mark, in: level)
            throw error
        }
    }

    @inline(__always)
    private func writeDirect<T: Encodable>(_ value: T, key: () -> (any CodingKey)?, in level: Int) throws -> Bool {
        guard let root = self.root else {
            return try self.writer.writeDirect(value, depthLeft: self.depthLeft) {
                self.path(to: level) + self.elementKey(key(), in: level)
            }
        }
        swap(&self.writer.attachments, &root.writer.attachments)
        defer { swap(&self.writer.attachments, &root.writer.attachments) }
        return try self.writer.writeDirect(value, depthLeft: self.depthLeft) { self.path(to: level) + self.elementKey(key(), in: level) }
    }

    private var depthLeft: Int { JSONWalker.deepestNesting - self.baseDepth - self.openContainers }

    private var attachmentCount: Int { (self.root ?? self).writer.attachments.count }

    private func encodeNested(_ value: some Encodable, key: (any CodingKey)?, in level: Int) throws {
        self.slots[level].key = self.elementKey(key, in: level).first
        self.slots.append(Slot())
        try value.encode(to: JSONSinkEncoder(sink: self, level: level + 1))
        try self.throwFailure()
        self.closeTop()
        self.slots[level].key = nil
    }

    /// The key of the element that was begun last: none in a single value container.
    private func elementKey(_ key: (any CodingKey)?, in level: Int) -> [any CodingKey] {
        if let key { return [key] }
        return self.slots[level].kind == .array ? [JSONIndexKey(self.slots[level].count - 1)] : []
    }

    // MARK: Containers

    /// Opens the slot at `level` as a container, or goes on with it if it is open. Returns false, and remembers why, if it cannot be.
    func open(_ kind: Kind, at level: Int) -> Bool {
        if level < self.slots.count, self.slots[level].kind == kind { return true }
        guard level == self.slots.count - 1, self.slots[level].kind == .empty else {
            self.failure = self.misuse("an encoder is asked for containers of two kinds", level)
            return false
        }
        guard self.depthLeft > 0 else {
            self.failure = self.misuse(Self.tooDeep, level)
            return false
        }
        self.openContainers += 1
        self.slots[level].kind = kind
        self.writer.output.append(kind == .array ? UInt8(ascii: "[") : UInt8(ascii: "{"))
        return true
    }

    /// A sink for an element that the caller fills whenever it likes.
    func splice(key: (any CodingKey)?, in level: Int) -> JSONSink {
        let pathKey: any CodingKey = key ?? JSONIndexKey(level < self.slots.count ? self.slots[level].count : 0)
        let path = self.path(to: level) + [pathKey]
        let child = JSONSink(root: self.root ?? self, basePath: path, baseDepth: self.baseDepth + self.openContainers)
        do {
            if let key { try self.begin(key.stringValue, in: level) } else { try self.begin(in: level) }
            self.splices.append((self.writer.output.count, child))
        } catch {
            self.failure = error
        }
        return child
    }

    // MARK: Ends

    private func closeTop() {
        guard let slot = self.slots.popLast() else { return }
        switch slot.kind {
        case .single: break
        case .empty: self.writer.output.append("{}" as StaticString)
        case .array:
            self.openContainers -= 1
            self.writer.output.append(UInt8(ascii: "]"))
        case .object:
            self.openContainers -= 1
            self.writer.output.append(UInt8(ascii: "}"))
        }
    }

    /// Closes what is open, here and in the sinks of containers that were opened by hand.
    private func finish() throws {
        try self.throwFailure()
        while !self.slots.isEmpty { self.closeTop() }
        for splice in self.splices { try splice.sink.finish() }
    }

    /// Appends everything to a buffer, each splice in its place.
    private func move(into buffer: inout ByteBuffer) {
        let bytes = self.writer.output.bytes
        var position = 0
        for splice in self.splices {
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[position..<splice.offset]))
            splice.sink.move(into: &buffer)
            position = splice.offset
        }
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[position...]))
    }

    private struct Mark {
        var output: Int
        var attachments: Int
        var splices: Int
    }

    /// Forgets an element whose encoding threw; the caller may catch that and go on.
    private func rollBack(to mark: Mark, in level: Int) {
        for slot in self.slots[(level + 1)...] where slot.kind == .array || slot.kind == .object { self.openContainers -= 1 }
        self.slots.removeSubrange((level + 1)...)
        self.slots[level].count -= 1
        if self.slots[level].kind == .single { self.slots[level].kind = .empty }
        self.slots[level].key = nil
        self.splices.removeSubrange(mark.splices...)
        self.writer.output.truncate(to: mark.output)
        (self.root ?? self).writer.attachments.removeSubrange(mark.attachments...)
    }

    private func throwFailure() throws {
        guard let failure = self.failure else { return }
        self.failure = nil
        throw failure
    }

    private func misuse(_ text: String, _ level: Int) -> EncodingError {
        EncodingError.invalidValue(Any?.none as Any, EncodingError.Context(codingPath: self.path(to: level), debugDescription: text))
    }
}
