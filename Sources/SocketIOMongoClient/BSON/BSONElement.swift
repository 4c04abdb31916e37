// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import NIOCore

/// One element of a document: a key and a value that is decoded when it is asked for.
///
/// Every accessor returns `nil` when the value has another type, so that a document of unknown origin can be read without a trap.
public struct BSONElement: Sendable {
    /// The type of the value.
    public let type: BSONType

    private let bytes: ByteBuffer
    private let keyStart: Int
    private let keyLength: Int
    private let valueLength: Int

    init(type: BSONType, bytes: ByteBuffer, keyStart: Int, keyLength: Int, valueLength: Int) {
        self.type = type
        self.bytes = bytes
        self.keyStart = keyStart
        self.keyLength = keyLength
        self.valueLength = valueLength
    }

    private var valueStart: Int {
        keyStart + keyLength + 1
    }

    /// The key; malformed UTF-8 is repaired. Keys of up to 15 bytes cost no allocation.
    public var key: String {
        bytes.getString(at: keyStart, length: keyLength) ?? ""
    }

    /// Whether the key is this one, byte for byte, without making a string of it.
    public func hasKey(_ key: String) -> Bool {
        guard key.utf8.count == keyLength else { return false }
        return bytes.viewBytes(at: keyStart, length: keyLength)?.elementsEqual(key.utf8) ?? false
    }

    /// The value's bytes in the document.
    public var valueBytes: ByteBuffer {
        slice(at: 0, length: valueLength)
    }

    /// The number, if it is a double.
    public var double: Double? {
        type == .double ? integer(UInt64.self).map { Double(bitPattern: $0) } : nil
    }

    /// The string, if it is one and valid UTF-8.
    public var string: String? {
        guard type == .string || type == .symbol || type == .javaScript else { return nil }
        return try? bytes.getUTF8ValidatedString(at: valueStart + 4, length: valueLength - 5)
    }

    /// The string's bytes, not checked for UTF-8, if it is a string.
    public var stringBytes: ByteBuffer? {
        type == .string ? slice(at: 4, length: valueLength - 5) : nil
    }

    /// The embedded document, if it is one.
    public var document: BSONDocument? {
        type == .document ? BSONDocument(unchecked: valueBytes) : nil
    }

    /// The array as a document with keys "0", "1", …, if it is one.
    public var array: BSONDocument? {
        type == .array ? BSONDocument(unchecked: valueBytes) : nil
    }

    /// The bytes and their subtype, if it is a binary. Of the deprecated subtype 2 the inner length is taken off.
    public var binary: BSONBinary? {
        guard type == .binary, let subtype = bytes.getInteger(at: valueStart + 4, as: UInt8.self) else { return nil }
        let header = subtype == 2 ? 9 : 5
        return BSONBinary(subtype: subtype, bytes: slice(at: header, length: valueLength - header))
    }

    /// The id, if it is an `ObjectId`.
    public var objectID: ObjectID? {
        guard type == .objectID,
            let time = bytes.getInteger(at: valueStart, as: UInt32.self),
            let unique = bytes.getInteger(at: valueStart + 4, as: UInt64.self)
        else { return nil }
        return ObjectID(time: time, uniquePart: unique)
    }

    /// The value, if it is a boolean.
    public var bool: Bool? {
        type == .bool ? bytes.getInteger(at: valueStart, as: UInt8.self) == 1 : nil
    }

    /// Milliseconds since 1970, if it is a date.
    public var dateMilliseconds: Int64? {
        type == .date ? integer(Int64.self) : nil
    }

    /// Whether it is null.
    public var isNull: Bool {
        type == .null
    }

    /// The number, if it is a 32-bit integer.
    public var int32: Int32? {
        type == .int32 ? integer(Int32.self) : nil
    }

    /// The number, if it is a 64-bit integer.
    public var int64: Int64? {
        type == .int64 ? integer(Int64.self) : nil
    }

    /// The number, if it is an integer of either width or a double with an integral value: servers answer with any of the three.
    public var integer: Int64? {
        switch type {
        case .int32: int32.map(Int64.init)
        case .int64: int64
        case .double: double.flatMap(Int64.init(exactly:))
        default: nil
        }
    }

    /// The timestamp, if it is one.
    public var timestamp: BSONTimestamp? {
        type == .timestamp ? integer(UInt64.self).map(BSONTimestamp.init(rawValue:)) : nil
    }

    /// The embedded document, array or scope that a validator has to look into.
    var embedded: BSONDocument? {
        switch type {
        case .document, .array:
            return BSONDocument(unchecked: valueBytes)
        case .javaScriptWithScope:
            guard let code = bytes.getInteger(at: valueStart + 4, endianness: .little, as: Int32.self) else { return nil }
            return BSONDocument(unchecked: slice(at: 8 + Int(code), length: valueLength - 8 - Int(code)))
        default:
            return nil
        }
    }

    private func integer<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        bytes.getInteger(at: valueStart, endianness: .little)
    }

    // The reader has checked every range, so the fall-back is never taken.
    private func slice(at offset: Int, length: Int) -> ByteBuffer {
        bytes.getSlice(at: valueStart + offset, length: length) ?? ByteBuffer()
    }
}

#endif
