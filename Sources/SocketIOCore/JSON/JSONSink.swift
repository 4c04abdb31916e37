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

    // MessagePackSink has the same shape, as the decoders' containers have. They are not one generic type, because generic code of another
    // module is not specialised: each value would go through a witness table, on the path of every typed event.

    // A sink stays inside one call of the encoder, and none of its accesses overlap; checking that at run time costs more than the writing.
    @exclusivity(unchecked) private(set) var slots: [Slot]
    @exclusivity(unchecked) private var writer = JSONWriter()
    /// The sink that has the attachments; nil in itself.
    private let root: JSONSink?
    @exclusivity(unchecked) private var splices: [(offset: Int, sink: JSONSink)] = []
    /// The error of a call that cannot throw.
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
        slots = []
        slots.reserveCapacity(root == nil ? 6 : 2)
        slots.append(Slot())
    }

    func path(to level: Int) -> [any CodingKey] {
        basePath + slots[..<min(level, slots.count)].compactMap(\.key)
    }

    // MARK: Values

    /// Encodes the argument. The caller's buffer and attachments change only if that succeeds.
    func encodeRoot(_ value: some Encodable, into buffer: inout ByteBuffer, attachments: inout [ByteBuffer]) throws {
        writer.attachments = attachments
        try value.encode(to: JSONSinkEncoder(sink: self, level: 0))
        try throwFailure()
        if slots[0].kind == .empty {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(type(of: value)) encoded no value"))
        }
        try finish()
        move(into: &buffer)
        attachments = writer.attachments
    }

    /// Begins an element of the container at `level`: a separator, and in an object the key.
    @inline(__always)
    func begin(in level: Int) throws {
        guard level == slots.count - 1 else {
            throw misuse("a container is written to while one of its elements is being encoded", level)
        }
        let count = slots[level].count
        switch slots[level].kind {
        case .empty: slots[level].kind = .single
        case .single: guard count == 0 else { throw misuse("a second value is written to a single value container", level) }
        case .array, .object: if count > 0 { writer.output.append(UInt8(ascii: ",")) }
        }
        slots[level].count = count + 1
    }

    func begin(_ key: String, in level: Int) throws {
        try begin(in: level)
        writer.output.append(key)
        writer.output.append(UInt8(ascii: ":"))
    }

    // These cannot fail; they are called after `begin`.

    func write(_ value: String) { writer.output.append(value) }
    func write(_ value: Int) { writer.output.append(Int64(value)) }
    func write(_ value: Bool) { writer.output.append(value) }
    func writeNil() { writer.output.append("null" as StaticString) }

    /// Encodes one element of the container at `level`; `key` is asked for if the element needs an `Encoder`, and for errors. It is nil in
    /// arrays and single value containers.
    @inline(__always)
    func encode<T: Encodable>(_ value: T, in level: Int, name: String?, key: () -> (any CodingKey)?) throws {
        let mark = Mark(output: writer.output.count, attachments: attachmentCount, splices: splices.count)
        if let name { try begin(name, in: level) } else { try begin(in: level) }
        do {
            if try writeDirect(value, key: key, in: level) { return }
            try encodeNested(value, key: key(), in: level)
        } catch {
            rollBack(to: mark, in: level)
            throw error
        }
    }

    @inline(__always)
    private func writeDirect<T: Encodable>(_ value: T, key: () -> (any CodingKey)?, in level: Int) throws -> Bool {
        guard let root = self.root else {
            return try writer.writeDirect(value, depthLeft: depthLeft) {
                path(to: level) + elementKey(key(), in: level)
            }
        }
        swap(&writer.attachments, &root.writer.attachments)
        defer { swap(&writer.attachments, &root.writer.attachments) }
        return try writer.writeDirect(value, depthLeft: depthLeft) { path(to: level) + elementKey(key(), in: level) }
    }

    private var depthLeft: Int { JSONWalker.deepestNesting - baseDepth - openContainers }

    private var attachmentCount: Int { (root ?? self).writer.attachments.count }

    private func encodeNested(_ value: some Encodable, key: (any CodingKey)?, in level: Int) throws {
        slots[level].key = elementKey(key, in: level).first
        slots.append(Slot())
        try value.encode(to: JSONSinkEncoder(sink: self, level: level + 1))
        try throwFailure()
        closeTop()
        slots[level].key = nil
    }

    /// The key of the element that was begun last: none in a single value container.
    private func elementKey(_ key: (any CodingKey)?, in level: Int) -> [any CodingKey] {
        if let key { return [key] }
        return slots[level].kind == .array ? [JSONIndexKey(slots[level].count - 1)] : []
    }

    // MARK: Containers

    /// Opens the slot at `level` as a container, or goes on with it if it is open. Returns false, and remembers why, if it cannot be.
    func open(_ kind: Kind, at level: Int) -> Bool {
        if level < slots.count, slots[level].kind == kind { return true }
        guard level == slots.count - 1, slots[level].kind == .empty else {
            failure = misuse("an encoder is asked for containers of two kinds", level)
            return false
        }
        guard depthLeft > 0 else {
            failure = misuse(Self.tooDeep, level)
            return false
        }
        openContainers += 1
        slots[level].kind = kind
        writer.output.append(kind == .array ? UInt8(ascii: "[") : UInt8(ascii: "{"))
        return true
    }

    /// A sink for an element that the caller fills whenever it likes.
    func splice(key: (any CodingKey)?, in level: Int) -> JSONSink {
        let pathKey: any CodingKey = key ?? JSONIndexKey(level < slots.count ? slots[level].count : 0)
        let path = self.path(to: level) + [pathKey]
        let child = JSONSink(root: root ?? self, basePath: path, baseDepth: baseDepth + openContainers)
        do {
            if let key { try begin(key.stringValue, in: level) } else { try begin(in: level) }
            splices.append((writer.output.count, child))
        } catch {
            failure = error
        }
        return child
    }

    // MARK: Ends

    private func closeTop() {
        guard let slot = slots.popLast() else { return }
        switch slot.kind {
        case .single: break
        case .empty: writer.output.append("{}" as StaticString)
        case .array:
            openContainers -= 1
            writer.output.append(UInt8(ascii: "]"))
        case .object:
            openContainers -= 1
            writer.output.append(UInt8(ascii: "}"))
        }
    }

    /// Closes what is open, here and in the sinks of containers that were opened by hand.
    private func finish() throws {
        try throwFailure()
        while !slots.isEmpty { closeTop() }
        for splice in splices { try splice.sink.finish() }
    }

    /// Appends everything to a buffer, each splice in its place.
    private func move(into buffer: inout ByteBuffer) {
        let bytes = writer.output.bytes
        var position = 0
        for splice in splices {
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
        for slot in slots[(level + 1)...] where slot.kind == .array || slot.kind == .object { openContainers -= 1 }
        slots.removeSubrange((level + 1)...)
        slots[level].count -= 1
        if slots[level].kind == .single { slots[level].kind = .empty }
        slots[level].key = nil
        splices.removeSubrange(mark.splices...)
        writer.output.truncate(to: mark.output)
        (root ?? self).writer.attachments.removeSubrange(mark.attachments...)
    }

    private func throwFailure() throws {
        guard let failure = self.failure else { return }
        self.failure = nil
        throw failure
    }

    private func misuse(_ text: String, _ level: Int) -> EncodingError {
        EncodingError.invalidValue(Any?.none as Any, EncodingError.Context(codingPath: path(to: level), debugDescription: text))
    }
}
