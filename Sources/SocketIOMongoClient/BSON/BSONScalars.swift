// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import NIOCore

/// MongoDB's internal timestamp: seconds since 1970 and a counter within the second.
///
/// The server fills a top-level `BSONTimestamp(time: 0, increment: 0)` of an inserted document with its own.
public struct BSONTimestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Seconds since 1970.
    public var time: UInt32
    /// Counter within the second.
    public var increment: UInt32

    /// Makes a timestamp.
    public init(time: UInt32, increment: UInt32) {
        self.time = time
        self.increment = increment
    }

    /// The 64-bit value in BSON.
    public init(rawValue: UInt64) {
        time = UInt32(truncatingIfNeeded: rawValue >> 32)
        increment = UInt32(truncatingIfNeeded: rawValue)
    }

    /// The 64-bit value in BSON; it sorts as the timestamp does.
    public var rawValue: UInt64 {
        UInt64(time) << 32 | UInt64(increment)
    }

    /// Orders by time, then by increment.
    public static func < (lhs: BSONTimestamp, rhs: BSONTimestamp) -> Bool {
        lhs.rawValue < rhs.rawValue
    }

    /// `Timestamp(time, increment)`, as the shell prints it.
    public var description: String {
        "Timestamp(\(time), \(increment))"
    }
}

/// Bytes with the subtype that BSON gives them.
public struct BSONBinary: Hashable, Sendable {
    /// 0 is generic, 4 a UUID, 128 and above are the user's.
    public var subtype: UInt8
    /// The bytes: when read, a slice that keeps the whole batch it came in alive.
    public var bytes: ByteBuffer

    /// Makes a binary value.
    public init(subtype: UInt8 = 0, bytes: ByteBuffer) {
        self.subtype = subtype
        self.bytes = bytes
    }
}

#endif
