// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
/// How far the ids of documents are from the order of the stream. Ids are made by the clocks of their writers, and some time before they
/// are written, so a document may have a lower id than one that was written before it.
///
/// It bounds where documents after a known one can be found by their ids, without reading all that are older.
struct IDDisorder {
    /// Seconds that are assumed if nothing is known, and at most: as far as clocks may differ.
    static let limit: UInt32 = 60
    /// Seconds that a period takes. Two of them are remembered.
    private static let period: UInt32 = 300

    private struct Period {
        var begin: UInt32
        /// The greatest number of seconds by which an id was lower than one before it.
        var lateness: UInt32 = 0
    }

    /// The current period, and the one before.
    private var current: Period?
    private var previous: Period?
    private var highest: UInt32 = 0

    /// A document was read.
    ///
    /// - Parameter seconds: The time in its id.
    mutating func read(_ seconds: UInt32) {
        guard let current else {
            self.current = Period(begin: seconds)
            highest = seconds
            return
        }
        guard seconds > highest else {
            let lateness = min(highest - seconds, Self.limit)
            if lateness > current.lateness { self.current?.lateness = lateness }
            return
        }
        highest = seconds
        guard seconds - current.begin >= Self.period else { return }
        // After a long silence, or a leap of a clock, what was before says nothing.
        previous = seconds - current.begin < 2 * Self.period ? current : nil
        self.current = Period(begin: seconds)
    }

    /// The earliest time in the ids of documents that were written after one with this time.
    func earliest(after seconds: UInt32) -> UInt32 {
        // What was written before the first period is not known, and its beginning may have been late itself.
        guard let current, seconds >= (previous ?? current).begin &+ Self.limit else { return seconds - min(seconds, Self.limit) }
        return seconds - min(seconds, max(current.lateness, previous?.lateness ?? 0))
    }
}
#endif
