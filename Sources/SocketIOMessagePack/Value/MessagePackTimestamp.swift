// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A point in time as MessagePack's timestamp extension (type −1) holds it.
///
/// Other coders than this module's see its two properties.
public struct MessagePackTimestamp: Hashable, Sendable, Codable {
    /// Whole seconds since 1970-01-01T00:00:00Z; negative before.
    public var seconds: Int64
    /// Nanoseconds to add to ``seconds``, 0 to 999 999 999.
    public var nanoseconds: UInt32

    /// Creates a timestamp.
    ///
    /// - Parameters:
    ///   - seconds: whole seconds since 1970, negative before.
    ///   - nanoseconds: added to the seconds; what exceeds 999 999 999 is clamped.
    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = min(nanoseconds, 999_999_999)
    }

    /// Creates a timestamp from milliseconds since 1970, which is what JavaScript's `Date` holds.
    ///
    /// - Parameter milliseconds: milliseconds since 1970, negative before.
    public init(millisecondsSince1970 milliseconds: Int64) {
        var (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        if rest < 0 {
            seconds -= 1
            rest += 1_000
        }
        self.init(seconds: seconds, nanoseconds: UInt32(rest) * 1_000_000)
    }

    /// Creates a timestamp from a date, to the microsecond (a `Date` of today holds no more).
    ///
    /// - Parameter date: the date; one that is not finite or more than 2⁶² seconds away from 1970 gives nil.
    public init?(_ date: Date) {
        let interval = date.timeIntervalSince1970
        guard interval.isFinite, interval.magnitude < 0x1p62 else { return nil }
        var seconds = interval.rounded(.down)
        var microseconds = ((interval - seconds) * 1_000_000).rounded()
        if microseconds >= 1_000_000 {
            seconds += 1
            microseconds = 0
        }
        self.init(seconds: Int64(seconds), nanoseconds: UInt32(microseconds) * 1_000)
    }

    /// The timestamp as a date.
    public var date: Date {
        Date(timeIntervalSince1970: Double(seconds) + Double(nanoseconds) / 1_000_000_000)
    }
}
