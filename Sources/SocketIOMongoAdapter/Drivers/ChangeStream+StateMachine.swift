#if MongoDB
import MongoClient
import NIOCore

/// Where a change stream has to be opened, after whatever has happened to the last one.
struct ChangeStreamStateMachine {
    /// Where a stream begins.
    enum Position: Equatable {
        /// With what is written from now on.
        case now
        /// After the event of a token.
        case after(BSONDocument)
        /// At a time that the server has told.
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
    }

    /// What a stream's end means.
    private enum Failure {
        /// The position is good.
        case transient
        /// The position may be good once the collection is there again.
        case collectionIsGone
        /// The position will never be good again.
        case positionIsLost
        /// Nobody can read the event after the position; the one with this token.
        case unreadableEvent(BSONDocument?)
        /// The position is given up if this happens again and again.
        case unclear
    }

    private static let setUpLimit = 2

    private var position = Position.now
    private var isLossy = false
    private var needsSetUp = false
    private var setUpsInRow = 0
    private var stability = StreamStability()

    /// Whether the position was lost again and again lately.
    func isUnstable(now: NIODeadline) -> Bool { stability.isUnstable(now: now) }

    /// The stream is to be opened.
    func open(now: NIODeadline) -> Opening {
        Opening(position: position, isLossy: isLossy, needsSetUp: needsSetUp, pause: stability.pause(now: now))
    }

    /// The stream is open.
    ///
    /// - Parameter token: The server's token of the moment, if it gave one.
    mutating func opened(token: BSONDocument?) {
        if let token { position = .after(token) }
        isLossy = false
        needsSetUp = false
    }

    /// Everything up to this token was handed over.
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
        case .unreadableEvent(let token?):
            position = .after(token)
            isLossy = true
        case .unreadableEvent(nil): restart(error, now: now)
        case .unclear:
            if stability.failedUnclearly() { restart(error, now: now) }
        }
    }

    /// Goes on at the time of the error, by the server's clock: by that of this machine it might lie in the future, where a stream is
    /// accepted and hears nothing.
    private mutating func restart(_ error: MongoError, now: NIODeadline) {
        if case .now = position, error.operationTime == nil { return }
        position = error.operationTime.map { .at($0) } ?? .now
        isLossy = true
        needsSetUp = true
        setUpsInRow = 0
        stability.moves()
        stability.lost(now: now)
    }

    // MARK: Errors

    private static func classify(_ error: MongoError) -> Failure {
        switch error.serverCode {
        case 10_334: return .unreadableEvent(token(in: error.serverMessage ?? ""))
        case 26, 260: return .collectionIsGone
        case 136, 222, 280, 286: return .positionIsLost
        default: break
        }
        if error.hasLabel("NonResumableChangeStreamError") { return .positionIsLost }
        return error.leavesPositionGood ? .transient : .unclear
    }

    /// The token of the event that the message of error 10334 quotes: `… First element: _id: { _data: "8263…" }`.
    static func token(in message: String) -> BSONDocument? {
        guard let range = message.firstRange(of: "_data: \"") else { return nil }
        let digits = message[range.upperBound...].prefix { $0.isHexDigit }
        let isClosed = message[digits.endIndex...].first == "\""
        guard isClosed, digits.count >= 16, digits.count.isMultiple(of: 2) else { return nil }
        return BSONDocument { $0.append("_data", String(digits)) }
    }
}
#endif
