// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The header of a value: its size, and the count that it declares.
struct LengthHeader {
    var size: Int
    var count: Int
}

extension MessagePackReader {
    @usableFromInline
    enum Number {
        case int(Int64)
        case uint(UInt64)
        case double(Double)
    }

    func peekByte() throws(MessagePackError) -> UInt8 {
        guard let byte = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { throw truncated() }
        return byte
    }

    mutating func advance<T>(_ count: Int, returning value: T) -> T {
        buffer.moveReaderIndex(forwardBy: count)
        return value
    }

    @usableFromInline
    mutating func skip(_ count: Int) {
        buffer.moveReaderIndex(forwardBy: count)
    }

    @usableFromInline
    func doesNotFit(_ type: Any.Type) -> MessagePackError {
        error(.outOfRange, "the number does not fit \(type)")
    }

    func error(_ code: MessagePackError.Code, _ message: String) -> MessagePackError {
        MessagePackError(code, message, at: offset)
    }

    func truncated() -> MessagePackError {
        error(.truncated, "the value is longer than the \(remainingBytes) bytes that are left")
    }

    func mismatch(_ wanted: String) -> MessagePackError {
        guard let kind = try? peekKind() else { return error(.invalidByte, "the byte c1 starts no value") }
        return error(.typeMismatch, "expected \(wanted), found \(kind)")
    }

    /// A big-endian integer after the first byte.
    private func operand<T: FixedWidthInteger>(_ type: T.Type, at offset: Int = 1) throws(MessagePackError) -> T {
        guard let value = buffer.getInteger(at: buffer.readerIndex + offset, as: type) else { throw truncated() }
        return value
    }

    func lengthHeader(width: Int) throws(MessagePackError) -> LengthHeader {
        switch width {
        case 1: LengthHeader(size: 2, count: Int(try operand(UInt8.self)))
        case 2: LengthHeader(size: 3, count: Int(try operand(UInt16.self)))
        default: LengthHeader(size: 5, count: Int(try operand(UInt32.self)))
        }
    }

    func body(_ header: LengthHeader) throws(MessagePackError) -> (slice: ByteBuffer, size: Int) {
        guard let slice = buffer.getSlice(at: buffer.readerIndex + header.size, length: header.count) else {
            throw truncated()
        }
        return (slice, header.size + header.count)
    }

    func peekStringBytes() throws(MessagePackError) -> (slice: ByteBuffer, size: Int) {
        switch try peekByte() {
        case let byte where byte & 0xe0 == 0xa0: return try body(LengthHeader(size: 1, count: Int(byte & 0x1f)))
        case 0xd9: return try body(lengthHeader(width: 1))
        case 0xda: return try body(lengthHeader(width: 2))
        case 0xdb: return try body(lengthHeader(width: 4))
        default: throw mismatch("a string")
        }
    }

    @usableFromInline
    func peekNumber() throws(MessagePackError) -> (value: Number, size: Int) {
        switch try peekByte() {
        case let byte where byte < 0x80: (.int(Int64(byte)), 1)
        case let byte where byte >= 0xe0: (.int(Int64(Int8(bitPattern: byte))), 1)
        case 0xcc: (.int(Int64(try operand(UInt8.self))), 2)
        case 0xcd: (.int(Int64(try operand(UInt16.self))), 3)
        case 0xce: (.int(Int64(try operand(UInt32.self))), 5)
        case 0xcf: (.uint(try operand(UInt64.self)), 9)
        case 0xd0: (.int(Int64(try operand(Int8.self))), 2)
        case 0xd1: (.int(Int64(try operand(Int16.self))), 3)
        case 0xd2: (.int(Int64(try operand(Int32.self))), 5)
        case 0xd3: (.int(try operand(Int64.self)), 9)
        case 0xca: (.double(Double(Float(bitPattern: try operand(UInt32.self)))), 5)
        case 0xcb: (.double(Double(bitPattern: try operand(UInt64.self))), 9)
        default: try peekBigInt()
        }
    }

    private func peekBigInt() throws(MessagePackError) -> (value: Number, size: Int) {
        guard let content = try? peekExtension(), content.type == MessagePackExtension.bigInt else { throw mismatch("a number") }
        switch MessagePackExtension.bigInt(content.slice) {
        case .int(let value): return (.int(value), content.size)
        case .uint(let value): return (.uint(value), content.size)
        case .double(let value): return (.double(value), content.size)
        default: throw mismatch("a number")
        }
    }

    func peekExtension() throws(MessagePackError) -> (type: Int8, slice: ByteBuffer, size: Int) {
        let first = try peekByte()
        let header: LengthHeader
        switch first {
        case 0xd4...0xd8: header = LengthHeader(size: 1, count: 1 << Int(first - 0xd4))
        case 0xc7...0xc9: header = try lengthHeader(width: 1 << Int(first - 0xc7))
        default: throw mismatch("an extension")
        }
        let type = try operand(Int8.self, at: header.size)
        let content = try body(LengthHeader(size: header.size + 1, count: header.count))
        return (type, content.slice, content.size)
    }

    /// Whether the next value is an extension that means binary.
    var isBinaryExtension: Bool {
        guard let first = try? peekByte(), let content = try? peekExtension() else { return false }
        let bytes = content.slice
        return MessagePackExtension.isBinary(
            content.type,
            isFixed: (0xd4...0xd8).contains(first),
            count: bytes.readableBytes,
            first: bytes.getInteger(at: bytes.readerIndex)
        )
    }

    /// notepack writes `undefined` as extension 0 of one zero byte.
    mutating func readUndefined() -> Bool {
        let index = buffer.readerIndex
        guard buffer.getInteger(at: index, as: UInt8.self) == 0xd4, buffer.getInteger(at: index + 1, as: UInt16.self) == 0 else {
            return false
        }
        return advance(3, returning: true)
    }
}

extension MessagePackTimestamp {
    /// Reads the content of an extension; nil if it is not a timestamp.
    init?(extension type: Int8, bytes: ByteBuffer) {
        let index = bytes.readerIndex
        switch (type, bytes.readableBytes) {
        case (-1, 4):
            guard let seconds = bytes.getInteger(at: index, as: UInt32.self) else { return nil }
            self.init(seconds: Int64(seconds))
        case (-1, 8):
            guard let packed = bytes.getInteger(at: index, as: UInt64.self), packed >> 34 < 1_000_000_000 else { return nil }
            self.init(seconds: Int64(packed & 0x3_ffff_ffff), nanoseconds: UInt32(packed >> 34))
        case (-1, 12):
            guard let nanoseconds = bytes.getInteger(at: index, as: UInt32.self), nanoseconds < 1_000_000_000,
                let seconds = bytes.getInteger(at: index + 4, as: Int64.self)
            else { return nil }
            self.init(seconds: seconds, nanoseconds: nanoseconds)
        case (0, 8):
            guard let milliseconds = bytes.getInteger(at: index, as: Int64.self) else { return nil }
            self.init(millisecondsSince1970: milliseconds)
        default: return nil
        }
    }
}
