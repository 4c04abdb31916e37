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

    private static let longestPause = TimeAmount.seconds(5)
    private static let restartWindow = TimeAmount.seconds(60)
    private static let restartLimit = 3
    private static let attemptLimit = 5

    private var position = Position.now
    private var isLossy = false
    private var needsSetUp = false
    /// How often in a row a stream has ended without having moved.
    private var fruitless = 0
    /// How often in a row that was for a reason that may lie in the position.
    private var unclear = 0
    private var setUpsInRow = 0
    private var restarts: [NIODeadline] = []
    /// Whether the position was lost again and again within a minute.
    private(set) var isUnstable = false

    /// The stream is to be opened.
    mutating func open(now: NIODeadline) -> Opening {
        restarts.removeAll { now - $0 > Self.restartWindow }
        isUnstable = restarts.count >= Self.restartLimit
        var pause = TimeAmount.zero
        if isUnstable {
            pause = Self.longestPause
        } else if fruitless > 1 {
            pause = min(Self.longestPause, .milliseconds(100) * (1 << min(fruitless, 6)))
        }
        return Opening(position: position, isLossy: isLossy, needsSetUp: needsSetUp, pause: pause)
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
        fruitless = 0
        unclear = 0
        setUpsInRow = 0
        if let token { position = .after(token) }
    }

    /// The server has closed the stream without an error: the collection was dropped or renamed.
    mutating func ended() {
        fruitless += 1
        needsSetUp = true
    }

    /// The stream could not be opened, or has failed.
    mutating func failed(_ error: MongoError, now: NIODeadline) {
        fruitless += 1
        switch Self.classify(error) {
        case .transient: break
        case .collectionIsGone:
            setUpsInRow += 1
            needsSetUp = true
            if setUpsInRow > 2 { restart(error, now: now) }
        case .positionIsLost: restart(error, now: now)
        case .unreadableEvent(let token?):
            position = .after(token)
            isLossy = true
        case .unreadableEvent(nil): restart(error, now: now)
        case .unclear:
            unclear += 1
            if unclear >= Self.attemptLimit { restart(error, now: now) }
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
        unclear = 0
        restarts.append(now)
        if restarts.count > Self.restartLimit { restarts.removeFirst() }
    }

    // MARK: Errors

    private static func classify(_ error: MongoError) -> Failure {
        switch error.serverCode {
        case nil: return .transient
        // Unauthorized, authentication: nothing is wrong with the position.
        case 13, 18, 8_000: return .transient
        case 10_334: return .unreadableEvent(token(in: error.serverMessage ?? ""))
        case 26, 260: return .collectionIsGone
        case 136, 222, 280, 286: return .positionIsLost
        default: break
        }
        if error.hasLabel("NonResumableChangeStreamError") { return .positionIsLost }
        if error.hasLabel("ResumableChangeStreamError") || error.hasLabel("RetryableWriteError") { return .transient }
        return transientCodes.contains(error.serverCode ?? 0) ? .transient : .unclear
    }

    /// A server that goes, comes, or is no longer the primary; a cursor that was killed.
    private static let transientCodes: Set<Int32> = [
        6, 7, 11, 43, 63, 89, 91, 133, 150, 189, 202, 234, 237, 262, 50, 290, 317, 358, 384, 9_001, 10_107, 11_600, 11_601, 11_602,
        13_388, 13_435, 13_436,
    ]

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
