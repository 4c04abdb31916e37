// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

extension MessagePackReader {
    /// Steps over one value, whatever it holds, checking its structure: lengths, depth, number of values, and that strings are UTF-8, so that
    /// the bytes can be passed on to readers that refuse others.
    ///
    /// - Returns: the range of its bytes, as offsets from the start of the input.
    /// - Throws: ``MessagePackError`` with the codes `truncated`, `invalidByte`, `invalidUTF8`, `tooDeep` or `tooManyValues`.
    @discardableResult
    public mutating func skip() throws(MessagePackError) -> Range<Int> {
        try self.walk { walk, bytes in walk.value(bytes) }
    }

    /// Steps over one value as ``skip()`` does; if it is an array, `element` gets the range of each of its elements, in order, as offsets
    /// from the start of the input, and each may be nested as deeply as another value. One pass, whatever the elements are.
    ///
    /// - Returns: The range of the value's bytes, and whether it is an array.
    /// - Throws: as ``skip()``. `element` may have been called before that.
    package mutating func skip(_ element: (Range<Int>) -> Void) throws(MessagePackError) -> (range: Range<Int>, isArray: Bool) {
        let begin = offset
        guard case .array = try peekKind() else { return (try skip(), false) }
        let range = try self.walk(extraDepth: 1) { walk, bytes in
            walk.array(bytes) { element(begin + $0.lowerBound..<begin + $0.upperBound) }
        }
        return (range, true)
    }

    /// Steps over one value, however deeply it is nested and however many values it has, in time for its bytes. Strings are not checked.
    ///
    /// - Returns: Whether it is complete; if not, the cursor has not moved.
    package mutating func skipWithoutLimits() -> Bool {
        let size = buffer.withUnsafeReadableBytes { StructureWalk.size(of: $0) }
        guard let size else { return false }
        buffer.moveReaderIndex(forwardBy: size)
        return true
    }

    private mutating func walk(
        extraDepth: Int = 0,
        _ step: (inout StructureWalk, UnsafeRawBufferPointer) -> StructureWalk.Outcome
    ) throws(MessagePackError) -> Range<Int> {
        let begin = offset
        let limits = self.limits
        // The recursion must end, whatever the caller has set.
        let depth = min(limits.maximumDepth, MessagePackLimits.deepestNesting)
        var walk = StructureWalk(depthLeft: depth + extraDepth, valuesLeft: limits.maximumValues)
        let outcome = buffer.withUnsafeReadableBytes { step(&walk, $0) }
        switch outcome {
        case .complete:
            buffer.moveReaderIndex(forwardBy: walk.offset)
            return begin..<offset
        case .truncated: throw MessagePackError(.truncated, "a declared length exceeds the bytes that are left", at: begin + walk.offset)
        case .invalidByte: throw MessagePackError(.invalidByte, "the byte c1 starts no value", at: begin + walk.offset)
        case .invalidText: throw MessagePackError(.invalidUTF8, "the string is not UTF-8", at: begin + walk.offset)
        case .tooDeep:
            throw MessagePackError(.tooDeep, "nested deeper than \(depth) arrays and maps", at: begin + walk.offset)
        case .tooManyValues:
            throw MessagePackError(.tooManyValues, "more than \(limits.maximumValues) values", at: begin + walk.offset)
        }
    }

    /// Steps over one value and returns its bytes, as a slice of the input.
    ///
    /// - Throws: as ``skip()``.
    public mutating func readRaw() throws(MessagePackError) -> ByteBuffer {
        var bytes = buffer
        let range = try skip()
        return bytes.readSlice(length: range.count) ?? bytes
    }

    /// Checks that a buffer holds exactly one well-formed value within the limits. Allocates nothing.
    ///
    /// - Parameters:
    ///   - buffer: the bytes.
    ///   - limits: what is accepted.
    /// - Throws: as ``skip()``, and `trailingBytes` if something follows the value.
    public static func validate(_ buffer: ByteBuffer, limits: MessagePackLimits = .default) throws(MessagePackError) {
        var reader = MessagePackReader(buffer, limits: limits)
        try reader.skip()
        try reader.expectEnd()
    }
}

/// Walks over the structure of one value. Recursion is bounded by `depthLeft`.
private struct StructureWalk {
    enum Outcome {
        case complete, truncated, invalidByte, invalidText, tooDeep, tooManyValues
    }

    var offset = 0
    var depthLeft: Int
    var valuesLeft: Int
    var checksText = true

    mutating func value(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard offset < bytes.count else { return .truncated }
        guard valuesLeft > 0 else { return .tooManyValues }
        valuesLeft -= 1
        let first = bytes[offset]
        switch first {
        case 0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3: return step(1, bytes)
        case 0xa0...0xbf: return text(header: 1, count: Int(first & 0x1f), bytes)
        case 0x90...0x9f: return container(header: 1, count: Int(first & 0x0f), bytes)
        case 0x80...0x8f: return container(header: 1, count: Int(first & 0x0f) * 2, bytes)
        case 0xc4...0xc6: return sized(width: 1 << Int(first - 0xc4), extra: 0, bytes)
        case 0xc7...0xc9: return sized(width: 1 << Int(first - 0xc7), extra: 1, bytes)
        case 0xca: return step(5, bytes)
        case 0xcb: return step(9, bytes)
        case 0xcc...0xcf: return step(1 + 1 << Int(first - 0xcc), bytes)
        case 0xd0...0xd3: return step(1 + 1 << Int(first - 0xd0), bytes)
        case 0xd4...0xd8: return step(2 + 1 << Int(first - 0xd4), bytes)
        case 0xd9...0xdb:
            let width = 1 << Int(first - 0xd9)
            guard let count = length(width: width, bytes) else { return .truncated }
            return text(header: 1 + width, count: count, bytes)
        case 0xdc, 0xdd:
            guard let count = length(width: first == 0xdc ? 2 : 4, bytes) else { return .truncated }
            return container(header: first == 0xdc ? 3 : 5, count: count, bytes)
        case 0xde, 0xdf:
            guard let count = length(width: first == 0xde ? 2 : 4, bytes) else { return .truncated }
            return container(header: first == 0xde ? 3 : 5, count: count * 2, bytes)
        default: return .invalidByte
        }
    }

    /// The size of the first value, without recursion; nil if it is not complete.
    static func size(of bytes: UnsafeRawBufferPointer) -> Int? {
        // Each container but the innermost ones fails for want of depth; its header is all that must be stepped over.
        var walk = StructureWalk(depthLeft: 0, valuesLeft: .max, checksText: false)
        var left = 1
        while left > 0 {
            left -= 1
            switch walk.value(bytes) {
            case .complete: break
            case .tooDeep:
                guard let header = walk.header(bytes) else { return nil }
                walk.offset += header.size
                left += header.count
            case .truncated, .invalidByte, .invalidText, .tooManyValues: return nil
            }
        }
        return walk.offset
    }

    /// The header of an array or map, which is next; its count is that of the values that follow.
    private func header(_ bytes: UnsafeRawBufferPointer) -> LengthHeader? {
        let first = bytes[offset]
        switch first {
        case 0x90...0x9f: return LengthHeader(size: 1, count: Int(first & 0x0f))
        case 0x80...0x8f: return LengthHeader(size: 1, count: Int(first & 0x0f) * 2)
        default:
            let width = first & 1 == 0 ? 2 : 4
            return length(width: width, bytes).map { LengthHeader(size: 1 + width, count: first >= 0xde ? $0 * 2 : $0) }
        }
    }

    private mutating func step(_ count: Int, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard count <= bytes.count - offset else { return .truncated }
        offset += count
        return .complete
    }

    private mutating func text(header: Int, count: Int, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard header + count <= bytes.count - offset else { return .truncated }
        let start = offset + header
        guard !checksText || Self.isUTF8(bytes[start..<start + count]) else { return .invalidText }
        offset = start + count
        return .complete
    }

    private static func isUTF8(_ slice: Slice<UnsafeRawBufferPointer>) -> Bool {
        let bytes = UnsafeRawBufferPointer(rebasing: slice)
        // Most text is ASCII, and this loop looks at many bytes at a time.
        if bytes.reduce(0, |) < 0x80 { return true }
        return (try? UTF8Span(validating: Span<UInt8>(_unsafeBytes: bytes))) != nil
    }

    private func length(width: Int, _ bytes: UnsafeRawBufferPointer) -> Int? {
        guard offset + width < bytes.count else { return nil }
        var value = 0
        for index in 1...width { value = value << 8 | Int(bytes[offset + index]) }
        return value
    }

    private mutating func sized(width: Int, extra: Int, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let count = length(width: width, bytes) else { return .truncated }
        return step(1 + width + extra + count, bytes)
    }

    private mutating func container(header: Int, count: Int, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        let outcome = enter(header: header, count: count, bytes)
        guard case .complete = outcome else { return outcome }
        for _ in 0..<count {
            let outcome = value(bytes)
            guard case .complete = outcome else { return outcome }
        }
        depthLeft += 1
        return .complete
    }

    private mutating func enter(header: Int, count: Int, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard depthLeft > 0 else { return .tooDeep }
        guard count <= bytes.count - offset - header else { return .truncated }
        offset += header
        depthLeft -= 1
        return .complete
    }

    /// Skips an array and returns the ranges of its elements.
    mutating func array(_ bytes: UnsafeRawBufferPointer, _ element: (Range<Int>) -> Void) -> Outcome {
        guard let first = bytes.first else { return .truncated }
        guard valuesLeft > 0 else { return .tooManyValues }
        valuesLeft -= 1
        var header = LengthHeader(size: 1, count: Int(first & 0x0f))
        if first & 0xf0 != 0x90 {
            let width = first == 0xdc ? 2 : 4
            guard let count = length(width: width, bytes) else { return .truncated }
            header = LengthHeader(size: 1 + width, count: count)
        }
        let outcome = enter(header: header.size, count: header.count, bytes)
        guard case .complete = outcome else { return outcome }
        for _ in 0..<header.count {
            let start = offset
            let outcome = value(bytes)
            guard case .complete = outcome else { return outcome }
            element(start..<offset)
        }
        return .complete
    }
}
