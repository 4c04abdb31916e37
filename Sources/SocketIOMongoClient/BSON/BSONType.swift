// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// The type byte of a BSON element.
public struct BSONType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The byte that precedes the key.
    public let rawValue: UInt8

    /// Wraps a type byte; any value is accepted, known or not.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// 64-bit floating point.
    public static let double = BSONType(rawValue: 0x01)
    /// UTF-8 string.
    public static let string = BSONType(rawValue: 0x02)
    /// Embedded document.
    public static let document = BSONType(rawValue: 0x03)
    /// Array: a document whose keys are "0", "1", …
    public static let array = BSONType(rawValue: 0x04)
    /// Bytes with a subtype.
    public static let binary = BSONType(rawValue: 0x05)
    /// Deprecated `undefined`.
    public static let undefined = BSONType(rawValue: 0x06)
    /// Twelve-byte `ObjectId`.
    public static let objectID = BSONType(rawValue: 0x07)
    /// Boolean.
    public static let bool = BSONType(rawValue: 0x08)
    /// UTC milliseconds since 1970.
    public static let date = BSONType(rawValue: 0x09)
    /// Null.
    public static let null = BSONType(rawValue: 0x0A)
    /// Regular expression: pattern and options.
    public static let regularExpression = BSONType(rawValue: 0x0B)
    /// Deprecated `DBPointer`.
    public static let dbPointer = BSONType(rawValue: 0x0C)
    /// JavaScript code.
    public static let javaScript = BSONType(rawValue: 0x0D)
    /// Deprecated symbol.
    public static let symbol = BSONType(rawValue: 0x0E)
    /// Deprecated JavaScript code with scope.
    public static let javaScriptWithScope = BSONType(rawValue: 0x0F)
    /// 32-bit integer.
    public static let int32 = BSONType(rawValue: 0x10)
    /// MongoDB's internal timestamp.
    public static let timestamp = BSONType(rawValue: 0x11)
    /// 64-bit integer.
    public static let int64 = BSONType(rawValue: 0x12)
    /// 128-bit decimal floating point.
    public static let decimal128 = BSONType(rawValue: 0x13)
    /// Sorts after everything.
    public static let maxKey = BSONType(rawValue: 0x7F)
    /// Sorts before everything.
    public static let minKey = BSONType(rawValue: 0xFF)

    /// The byte in hexadecimal.
    public var description: String {
        "0x" + String(rawValue, radix: 16)
    }
}

#endif
