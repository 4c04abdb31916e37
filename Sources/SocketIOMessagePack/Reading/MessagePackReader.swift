// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOText

/// The type of a MessagePack value, as determined by its first byte.
public enum MessagePackKind: Hashable, Sendable {
    /// `nil`.
    case null
    /// `true` or `false`.
    case bool
    /// A signed or unsigned integer.
    case integer
    /// A 32 or 64 bit float.
    case float
    /// A string.
    case string
    /// Bytes.
    case binary
    /// An array.
    case array
    /// A map.
    case map
    /// An extension: a timestamp, for example.
    case `extension`
}

/// A cursor over MessagePack bytes that reads values one by one, or steps over a whole value without decoding it.
///
/// Nothing is allocated for what the input merely declares: each length is checked against the bytes that are left first. A read that
/// throws leaves the cursor where it was.
public struct MessagePackReader: Sendable {
    var buffer: ByteBuffer
    let start: Int
    let limits: MessagePackLimits

    /// Creates a cursor at the reader index of a buffer.
    ///
    /// - Parameters:
    ///   - buffer: the bytes; shared, not copied.
    ///   - limits: what is accepted.
    public init(_ buffer: ByteBuffer, limits: MessagePackLimits = .default) {
        self.buffer = buffer
        start = buffer.readerIndex
        self.limits = limits
    }

    /// How many bytes have been read.
    public var offset: Int { buffer.readerIndex - start }

    /// How many bytes are left.
    public var remainingBytes: Int { buffer.readableBytes }

    /// Whether everything has been read.
    public var isAtEnd: Bool { buffer.readableBytes == 0 }

    /// The bytes that are left.
    public var remaining: ByteBuffer { buffer }

    /// Checks that nothing follows.
    ///
    /// - Throws: ``MessagePackError/Code/trailingBytes`` if something does.
    public func expectEnd() throws(MessagePackError) {
        guard isAtEnd else { throw error(.trailingBytes, "\(remainingBytes) bytes follow the value") }
    }

    /// The type of the next value; does not move the cursor.
    ///
    /// - Throws: ``MessagePackError/Code/truncated`` at the end, ``MessagePackError/Code/invalidByte`` for `c1`.
    public func peekKind() throws(MessagePackError) -> MessagePackKind {
        switch try peekByte() {
        case 0x00...0x7f, 0xe0...0xff, 0xcc...0xcf, 0xd0...0xd3: .integer
        case 0x80...0x8f, 0xde, 0xdf: .map
        case 0x90...0x9f, 0xdc, 0xdd: .array
        case 0xa0...0xbf, 0xd9...0xdb: .string
        case 0xc0: .null
        case 0xc2, 0xc3: .bool
        case 0xc4...0xc6: .binary
        case 0xca, 0xcb: .float
        case 0xc7...0xc9, 0xd4...0xd8: .extension
        default: throw error(.invalidByte, "the byte c1 starts no value")
        }
    }

    // MARK: Scalars

    /// Reads `nil`, or notepack's `undefined`, if one of them is next.
    ///
    /// - Returns: whether it was; if not, the cursor has not moved.
    public mutating func readNil() -> Bool {
        if buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) == 0xc0 {
            buffer.moveReaderIndex(forwardBy: 1)
            return true
        }
        return readUndefined()
    }

    /// Reads a boolean.
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is none.
    public mutating func readBool() throws(MessagePackError) -> Bool {
        switch try peekByte() {
        case 0xc2: advance(1, returning: false)
        case 0xc3: advance(1, returning: true)
        default: throw mismatch("a boolean")
        }
    }

    /// Reads an integer of any width. A float whose value is a whole number that fits is accepted too, because JavaScript has no
    /// integers.
    ///
    /// - Parameter type: the type to return.
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is not a number, ``MessagePackError/Code/outOfRange`` if it does
    ///   not fit.
    @inlinable
    public mutating func readInteger<T: FixedWidthInteger>(as type: T.Type = T.self) throws(MessagePackError) -> T {
        let number = try peekNumber()
        let value: T? =
            switch number.value {
            case .int(let value): T(exactly: value)
            case .uint(let value): T(exactly: value)
            case .double(let value): T(exactly: value)
            }
        guard let value else { throw doesNotFit(T.self) }
        skip(number.size)
        return value
    }

    /// Reads a float; integers are accepted too, rounded to the nearest double if they exceed 2⁵³.
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is not a number.
    public mutating func readDouble() throws(MessagePackError) -> Double {
        let number = try peekNumber()
        let value: Double =
            switch number.value {
            case .int(let value): Double(value)
            case .uint(let value): Double(value)
            case .double(let value): value
            }
        return advance(number.size, returning: value)
    }

    /// Reads a string.
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is none, ``MessagePackError/Code/invalidUTF8``,
    ///   ``MessagePackError/Code/truncated``.
    public mutating func readString() throws(MessagePackError) -> String {
        let bytes = try peekStringBytes()
        guard let string = bytes.slice.withUnsafeReadableBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw error(.invalidUTF8, "the string is not UTF-8")
        }
        return advance(bytes.size, returning: string)
    }

    /// Reads a string that the application gets.
    ///
    /// - Throws: As ``readString()``, and ``MessagePackError/Code/combiningMarks``.
    mutating func readText() throws(MessagePackError) -> String {
        let start = offset
        let text = try readString()
        guard !CombiningMarks.exceedLimit(in: text) else {
            throw MessagePackError(.combiningMarks, "the string has \(CombiningMarks.complaint)", at: start)
        }
        return text
    }

    /// Reads a string's bytes without checking that they are UTF-8 and without copying them.
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is not a string, ``MessagePackError/Code/truncated``.
    public mutating func readStringBytes() throws(MessagePackError) -> ByteBuffer {
        let bytes = try peekStringBytes()
        return advance(bytes.size, returning: bytes.slice)
    }

    /// Reads binary, as a slice of the input: the binary of MessagePack, or what notepack makes of an `ArrayBuffer` (extension 0).
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is none, ``MessagePackError/Code/truncated``.
    public mutating func readBinary() throws(MessagePackError) -> ByteBuffer {
        let first = try peekByte()
        guard (0xc4...0xc6).contains(first) else {
            guard isBinaryExtension, let content = try? peekExtension() else { throw mismatch("binary") }
            return advance(content.size, returning: content.slice)
        }
        let header = try lengthHeader(width: 1 << Int(first - 0xc4))
        let bytes = try body(header)
        return advance(bytes.size, returning: bytes.slice)
    }

    // MARK: Containers

    /// Reads the header of an array.
    ///
    /// - Returns: how many values follow; at most as many as bytes are left.
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is not an array, ``MessagePackError/Code/truncated`` if it
    ///   declares more elements than bytes are left.
    public mutating func readArrayHeader() throws(MessagePackError) -> Int {
        let header: LengthHeader
        switch try peekByte() {
        case let byte where byte & 0xf0 == 0x90: header = LengthHeader(size: 1, count: Int(byte & 0x0f))
        case 0xdc: header = try lengthHeader(width: 2)
        case 0xdd: header = try lengthHeader(width: 4)
        default: throw mismatch("an array")
        }
        guard header.count <= remainingBytes - header.size else { throw truncated() }
        return advance(header.size, returning: header.count)
    }

    /// Reads the header of a map.
    ///
    /// - Returns: how many pairs of a key and a value follow; at most half as many as bytes are left.
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is not a map, ``MessagePackError/Code/truncated`` if it declares
    ///   more pairs than bytes are left for.
    public mutating func readMapHeader() throws(MessagePackError) -> Int {
        let header: LengthHeader
        switch try peekByte() {
        case let byte where byte & 0xf0 == 0x80: header = LengthHeader(size: 1, count: Int(byte & 0x0f))
        case 0xde: header = try lengthHeader(width: 2)
        case 0xdf: header = try lengthHeader(width: 4)
        default: throw mismatch("a map")
        }
        guard header.count <= (remainingBytes - header.size) / 2 else { throw truncated() }
        return advance(header.size, returning: header.count)
    }

    // MARK: Extensions

    /// Reads an extension of any type, its bytes as a slice of the input.
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is none, ``MessagePackError/Code/truncated``.
    public mutating func readExtension() throws(MessagePackError) -> (type: Int8, bytes: ByteBuffer) {
        let content = try peekExtension()
        return advance(content.size, returning: (content.type, content.slice))
    }

    /// Reads a timestamp: extension −1 of 4, 8 or 12 bytes, or the date of notepack 2 (extension 0 of 8 bytes, milliseconds).
    ///
    /// - Throws: ``MessagePackError/Code/typeMismatch`` if the next value is not an extension,
    ///   ``MessagePackError/Code/unsupportedExtension`` if it is another one.
    public mutating func readTimestamp() throws(MessagePackError) -> MessagePackTimestamp {
        let content = try peekExtension()
        guard !isBinaryExtension, let timestamp = MessagePackTimestamp(extension: content.type, bytes: content.slice) else {
            throw error(
                .unsupportedExtension,
                "extension type \(content.type) of \(content.slice.readableBytes) bytes is not a timestamp"
            )
        }
        return advance(content.size, returning: timestamp)
    }
}
