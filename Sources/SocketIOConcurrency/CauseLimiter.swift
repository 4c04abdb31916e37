// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

/// Writes a line about a cause once, and again only after a long time: for what an operator has to see, and clients can repeat as often as
/// they like.
///
/// Causes are written in code, so they are few. Their subjects, such as an origin or a path, come from clients. They are bounded: once a
/// cause has too many, further ones share one line of the cause. So the subjects of one cause never suppress another cause, and a new
/// subject costs the same whether there is room for it or not.
package final class CauseLimiter<Cause: Hashable & Sendable, Subject: Hashable & Sendable>: Sendable {
    private struct Entry {
        var end: NIODeadline
        var suppressed = 0
    }

    /// What is known of a cause, or of one of its subjects.
    private struct Group {
        /// About no subject in particular, or about one for which there was no room.
        var entry: Entry?
        var subjects: [Subject: Group] = [:]
        /// When nothing of this is of interest any more.
        var end = NIODeadline.distantPast
        /// No subject ends before this.
        var firstEnd = NIODeadline.distantFuture
    }

    private let period: TimeAmount
    private let limit: Int
    private let causes = Mutex<[Cause: Group]>([:])

    /// Makes a limiter.
    ///
    /// - Parameters:
    ///   - period: How long a cause is not written again. Default one hour.
    ///   - limit: How many subjects of a cause are distinguished, and how many subjects of each of them. Default 8.
    package init(period: TimeAmount = .hours(1), limit: Int = 8) {
        self.period = period
        self.limit = limit
    }

    /// Writes a line about a cause, unless it was written within the period.
    ///
    /// - Parameters:
    ///   - cause: The cause. Code must have few of them: their number is not bounded here.
    ///   - subjects: What the cause is about: none, or a subject, then a subject of that subject, and so on.
    ///   - now: The time.
    ///   - write: Writes it; gets how often the line was left out before, or nil if it was not.
    package func log(_ cause: Cause, about subjects: Subject?..., now: NIODeadline = .now(), _ write: (_ suppressed: Int?) -> Void) {
        let known = subjects.prefix { $0 != nil }.compactMap(\.self)[...]
        let verdict = causes.withLock { admit(known, now: now, &$0[cause, default: Group()]) }
        if case .log(let suppressed) = verdict { write(suppressed > 0 ? suppressed : nil) }
    }

    private func admit(_ subjects: ArraySlice<Subject>, now: NIODeadline, _ group: inout Group) -> LogLimiter.Verdict {
        let verdict: LogLimiter.Verdict
        if let subject = subjects.first, makeRoom(for: subject, now: now, in: &group) {
            verdict = admit(subjects.dropFirst(), now: now, &group.subjects[subject, default: Group()])
        } else {
            verdict = admit(now: now, &group.entry)
        }
        if case .log = verdict {
            group.end = now + period
            if !subjects.isEmpty { group.firstEnd = min(group.firstEnd, group.end) }
        }
        return verdict
    }

    /// - Returns: Whether the subject is one of those that are distinguished.
    private func makeRoom(for subject: Subject, now: NIODeadline, in group: inout Group) -> Bool {
        if group.subjects[subject] != nil || group.subjects.count < limit { return true }
        guard now >= group.firstEnd else { return false }
        // A subject that occurs again counts from the beginning.
        group.subjects = group.subjects.filter { now < $0.value.end }
        group.firstEnd = group.subjects.values.lazy.map(\.end).min() ?? .distantFuture
        return group.subjects.count < limit
    }

    private func admit(now: NIODeadline, _ entry: inout Entry?) -> LogLimiter.Verdict {
        let suppressed = entry?.suppressed ?? 0
        if let end = entry?.end, now < end {
            entry?.suppressed += 1
            return .suppress
        }
        entry = Entry(end: now + period)
        return .log(suppressed: suppressed)
    }
}
