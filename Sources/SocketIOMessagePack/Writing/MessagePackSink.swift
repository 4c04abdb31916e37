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
    /// The error of a call that cannot throw.
    @exclusivity(unchecked) private var failure: (any Error)?
    private let basePath: [any CodingKey]
    private let baseDepth: Int
    @exclusivity(unchecked) private var openContainers = 0

    init(writer: MessagePackWriter = MessagePackWriter(), basePath: [any CodingKey] = [], baseDepth: Int = 0) {
        self.writer = writer
        self.basePath = basePath
        self.baseDepth = baseDepth
        slots = []
        slots.reserveCapacity(4)
        slots.append(Slot())
    }

    func path(to level: Int) -> [any CodingKey] {
        basePath + slots[..<min(level, slots.count)].compactMap(\.key)
    }

    // MARK: Values

    func encodeRoot(_ value: some Encodable) throws {
        try value.encode(to: MessagePackSinkEncoder(sink: self, level: 0))
        if slots[0].kind == .empty, failure == nil {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(type(of: value)) encoded no value"))
        }
        try finish()
    }

    /// Begins an element of the container at `level`; in a map with its key.
    @inline(__always)
    func begin(_ key: String? = nil, in level: Int) throws {
        guard level == slots.count - 1 else {
            throw misuse("a container is written to while one of its elements is being encoded", level)
        }
        let count = slots[level].count
        if slots[level].kind == .empty { slots[level].kind = .single }
        guard slots[level].kind != .single || count == 0 else {
            throw misuse("a second value is written to a single value container", level)
        }
        slots[level].count = count + 1
        if let key { try writer.write(key) }
    }

    /// Encodes one element of the container at `level`; `key` is asked for if the element needs an `Encoder`, and for errors. It is nil in
    /// arrays and single value containers.
    @inline(__always)
    func encode<T: Encodable>(_ value: T, in level: Int, name: String?, key: () -> (any CodingKey)?) throws {
        let mark = Mark(writerIndex: writer.buffer.writerIndex, splices: splices.count)
        try begin(name, in: level)
        do {
            let isDirect = try writer.writeDirect(value, depthLeft: depthLeft) {
                path(to: level) + elementKey(key(), in: level)
            }
            if !isDirect { try encodeNested(value, key: key(), in: level) }
        } catch {
            rollBack(to: mark, in: level)
            throw error
        }
    }

    private var depthLeft: Int { MessagePackLimits.deepestNesting - baseDepth - openContainers }

    private func encodeNested(_ value: some Encodable, key: (any CodingKey)?, in level: Int) throws {
        slots[level].key = elementKey(key, in: level).first
        slots.append(Slot())
        try value.encode(to: MessagePackSinkEncoder(sink: self, level: level + 1))
        try throwFailure()
        try closeTop()
        slots[level].key = nil
    }

    /// The key of the element that was begun last: none in a single value container.
    private func elementKey(_ key: (any CodingKey)?, in level: Int) -> [any CodingKey] {
        if let key { return [key] }
        return slots[level].kind == .array ? [MessagePackIndexKey(slots[level].count - 1)] : []
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
            let limit = MessagePackLimits.deepestNesting
            failure = misuse("nested deeper than \(limit) arrays and maps", level)
            return false
        }
        openContainers += 1
        slots[level].kind = kind
        slots[level].header = writer.buffer.writerIndex
        writer.buffer.writeInteger(UInt8(0))
        return true
    }

    /// A sink for an element that the caller fills whenever it likes; `key` is nil in an array.
    func splice(key: (any CodingKey)?, in level: Int) -> MessagePackSink {
        let pathKey: any CodingKey = key ?? MessagePackIndexKey(level < slots.count ? slots[level].count : 0)
        let child = MessagePackSink(basePath: path(to: level) + [pathKey], baseDepth: baseDepth + openContainers)
        do {
            try begin(key?.stringValue, in: level)
            splices.append((writer.buffer.writerIndex, child))
        } catch {
            failure = error
        }
        return child
    }

    // MARK: Ends

    private func closeTop() throws {
        guard let slot = slots.popLast() else { return }
        switch slot.kind {
        case .single: break
        case .empty: writer.buffer.writeInteger(UInt8(0x80))
        case .array:
            openContainers -= 1
            try writeHeader(slot, fix: 0x90, wide: 0xdc)
        case .map:
            openContainers -= 1
            try writeHeader(slot, fix: 0x80, wide: 0xde)
        }
    }

    /// Puts the header where one byte was left for it; a larger one moves what follows.
    private func writeHeader(_ slot: Slot, fix: UInt8, wide: UInt8) throws {
        if slot.count < 16 {
            writer.buffer.setInteger(fix | UInt8(slot.count), at: slot.header)
            return
        }
        let width = slot.count <= UInt16.max ? 2 : 4
        let content = writer.buffer.writerIndex - slot.header - 1
        writer.buffer.writeRepeatingByte(0, count: width)
        try writer.buffer.copyBytes(at: slot.header + 1, to: slot.header + 1 + width, length: content)
        if width == 2 {
            writer.buffer.setInteger(wide, at: slot.header)
            writer.buffer.setInteger(UInt16(slot.count), at: slot.header + 1)
        } else {
            writer.buffer.setInteger(wide + 1, at: slot.header)
            writer.buffer.setInteger(UInt32(truncatingIfNeeded: slot.count), at: slot.header + 1)
        }
        for index in splices.indices where splices[index].offset > slot.header { splices[index].offset += width }
    }

    /// Closes what is open and puts the sinks of hand-opened containers into their places.
    private func finish() throws {
        try throwFailure()
        while !slots.isEmpty { try closeTop() }
        guard !splices.isEmpty else { return }
        let source = writer.buffer
        var result = ByteBuffer()
        result.reserveCapacity(minimumWritableBytes: source.writerIndex)
        var position = 0
        for (offset, child) in splices {
            try child.finish()
            result.writeSlice(of: source, position..<offset)
            result.writeImmutableBuffer(child.writer.buffer)
            position = offset
        }
        result.writeSlice(of: source, position..<source.writerIndex)
        result.moveReaderIndex(to: source.readerIndex)
        writer.buffer = result
    }

    private struct Mark {
        var writerIndex: Int
        var splices: Int
    }

    /// Forgets an element whose encoding threw; the caller may catch that and go on.
    private func rollBack(to mark: Mark, in level: Int) {
        for slot in slots[(level + 1)...] where slot.kind == .array || slot.kind == .map { openContainers -= 1 }
        slots.removeSubrange((level + 1)...)
        slots[level].count -= 1
        if slots[level].kind == .single { slots[level].kind = .empty }
        slots[level].key = nil
        splices.removeSubrange(mark.splices...)
        writer.buffer.moveWriterIndex(to: mark.writerIndex)
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

extension ByteBuffer {
    /// Appends bytes of another buffer, given by its indices, whatever its reader index is.
    fileprivate mutating func writeSlice(of source: ByteBuffer, _ range: Range<Int>) {
        var whole = source
        whole.moveReaderIndex(to: 0)
        if let slice = whole.getSlice(at: range.lowerBound, length: range.count) { writeImmutableBuffer(slice) }
    }
}

/// The key of an element of an array.
struct MessagePackIndexKey: CodingKey {
    let index: Int

    init(_ index: Int) { self.index = index }
    init?(intValue: Int) { index = intValue }
    init?(stringValue: String) { nil }

    var intValue: Int? { index }
    var stringValue: String { "Index \(index)" }
}

/// The key of `superEncoder()` and `superDecoder()`.
enum MessagePackSuperKey: String, CodingKey {
    case `super`
}
