#if MongoDB
import MongoClient
import NIOCore

/// From where on a tailable cursor has to read, after whatever has happened to the last one.
struct TailStateMachine {
    /// How to open the cursor.
    struct Opening: Equatable {
        /// The time of the newest document that was read; nil the first time.
        var newest: BSONTimestamp?
        /// Whether the collection has to be set up first.
        var needsSetUp: Bool
        /// How long to wait first.
        var pause: TimeAmount

        /// The time from which on documents are wanted. A new primary may have others in place of the last ones that the old one had,
        /// with somewhat older times; what is read twice is recognised by its number.
        var start: BSONTimestamp? {
            newest.map { BSONTimestamp(time: $0.time - min($0.time, TailStateMachine.overlap), increment: 0) }
        }
    }

    /// Seconds.
    private static let overlap: UInt32 = 60
    /// CappedPositionLost.
    private static let positionLost: Int32 = 136

    private var newest: BSONTimestamp?
    private var needsSetUp = false
    private var stability = StreamStability()

    /// Whether the cursor was overtaken, or could not be opened, again and again lately.
    func isUnstable(now: NIODeadline) -> Bool { stability.isUnstable(now: now) }

    /// The cursor is to be opened.
    func open(now: NIODeadline) -> Opening {
        Opening(newest: newest, needsSetUp: needsSetUp, pause: stability.pause(now: now))
    }

    /// The cursor is open.
    ///
    /// - Parameters:
    ///   - marker: The time of the document that was inserted for it.
    ///   - oldest: The time of the oldest document, asked for after the opening.
    ///   - now: The time.
    /// - Returns: Whether documents are gone that were never read: the oldest that is there is newer than the newest that was read.
    mutating func opened(marker: BSONTimestamp, oldest: BSONTimestamp?, now: NIODeadline) -> Bool {
        needsSetUp = false
        guard let newest else {
            newest = marker
            return false
        }
        guard let oldest, oldest > newest else { return false }
        // Told once, also if the cursor ends before it has read anything.
        self.newest = oldest
        stability.lost(now: now)
        return true
    }

    /// Everything up to this time was handed over.
    mutating func read(upTo time: BSONTimestamp?) {
        stability.read()
        if let time { newest = max(newest ?? time, time) }
    }

    /// The server has closed the cursor without an error.
    mutating func ended() {
        stability.ended()
        needsSetUp = true
    }

    /// The cursor could not be opened, or has failed. A dropped collection is one of the possible reasons.
    mutating func failed(_ error: MongoError, now: NIODeadline) {
        stability.ended()
        needsSetUp = true
        // Of a cursor that was overtaken, the next opening tells what is lost.
        guard error.serverCode != Self.positionLost, !error.leavesPositionGood else { return }
        if stability.failedUnclearly() { stability.lost(now: now) }
    }
}
#endif
