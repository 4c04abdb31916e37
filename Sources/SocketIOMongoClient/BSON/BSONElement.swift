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
        self.keyStart + self.keyLength + 1
    }

    /// The key; malformed UTF-8 is repaired. Keys of up to 15 bytes cost no allocation.
    public var key: String {
        self.bytes.getString(at: self.keyStart, length: self.keyLength) ?? ""
    }

    /// Whether the key is this one, byte for byte, without making a string of it.
    public func hasKey(_ key: String) -> Bool {
        guard key.utf8.count == self.keyLength else { return false }
        return self.bytes.viewBytes(at: self.keyStart, length: self.keyLength)?.elementsEqual(key.utf8) ?? false
    }

    /// The value's bytes as they stand in the document.
    public var valueBytes: ByteBuffer {
        self.slice(at: 0, length: self.valueLength)
    }

    /// The number, if it is a double.
    public var double: Double? {
        self.type == .double ? self.integer(UInt64.self).map { Double(bitPattern: $0) } : nil
    }

    /// The string, if it is one and valid UTF-8.
    public var string: String? {
        guard self.type == .string || self.type == .symbol || self.type == .javaScript else { return nil }
        return try? self.bytes.getUTF8ValidatedString(at: self.valueStart + 4, length: self.valueLength - 5)
    }

    /// The string's bytes, not checked for UTF-8, if it is a string.
    public var stringBytes: ByteBuffer? {
        self.type == .string ? self.slice(at: 4, length: self.valueLength - 5) : nil
    }

    /// The embedded document, if it is one.
    public var document: BSONDocument? {
        self.type == .document ? BSONDocument(unchecked: self.valueBytes) : nil
    }

    /// The array as a document with keys "0", "1", …, if it is one.
    public var array: BSONDocument? {
        self.type == .array ? BSONDocument(unchecked: self.valueBytes) : nil
    }

    /// The bytes and their subtype, if it is a binary. Of the deprecated subtype 2 the inner length is taken off.
    public var binary: BSONBinary? {
        guard self.type == .binary, let subtype = self.bytes.getInteger(at: self.valueStart + 4, as: UInt8.self) else { return nil }
        let header = subtype == 2 ? 9 : 5
        return BSONBinary(subtype: subtype, bytes: self.slice(at: header, length: self.valueLength - header))
    }

    /// The id, if it is an `ObjectId`.
    public var objectID: ObjectID? {
        guard self.type == .objectID,
            let time = self.bytes.getInteger(at: self.valueStart, as: UInt32.self),
            let unique = self.bytes.getInteger(at: self.valueStart + 4, as: UInt64.self)
        else { return nil }
        return ObjectID(time: time, uniquePart: unique)
    }

    /// The value, if it is a boolean.
    public var bool: Bool? {
        self.type == .bool ? self.bytes.getInteger(at: self.valueStart, as: UInt8.self) == 1 : nil
    }

    /// Milliseconds since 1970, if it is a date.
    public var dateMilliseconds: Int64? {
        self.type == .date ? self.integer(Int64.self) : nil
    }

    /// Whether it is null.
    public var isNull: Bool {
        self.type == .null
    }

    /// The number, if it is a 32-bit integer.
    public var int32: Int32? {
        self.type == .int32 ? self.integer(Int32.self) : nil
    }

    /// The number, if it is a 64-bit integer.
    public var int64: Int64? {
        self.type == .int64 ? self.integer(Int64.self) : nil
    }

    /// The number, if it is an integer of either width or a double with an integral value: servers answer with any of the three.
    public var integer: Int64? {
        switch self.type {
        case .int32: self.int32.map(Int64.init)
        case .int64: self.int64
        case .double: self.double.flatMap(Int64.init(exactly:))
        default: nil
        }
    }

    /// The timestamp, if it is one.
    public var timestamp: BSONTimestamp? {
        self.type == .timestamp ? self.integer(UInt64.self).map(BSONTimestamp.init(rawValue:)) : nil
    }

    /// The embedded document, array or scope that a validator has to look into.
    var embedded: BSONDocument? {
        switch self.type {
        case .document, .array:
            return BSONDocument(unchecked: self.valueBytes)
        case .javaScriptWithScope:
            guard let code = self.bytes.getInteger(at: self.valueStart + 4, endianness: .little, as: Int32.self) else { return nil }
            return BSONDocument(unchecked: self.slice(at: 8 + Int(code), length: self.valueLength - 8 - Int(code)))
        default:
            return nil
        }
    }

    private func integer<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        self.bytes.getInteger(at: self.valueStart, endianness: .little)
    }

    // The reader has checked every range, so the fall-back is never taken.
    private func slice(at offset: Int, length: Int) -> ByteBuffer {
        self.bytes.getSlice(at: self.valueStart + offset, length: length) ?? ByteBuffer()
    }
}

#endif
