// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Where an encoder and its containers write.
///
/// Values are nested by call: whatever `encode(to:)` of an element writes lies between two calls, so it goes to the same buffer, and a
/// stack of slots is all the state. Containers that a caller opens by hand (`nestedContainer`, `superEncoder`) may be filled in any order;
/// each gets a sink of its own, spliced in at the end.
final class MessagePackSink {
    enum Kind {
        case empty, single, array, map
    }

    /// A value that is being encoded.
    struct Slot {
        var kind = Kind.empty
        var count = 0
        /// Where the one byte for the container's header is.
        var header = 0
        /// The key or index whose value is being encoded.
        var key: (any CodingKey)?
    }

    // A sink stays inside one call of the encoder, and none of its accesses overlap; checking that at run time costs more than the writing.
    @exclusivity(unchecked) var writer: MessagePackWriter
    @exclusivity(unchecked) private(set) var slots: [Slot]
    @exclusivity(unchecked) private var splices: [(offset: Int, sink: MessagePackSink)] = []
    /// What a call that cannot throw would have thrown.
    @exclusivity(unchecked) private var failure: (any Error)?
    private let basePath: [any CodingKey]
    private let baseDepth: Int
    @exclusivity(unchecked) private var openContainers = 0

    init(writer: MessagePackWriter = MessagePackWriter(), basePath: [any CodingKey] = [], baseDepth: Int = 0) {
        self.writer = writer
        self.basePath = basePath
        self.baseDepth = baseDepth
        self.slots = []
        self.slots.reserveCapacity(4)
        self.slots.append(Slot())
    }

    func path(to level: Int) -> [any CodingKey] {
        self.basePath + self.slots[..<min(level, self.slots.count)].compactMap(\.key)
    }

    // MARK: Values

    func encodeRoot(_ value: some Encodable) throws {
        try value.encode(to: MessagePackSinkEncoder(sink: self, level: 0))
        if self.slots[0].kind == .empty, self.failure == nil {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(type(of: value)) encoded no value"))
        }
        try self.finish()
    }

    /// Begins an element of the container at `level`; in a map with its key.
    @inline(__always)
    func begin(_ key: String? = nil, in level: Int) throws {
        guard level == self.slots.count - 1 else {
            throw self.misuse("a container is written to while one of its elements is being encoded", level)
        }
        let count = self.slots[level].count
        if self.slots[level].kind == .empty { self.slots[level].kind = .single }
        guard self.slots[level].kind != .single || count == 0 else {
            throw self.misuse("a second value is written to a single value container", level)
        }
        self.slots[level].count = count + 1
        if let key { try self.writer.write(key) }
    }

    /// Encodes one element of the container at `level`; `key` is asked for if the element needs an `Encoder`, and for errors. It is nil in
    /// arrays and single value containers.
    @inline(__always)
    func encode<T: Encodable>(_ value: T, in level: Int, name: String?, key: () -> (any CodingKey)?) throws {
        let mark = Mark(writerIndex: self.writer.buffer.writerIndex, splices: self.splices.count)
        try self.begin(name, in: level)
        do {
            let isDirect = try self.writer.writeDirect(value, depthLeft: self.depthLeft) {
                self.path(to: level) + self.elementKey(key(), in: level)
            }
            if !isDirect { try self.encodeNested(value, key: key(), in: level) }
        } catch {
            self.rollBack(to: mark, in: level)
            throw error
        }
    }

    private var depthLeft: Int { MessagePackLimits.deepestNesting - self.baseDepth - self.openContainers }

    private func encodeNested(_ value: some Encodable, key: (any CodingKey)?, in level: Int) throws {
        self.slots[level].key = self.elementKey(key, in: level).first
        self.slots.append(Slot())
        try value.encode(to: MessagePackSinkEncoder(sink: self, level: level + 1))
        try self.throwFailure()
        try self.closeTop()
        self.slots[level].key = nil
    }

    /// The key of the element that was begun last: none in a single value container.
    private func elementKey(_ key: (any CodingKey)?, in level: Int) -> [any CodingKey] {
        if let key { return [key] }
        return self.slots[level].kind == .array ? [MessagePackIndexKey(self.slots[level].count - 1)] : []
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
            let limit = MessagePackLimits.deepestNesting
            self.failure = self.misuse("nested deeper than \(limit) arrays and maps", level)
            return false
        }
        self.openContainers += 1
        self.slots[level].kind = kind
        self.slots[level].header = self.writer.buffer.writerIndex
        self.writer.buffer.writeInteger(UInt8(0))
        return true
    }

    /// A sink for an element that the caller fills whenever it likes; `key` is nil in an array.
    func splice(key: (any CodingKey)?, in level: Int) -> MessagePackSink {
        let pathKey: any CodingKey = key ?? MessagePackIndexKey(level < self.slots.count ? self.slots[level].count : 0)
        let child = MessagePackSink(basePath: self.path(to: level) + [pathKey], baseDepth: self.baseDepth + self.openContainers)
        do {
            try self.begin(key?.stringValue, in: level)
            self.splices.append((self.writer.buffer.writerIndex, child))
        } catch {
            self.failure = error
        }
        return child
    }

    // MARK: Ends

    private func closeTop() throws {
        guard let slot = self.slots.popLast() else { return }
        switch slot.kind {
        case .single: break
        case .empty: self.writer.buffer.writeInteger(UInt8(0x80))
        case .array:
            self.openContainers -= 1
            try self.writeHeader(slot, fix: 0x90, wide: 0xdc)
        case .map:
            self.openContainers -= 1
            try self.writeHeader(slot, fix: 0x80, wide: 0xde)
        }
    }

    /// Puts the header where one byte was left for it; a larger one moves what follows.
    private func writeHeader(_ slot: Slot, fix: UInt8, wide: UInt8) throws {
        if slot.count < 16 {
            self.writer.buffer.setInteger(fix | UInt8(slot.count), at: slot.header)
            return
        }
        let width = slot.count <= UInt16.max ? 2 : 4
        let content = self.writer.buffer.writerIndex - slot.header - 1
        self.writer.buffer.writeRepeatingByte(0, count: width)
        try self.writer.buffer.copyBytes(at: slot.header + 1, to: slot.header + 1 + width, length: content)
        if width == 2 {
            self.writer.buffer.setInteger(wide, at: slot.header)
            self.writer.buffer.setInteger(UInt16(slot.count), at: slot.header + 1)
        } else {
            self.writer.buffer.setInteger(wide + 1, at: slot.header)
            self.writer.buffer.setInteger(UInt32(truncatingIfNeeded: slot.count), at: slot.header + 1)
        }
        for index in self.splices.indices where self.splices[index].offset > slot.header { self.splices[index].offset += width }
    }

    /// Closes what is open and puts the sinks of hand-opened containers into their places.
    private func finish() throws {
        try self.throwFailure()
        while !self.slots.isEmpty { try self.closeTop() }
        guard !self.splices.isEmpty else { return }
        let source = self.writer.buffer
        var result = ByteBuffer()
        result.reserveCapacity(minimumWritableBytes: source.writerIndex)
        var position = 0
        for (offset, child) in self.splices {
            try child.finish()
            result.writeSlice(of: source, position..<offset)
            result.writeImmutableBuffer(child.writer.buffer)
            position = offset
        }
        result.writeSlice(of: source, position..<source.writerIndex)
        result.moveReaderIndex(to: source.readerIndex)
        self.writer.buffer = result
    }

    private struct Mark {
        var writerIndex: Int
        var splices: Int
    }

    /// Forgets an element whose encoding threw; the caller may catch that and go on.
    private func rollBack(to mark: Mark, in level: Int) {
        for slot in self.slots[(level + 1)...] where slot.kind == .array || slot.kind == .map { self.openContainers -= 1 }
        self.slots.removeSubrange((level + 1)...)
        self.slots[level].count -= 1
        if self.slots[level].kind == .single { self.slots[level].kind = .empty }
        self.slots[level].key = nil
        self.splices.removeSubrange(mark.splices...)
        self.writer.buffer.moveWriterIndex(to: mark.writerIndex)
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

extension ByteBuffer {
    /// Appends bytes of another buffer, given by its indices, whatever its reader index is.
    fileprivate mutating func writeSlice(of source: ByteBuffer, _ range: Range<Int>) {
        var whole = source
        whole.moveReaderIndex(to: 0)
        if let slice = whole.getSlice(at: range.lowerBound, length: range.count) { self.writeImmutableBuffer(slice) }
    }
}

/// The key of an element of an array.
struct MessagePackIndexKey: CodingKey {
    let index: Int

    init(_ index: Int) { self.index = index }
    init?(intValue: Int) { self.index = intValue }
    init?(stringValue: String) { nil }

    var intValue: Int? { self.index }
    var stringValue: String { "Index \(self.index)" }
}

/// The key of `superEncoder()` and `superDecoder()`.
enum MessagePackSuperKey: String, CodingKey {
    case `super`
}
