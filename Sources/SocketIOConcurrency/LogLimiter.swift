// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

/// Decides which of many lines of one kind are written to the log, so that lines at `warning` or above that a client or a document causes
/// cannot fill it.
///
/// The first lines of a period are written; the others are counted, and the first line of a later period says how many they were.
package struct LogLimiter: Sendable {
    /// The decision about a line.
    package enum Verdict: Sendable, Hashable {
        /// Write it, and say how many were left out before it.
        case log(suppressed: Int)
        /// Leave it out.
        case suppress
    }

    private let lines: Int
    private let period: TimeAmount
    private var periodEnd: NIODeadline?
    private var written = 0
    private var suppressed = 0

    /// Makes a limiter for lines of one kind.
    ///
    /// - Parameters:
    ///   - lines: How many are written in a period. Default 10.
    ///   - period: How long a period is; it begins with the first line after the last one. Default one minute.
    package init(lines: Int = 10, period: TimeAmount = .seconds(60)) {
        self.lines = lines
        self.period = period
    }

    /// A line is about to be written.
    package mutating func admit(now: NIODeadline) -> Verdict {
        if periodEnd.map({ now >= $0 }) ?? true {
            periodEnd = now + period
            written = 0
        }
        guard written < lines else {
            suppressed += 1
            return .suppress
        }
        written += 1
        return .log(suppressed: takeSuppressed())
    }

    /// How many lines were left out since the last one that was written; they count as reported from now on.
    package mutating func takeSuppressed() -> Int {
        defer { suppressed = 0 }
        return suppressed
    }
}

/// A ``LogLimiter`` that several event loops share.
package final class SharedLogLimiter: Sendable {
    private let limiter: Mutex<LogLimiter>

    /// Makes a limiter for lines of one kind.
    ///
    /// - Parameters:
    ///   - lines: How many are written in a period. Default 10.
    ///   - period: How long a period is. Default one minute.
    package init(lines: Int = 10, period: TimeAmount = .seconds(60)) {
        self.limiter = Mutex(LogLimiter(lines: lines, period: period))
    }

    /// A line is about to be written.
    package func admit(now: NIODeadline = .now()) -> LogLimiter.Verdict {
        limiter.withLock { $0.admit(now: now) }
    }

    /// How many lines were left out since the last one that was written; they count as reported from now on.
    package func takeSuppressed() -> Int { limiter.withLock { $0.takeSuppressed() } }

    /// Writes a line, unless there were too many of its kind.
    ///
    /// - Parameter write: Writes it; gets how many lines were left out before it, or nil if there were none.
    package func log(now: NIODeadline = .now(), _ write: (_ suppressed: Int?) -> Void) {
        if case .log(let suppressed) = admit(now: now) { write(suppressed > 0 ? suppressed : nil) }
    }
}
