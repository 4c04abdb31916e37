// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A twelve-byte `ObjectId`: four bytes of seconds, five random ones of the process and a counter of three, big-endian.
public struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Seconds since 1970 at which the id was made, if it was made by the usual rule.
    public let time: UInt32
    /// The last eight bytes: random part and counter.
    public let uniquePart: UInt64

    /// Makes the next id of this process: unique, and rising within the process until the counter wraps or the clock steps back.
    public init() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let count = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        time = UInt32(truncatingIfNeeded: now.tv_sec)
        uniquePart = Self.processPart << 24 | UInt64(count & 0xFF_FFFF)
    }

    /// Makes an id from its parts, for callers that have a rule of their own.
    public init(time: UInt32, uniquePart: UInt64) {
        self.time = time
        self.uniquePart = uniquePart
    }

    /// Reads twelve bytes; `nil` if there are more or fewer.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 12 else { return nil }
        var time: UInt32 = 0
        var unique: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            if index < 4 {
                time = time << 8 | UInt32(byte)
            } else {
                unique = unique << 8 | UInt64(byte)
            }
        }
        self.init(time: time, uniquePart: unique)
    }

    /// Reads 24 hexadecimal digits of either case; `nil` if it is anything else.
    public init?(hex: String) {
        let digits = hex.utf8
        guard digits.count == 24 else { return nil }
        var time: UInt32 = 0
        var unique: UInt64 = 0
        for (index, digit) in digits.enumerated() {
            guard let value = Self.value(ofDigit: digit) else { return nil }
            if index < 8 {
                time = time << 4 | UInt32(value)
            } else {
                unique = unique << 4 | UInt64(value)
            }
        }
        self.init(time: time, uniquePart: unique)
    }

    /// The twelve bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(12)
        withUnsafeBytes(of: time.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: uniquePart.bigEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// 24 lower-case hexadecimal digits.
    public var hex: String {
        String(unsafeUninitializedCapacity: 24) { output in
            var index = 0
            func put(_ byte: UInt8) {
                output[index] = Self.digit(byte >> 4)
                output[index + 1] = Self.digit(byte & 0xF)
                index += 2
            }
            withUnsafeBytes(of: time.bigEndian) { $0.forEach(put) }
            withUnsafeBytes(of: uniquePart.bigEndian) { $0.forEach(put) }
            return 24
        }
    }

    /// The same as ``hex``.
    public var description: String {
        hex
    }

    /// Orders as the bytes do, which is how MongoDB orders them.
    public static func < (lhs: ObjectID, rhs: ObjectID) -> Bool {
        (lhs.time, lhs.uniquePart) < (rhs.time, rhs.uniquePart)
    }

    private static let processPart = UInt64.random(in: 0...0xFF_FFFF_FFFF)
    private static let counter = Atomic<UInt32>(UInt32.random(in: 0...0xFF_FFFF))

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

#endif
