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
    private static let longestPause = TimeAmount.seconds(5)

    private var newest: BSONTimestamp?
    private var needsSetUp = false
    private var fruitless = 0

    /// The cursor is to be opened.
    func open() -> Opening {
        let pause = fruitless > 1 ? min(Self.longestPause, .milliseconds(100) * (1 << min(fruitless, 6))) : .zero
        return Opening(newest: newest, needsSetUp: needsSetUp, pause: pause)
    }

    /// The cursor is open.
    ///
    /// - Parameter marker: The time of the document that was inserted for it.
    mutating func opened(marker: BSONTimestamp) {
        needsSetUp = false
        newest = newest ?? marker
    }

    /// Whether documents are gone that were never read: the oldest that is there is newer than the newest that was read.
    static func isLossy(_ opening: Opening, oldest: BSONTimestamp?) -> Bool {
        guard let newest = opening.newest, let oldest else { return false }
        return oldest > newest
    }

    /// Everything up to this time was handed over.
    mutating func read(upTo time: BSONTimestamp?) {
        fruitless = 0
        if let time { newest = max(newest ?? time, time) }
    }

    /// The server has closed the cursor without an error.
    mutating func ended() {
        fruitless += 1
        needsSetUp = true
    }

    /// The cursor could not be opened, or has failed. A dropped collection is one of the possible reasons.
    mutating func failed() {
        fruitless += 1
        needsSetUp = true
    }
}
#endif
