// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore

/// Decides where a tailable cursor has to resume, depending on how the last one ended.
///
/// Documents state their own times, which anyone with write access can forge. So this node relies on its own documents only,
/// whose times the primary has filled in: it begins with a marker that it has written at its start, never reads what is before that, and
/// resumes at the last of its own documents that has returned.
struct TailStateMachine {
    /// How to open the cursor.
    struct Opening: Equatable {
        /// The time from which on documents are wanted; nil the first time: from the marker on.
        var start: BSONTimestamp?
        /// Documents of this node. As long as one of them exists, nothing after it was overwritten.
        var anchors: [ObjectID] = []
        /// The marker that this node began with; nil the first time.
        var first: ObjectID?
        /// Whether the collection has to be set up first.
        var needsSetUp: Bool
        /// How long to wait first.
        var pause: TimeAmount
    }

    /// The state of the collection when the cursor was opened.
    struct Found {
        /// The document that was inserted for the cursor.
        var marker: ObjectID
        /// The time that the primary has given to it; nil if it was overwritten before it was read.
        var time: BSONTimestamp?
        /// The time of writing according to the oldest document.
        var oldest: BSONTimestamp?
        /// Whether one of the anchors was there.
        var hasAnchor: Bool
        /// Whether the marker that this node began with is there, so that what is before it may come and must not be read.
        var hasFirst: Bool
    }

    /// Seconds. A new primary may have others in place of the last documents that the old one had, with somewhat older times; what is read
    /// twice is recognised by its number.
    private static let overlap: UInt32 = 60
    /// Documents of this node that may still come back.
    private static let writtenLimit = 64

    private var first: (id: ObjectID, time: BSONTimestamp)?
    private var marker: ObjectID?
    /// The last document of this node that was read, and its time.
    private var last: (id: ObjectID?, time: BSONTimestamp)?
    /// The documents that this node has written most recently, oldest first.
    private var written: [ObjectID] = []
    /// Documents are not read until this one arrives.
    private var gate: ObjectID?
    private var needsSetUp = false
    private var stability = StreamStability()

    /// Whether the cursor was overtaken, or could not be opened, again and again lately.
    func isUnstable(now: NIODeadline) -> Bool { stability.isUnstable(now: now) }

    /// The cursor is to be opened.
    func open(now: NIODeadline) -> Opening {
        Opening(
            start: start,
            anchors: [last?.id, marker].compactMap(\.self),
            first: first?.id,
            needsSetUp: needsSetUp,
            pause: stability.pause(now: now)
        )
    }

    private var start: BSONTimestamp? {
        guard let first, let last else { return nil }
        let time = BSONTimestamp(time: last.time.time - min(last.time.time, Self.overlap), increment: 0)
        return max(time, first.time)
    }

    /// The cursor is open.
    ///
    /// - Returns: Whether documents are gone that were never read.
    mutating func opened(_ found: Found, now: NIODeadline) -> Bool {
        needsSetUp = false
        marker = found.marker
        guard let first, let last else {
            let time = found.time ?? BSONTimestamp(time: 0, increment: 0)
            self.first = (found.marker, time)
            self.last = (found.marker, time)
            gate = found.time == nil ? nil : found.marker
            return false
        }
        gate = found.hasFirst ? first.id : nil
        guard !found.hasAnchor, let oldest = found.oldest, oldest > last.time else { return false }
        // Reported once, even if the cursor ends before it has read anything. A time of the oldest one in the future is ignored.
        self.last = (nil, min(oldest, found.time ?? oldest))
        stability.lost(now: now)
        return true
    }

    // MARK: Documents

    /// This node is about to write a document.
    mutating func writes(_ id: ObjectID) {
        guard written.last != id else { return }
        written.append(id)
        if written.count > Self.writtenLimit { written.removeFirst() }
    }

    /// Whether documents come that are before the marker that this node began with.
    var isBeforeFirst: Bool { gate != nil }

    /// A document that may be before the marker has arrived; it is not read.
    mutating func passed(_ id: ObjectID?) {
        if let id, id == gate { gate = nil }
    }

    /// A document with an id of this node has arrived, and everything before it was delivered.
    mutating func read(_ id: ObjectID, at time: BSONTimestamp?) {
        guard let time, let index = written.firstIndex(of: id) else { return }
        written.removeFirst(index + 1)
        last = (id, time)
    }

    /// Everything that has arrived was delivered.
    mutating func read() { stability.read() }

    /// The server has closed the cursor without an error.
    mutating func ended() {
        stability.ended()
        needsSetUp = true
    }

    /// The cursor could not be opened, or has failed. A dropped collection is one of the possible reasons.
    mutating func failed(_ error: MongoError, now: NIODeadline) {
        stability.ended()
        needsSetUp = true
        // If the cursor was overtaken, the next opening determines what is lost.
        guard error.serverCode != .cappedPositionLost, !error.leavesPositionValid else { return }
        if stability.failedUnclearly() { stability.lost(now: now) }
    }
}
#endif
