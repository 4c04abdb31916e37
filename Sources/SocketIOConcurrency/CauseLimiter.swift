// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

/// Writes a line about a cause once, and again only after a long time: for what an operator has to see, and clients can repeat as often as
/// they like.
///
/// The number of causes is bounded. Once there are too many, further ones are left out until the period of another is over.
package final class CauseLimiter<Cause: Hashable & Sendable>: Sendable {
    private struct Entry {
        var end: NIODeadline
        var suppressed = 0
    }

    private let period: TimeAmount
    private let limit: Int
    private let entries = Mutex<[Cause: Entry]>([:])

    /// Makes a limiter.
    ///
    /// - Parameters:
    ///   - period: How long a cause is not written again. Default one hour.
    ///   - limit: How many causes are distinguished. Default 64.
    package init(period: TimeAmount = .hours(1), limit: Int = 64) {
        self.period = period
        self.limit = limit
    }

    /// Writes a line about a cause, unless it was written within the period.
    ///
    /// - Parameter write: Writes it; gets how often the cause was left out before, or nil if it was not.
    package func log(_ cause: Cause, now: NIODeadline = .now(), _ write: (_ suppressed: Int?) -> Void) {
        let verdict = entries.withLock { entries in admit(cause, now: now, &entries) }
        if case .log(let suppressed) = verdict { write(suppressed > 0 ? suppressed : nil) }
    }

    private func admit(_ cause: Cause, now: NIODeadline, _ entries: inout [Cause: Entry]) -> LogLimiter.Verdict {
        if let entry = entries[cause], now < entry.end {
            entries[cause]?.suppressed += 1
            return .suppress
        }
        if entries[cause] == nil, entries.count >= limit {
            // A cause that occurs again counts from the beginning.
            entries = entries.filter { now < $0.value.end }
            guard entries.count < limit else { return .suppress }
        }
        let suppressed = entries[cause]?.suppressed ?? 0
        entries[cause] = Entry(end: now + period)
        return .log(suppressed: suppressed)
    }
}
