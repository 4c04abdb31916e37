// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import SocketIOText

/// Decides where to reopen a change stream, depending on how the last one ended.
struct ChangeStreamStateMachine {
    /// Where a stream begins.
    enum Position: Equatable {
        /// With what is written from now on.
        case now
        /// After the event of a token.
        case after(BSONDocument)
        /// At a time reported by the server.
        case at(BSONTimestamp)
    }

    /// How to open the stream.
    struct Opening: Equatable {
        var position: Position
        /// Whether events were skipped.
        var isLossy = false
        /// Whether the collection has to be set up first.
        var needsSetUp = false
        /// How long to wait first.
        var pause: TimeAmount = .zero
        /// Whether events have to be asked for one by one.
        var readsSingly = false
    }

    /// The reason why a stream ended.
    private enum Failure {
        /// The position is still valid.
        case transient
        /// The position may be valid once the collection exists again.
        case collectionIsGone
        /// The position will never be valid again.
        case positionIsLost
        /// The event after the position cannot be read.
        case unreadableEvent
        /// The position is abandoned if this happens repeatedly.
        case unclear
    }

    private static let setUpLimit = 2

    private var position = Position.now
    private var isLossy = false
    private var needsSetUp = false
    private var readsSingly = false
    private var setUpsInRow = 0
    private var stability = StreamStability()

    /// Whether the position was repeatedly lost in the last minute.
    func isUnstable(now: NIODeadline) -> Bool { stability.isUnstable(now: now) }

    /// The stream is to be opened.
    func open(now: NIODeadline) -> Opening {
        Opening(
            position: position,
            isLossy: isLossy,
            needsSetUp: needsSetUp,
            pause: stability.pause(now: now),
            readsSingly: readsSingly
        )
    }

    /// The stream is open.
    ///
    /// - Parameter token: The server's token of the moment, if it gave one.
    mutating func opened(token: BSONDocument?) {
        if let token { position = .after(token) }
        isLossy = false
        needsSetUp = false
    }

    /// Everything up to this token was delivered.
    mutating func read(upTo token: BSONDocument?) {
        stability.read()
        setUpsInRow = 0
        if let token { position = .after(token) }
    }

    /// The server has closed the stream without an error: the collection was dropped or renamed.
    mutating func ended() {
        stability.ended()
        needsSetUp = true
    }

    /// The stream could not be opened, or has failed.
    mutating func failed(_ error: MongoError, now: NIODeadline) {
        stability.ended()
        switch Self.classify(error) {
        case .transient: break
        case .collectionIsGone:
            setUpsInRow += 1
            needsSetUp = true
            if setUpsInRow > Self.setUpLimit { restart(error, now: now) }
        case .positionIsLost: restart(error, now: now)
        case .unreadableEvent: stepOver(error, now: now)
        case .unclear:
            if stability.failedUnclearly() { restart(error, now: now) }
        }
    }

    /// Skips an event that cannot be read.
    ///
    /// The server discards the whole batch that contains the event. So the events before it are read first, one by one, until the event is
    /// alone in its batch.
    private mutating func stepOver(_ error: MongoError, now: NIODeadline) {
        if !readsSingly, position != .now {
            readsSingly = true
            return
        }
        readsSingly = false
        guard let next = Self.position(behind: error) else { return restart(error, now: now) }
        position = next
        isLossy = true
    }

    /// Resumes at the time of the error, by the server's clock: by this machine's clock it might lie in the future, where a stream is
    /// accepted but receives nothing.
    private mutating func restart(_ error: MongoError, now: NIODeadline) {
        if case .now = position, error.operationTime == nil { return }
        position = error.operationTime.map { .at($0) } ?? .now
        isLossy = true
        needsSetUp = true
        readsSingly = false
        setUpsInRow = 0
        stability.moves()
        stability.lost(now: now)
    }

    // MARK: Errors

    private static func classify(_ error: MongoError) -> Failure {
        if let code = error.serverCode {
            if code == .bsonObjectTooLarge { return .unreadableEvent }
            if MongoErrorCode.missingCollection.contains(code) { return .collectionIsGone }
            if MongoErrorCode.lostPosition.contains(code) { return .positionIsLost }
        }
        if error.hasLabel("NonResumableChangeStreamError") { return .positionIsLost }
        return error.leavesPositionValid ? .transient : .unclear
    }

    /// The position after the event that the message of a ``MongoErrorCode/bsonObjectTooLarge`` quotes:
    /// `… First element: _id: { _data: "8263…" }`.
    ///
    /// The server truncates a long token: `"8263…..."`. It still begins with the event's time, which no other event has, except the rest
    /// of a transaction. If even that cannot be read, the event is not newer than the error. A stream that began at the time of the event
    /// would receive it again.
    static func position(behind error: MongoError) -> Position? {
        let limit = error.operationTime
        guard let range = error.serverMessage?.firstRange(of: "_data: \""), let rest = error.serverMessage?[range.upperBound...] else {
            return limit.map { .at($0.next) }
        }
        let digits = rest.prefix { $0.isHexDigit }
        if rest[digits.endIndex...].first == "\"", digits.count >= 18, digits.count.isMultiple(of: 2) {
            return .after(BSONDocument { $0.append("_data", String(digits)) })
        }
        let time = time(of: digits) ?? limit
        return time.map { .at(min($0, limit ?? $0).next) }
    }

    /// The time that a token begins with, after the digits 82, which say that it is one.
    private static func time(of token: Substring) -> BSONTimestamp? {
        guard token.utf8.starts(with: "82".utf8), token.count >= 18 else { return nil }
        return UInt64(token.dropFirst(2).prefix(16), radix: 16).map { BSONTimestamp(rawValue: $0) }
    }
}

extension BSONTimestamp {
    /// The next possible one.
    fileprivate var next: BSONTimestamp { BSONTimestamp(rawValue: rawValue &+ 1) }
}
#endif
