// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import SocketIOConcurrency
import Synchronization

/// The id of a message: 12 bytes, unique in the cluster. It has the layout of a MongoDB ObjectId: seconds since 1970, a random
/// number of the process, a counter.
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
    /// Seconds since 1970.
    @usableFromInline package let seconds: UInt32
    /// The process's random number (40 bits) and the counter (24 bits).
    @usableFromInline package let rest: UInt64

    /// Creates an id from the ``seconds`` and ``rest`` of another.
    package init(seconds: UInt32, rest: UInt64) {
        self.seconds = seconds
        self.rest = rest
    }

    /// Creates an id from its parts.
    ///
    /// - Parameters:
    ///   - seconds: Seconds since 1970.
    ///   - process: A random number of the process, of which the low 40 bits are used.
    ///   - counter: A counter, of which the low 24 bits are used.
    public init(seconds: UInt32, process: UInt64, counter: UInt64) {
        self.seconds = seconds
        self.rest = process << 24 | counter & 0xff_ffff
    }

    /// Parses 24 hexadecimal digits; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var digits = text.utf8.makeIterator()
        var high: UInt32 = 0
        var low: UInt64 = 0
        for position in 0..<24 {
            guard let value = digits.next().flatMap(Self.value) else { return nil }
            if position < 8 { high = high << 4 | UInt32(value) } else { low = low << 4 | UInt64(value) }
        }
        guard digits.next() == nil else { return nil }
        self.seconds = high
        self.rest = low
    }

    /// Reads an id from the 12 bytes at an index of a buffer; nil if they are not all readable.
    package init?(_ buffer: ByteBuffer, at index: Int) {
        guard let seconds = buffer.getInteger(at: index, as: UInt32.self), let rest = buffer.getInteger(at: index + 4, as: UInt64.self)
        else { return nil }
        self.init(seconds: seconds, rest: rest)
    }

    /// Appends the 12 bytes.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(seconds, rest)
    }

    /// Reads an id from 12 bytes; nil if there are not exactly 12.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 12 else { return nil }
        self.seconds = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        self.rest = bytes.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The 12 bytes, most significant first.
    public var bytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: seconds >> (24 - 8 * $0)) }
            + (0..<8).map { UInt8(truncatingIfNeeded: rest >> (56 - 8 * $0)) }
    }

    /// 24 lowercase hexadecimal digits.
    public var description: String {
        String(unsafeUninitializedCapacity: 24) { output in
            for position in 0..<24 {
                let digit =
                    position < 8
                    ? UInt8(truncatingIfNeeded: seconds >> UInt32(28 - 4 * position)) & 15
                    : UInt8(truncatingIfNeeded: rest >> UInt64(60 - 4 * (position - 8))) & 15
                output[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            }
            return 24
        }
    }
}

/// Makes the message ids of a process.
public final class MessageIDGenerator: Sendable {
    private let process: UInt64
    private let counter: Atomic<UInt64>

    /// Creates a generator.
    ///
    /// - Parameter seed: A random number: its bits become the process's part and the counter's start.
    public init(seed: UInt64) {
        self.process = seed >> 24
        self.counter = Atomic(seed & 0xff_ffff)
    }

    /// Creates a generator with a random seed.
    package convenience init() { self.init(seed: UInt64.random(in: .min ... .max)) }

    /// Makes the next id.
    package func next() -> MessageID { next(seconds: WallClock.secondsSince1970()) }

    /// Makes the next id.
    ///
    /// - Parameter seconds: The time in seconds since 1970. Uniqueness does not depend on it unless the counter wraps, after 16 million
    ///   ids.
    public func next(seconds: UInt32) -> MessageID {
        MessageID(seconds: seconds, process: process, counter: counter.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}
