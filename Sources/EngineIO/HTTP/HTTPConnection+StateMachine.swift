// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// A request to the engine's path.
struct EngineRequest {
    /// The kinds of requests.
    enum Kind {
        case refused(EngineRefusal)
        case preflight
        case handshake(EngineConfiguration.Transport)
        case poll(SessionHandle)
        case post(SessionHandle)
        case upgrade(SessionHandle)
        /// Answered by the configuration's `responder`, or with 404.
        case other(EngineHTTPResponse)
    }

    let id: Int
    let head: HTTPRequestHead
    let kind: Kind
    fileprivate(set) var body = ByteBuffer()
    /// An answer that arrived before the request had been read.
    fileprivate var earlyAnswer: PollingExchange.Answer?

    init(id: Int, head: HTTPRequestHead, kind: Kind) {
        self.id = id
        self.head = head
        self.kind = kind
    }

    /// Whether the body is said to be binary.
    var isOctetStream: Bool {
        (head.headers.first(name: "content-type") ?? "").utf8.prefix(24).isLowercase("application/octet-stream")
    }
}

/// The rules of one HTTP connection: which request is being read, waits or is being answered, and whether another may follow.
///
/// It performs no I/O. The pipelining handler in front lets one request in at a time, so at most one is outstanding here.
struct HTTPConnectionStateMachine {
    private enum State {
        /// Between requests.
        case idle
        /// A request of ours is being read.
        case reading(EngineRequest)
        /// A request of ours waits for its answer.
        case waiting(EngineRequest)
        /// The answer to a request of ours is being written.
        case writing(Answer)
        /// The fallback's handlers have a request; `closes` if none can follow on this connection.
        case passing(closes: Bool)
        /// The last answer has been written, and the connection ends with it. `isUnread` if the client may first finish what it sends.
        case ending(isUnread: Bool)
        /// No request is read any more.
        case finished
    }

    /// An answer of ours that is being written.
    private struct Answer {
        /// The request's.
        let id: Int
        /// The session whose packets it carries.
        let poll: SessionHandle?
        /// The size of the body, in bytes.
        let size: Int
        /// The part of the body that has not been handed to the channel.
        var rest: ByteBuffer
        let closes: Bool
        /// Whether the client may still be sending its request.
        let isUnread: Bool
    }

    /// How many bytes of an answer are handed to the channel at once. The write timeout begins anew with each piece.
    static var pieceSize: Int { 256 << 10 }

    private var state = State.idle
    private let maximumBodySize: Int
    /// Bytes that arrived after the last request that is answered.
    private var unwantedBytes = 0
    /// Whether the connection ends with the current answer because another handler, or the client, wants that.
    private(set) var closesWhenDone = false
    /// Whether the client sends nothing more.
    private var inputIsClosed = false
    /// How many more pieces the body may arrive in. Chunks of a byte cost the event loop hundreds of times what the same bytes do at once.
    private var piecesLeft = 0

    /// - Parameter maximumBodySize: The largest body of a request of ours, in bytes.
    init(maximumBodySize: Int) { self.maximumBodySize = maximumBodySize }

    /// Whether another request may begin.
    var isIdle: Bool { if case .idle = state { true } else { false } }

    /// Whether an answer of ours is being written.
    var isWriting: Bool { if case .writing = state { true } else { false } }

    /// Whether the fallback's handlers have a request.
    var isPassing: Bool { if case .passing = state { true } else { false } }

    /// Whether events on the connection concern a request of ours.
    var ownsRequest: Bool {
        switch state {
        case .reading, .waiting, .writing: true
        case .idle, .passing, .ending, .finished: false
        }
    }

    /// How many bytes the connection keeps for its request and answer.
    var heldBytes: Int {
        switch state {
        case .reading(let request), .waiting(let request): request.body.readableBytes
        case .writing(let answer): answer.size
        case .idle, .passing, .ending, .finished: 0
        }
    }

    /// The request with this id, if it has been read and waits for its answer.
    func waitingRequest(_ id: Int) -> EngineRequest? {
        if case .waiting(let request) = state, request.id == id { request } else { nil }
    }

    /// The session whose poll waits.
    var waitingPoll: SessionHandle? {
        if case .waiting(let request) = state, case .poll(let handle) = request.kind { handle } else { nil }
    }
}

// MARK: - Reading

extension HTTPConnectionStateMachine {
    /// The head of a request of ours has arrived.
    ///
    /// - Returns: Whether its body may be read. Otherwise ``refuseBody()`` is next.
    mutating func begin(_ request: EngineRequest) -> Bool {
        state = .reading(request)
        piecesLeft = 1_024 + maximumBodySize / 64
        return request.head.headers.first(name: "content-length").flatMap(Int.init) ?? 0 <= maximumBodySize
    }

    /// The head of another handler's request has arrived.
    ///
    /// - Parameter closes: Whether no request can follow it.
    mutating func pass(closes: Bool) { state = .passing(closes: closes) }

    enum BodyAction {
        case none
        /// It is part of another handler's request.
        case passOn
        /// The body is too large, or in too many pieces: ``refuseBody()`` is next.
        case refuse
        /// The client sends without end.
        case disconnect
    }

    /// A part of a body has arrived.
    mutating func bodyArrived(_ bytes: ByteBuffer) -> BodyAction {
        switch state {
        case .passing: return .passOn
        case .reading(let request):
            // The state must not hold the request meanwhile, so that its body grows in place.
            state = .idle
            piecesLeft -= 1
            return append(bytes, to: request) && piecesLeft >= 0 ? .none : .refuse
        case .ending, .finished, .writing:
            // The rest of a body that was refused is read so that the client gets the answer, but not without end.
            unwantedBytes += bytes.readableBytes
            piecesLeft -= 1
            return unwantedBytes > maximumBodySize || piecesLeft < 0 ? .disconnect : .none
        case .idle, .waiting: return .none
        }
    }

    /// - Returns: Whether there was room.
    private mutating func append(_ bytes: ByteBuffer, to request: consuming EngineRequest) -> Bool {
        // The body of other requests has no meaning. It is read only up to the limit.
        if case .post = request.kind {} else { request.body.clear() }
        let fits = request.body.readableBytes + bytes.readableBytes <= maximumBodySize
        if fits { request.body.writeImmutableBuffer(bytes) }
        state = .reading(request)
        return fits
    }

    /// The body that is being read is too large: no more of it is read.
    ///
    /// - Returns: The request, which is to be answered.
    mutating func refuseBody() -> EngineRequest? {
        guard case .reading(let request) = state else { return nil }
        state = .waiting(request)
        return request
    }

    enum EndAction {
        case none
        /// It is the end of another handler's request.
        case passOn
        /// A request of ours has been read.
        case process(EngineRequest)
        /// A request of ours has been read, and its answer was there before.
        case answer(EngineRequest, PollingExchange.Answer)
    }

    /// The end of a request has arrived.
    mutating func endArrived() -> EndAction {
        switch state {
        case .passing: return .passOn
        case .reading(let request):
            state = .waiting(request)
            return request.earlyAnswer.map { .answer(request, $0) } ?? .process(request)
        case .idle, .waiting, .writing, .ending, .finished: return .none
        }
    }
}

// MARK: - Answering

extension HTTPConnectionStateMachine {
    /// The session answers a request, which may have ended meanwhile.
    ///
    /// - Returns: The request, if it is to be answered now.
    mutating func answered(_ answer: PollingExchange.Answer, id: Int) -> EngineRequest? {
        switch state {
        case .reading(var request) where request.id == id:
            request.earlyAnswer = answer
            state = .reading(request)
            return nil
        case .waiting(let request) where request.id == id: return request
        default: return nil
        }
    }

    /// An answer of ours is about to be written: its head, then pieces of the body until there are none, each when the client has taken the
    /// one before.
    ///
    /// - Parameter isUnread: Whether the client may still be sending its body.
    /// - Returns: Whether the connection ends with it.
    mutating func beginAnswer(to request: EngineRequest, body: ByteBuffer, isUnread: Bool) -> Bool {
        // NIO's decoder reads nothing after a request that asked for an upgrade.
        let closes = isUnread || closesWhenDone || !request.head.isKeepAlive || request.head.asksForUpgrade
        let poll: SessionHandle? = if case .poll(let handle) = request.kind { handle } else { nil }
        let size = body.readableBytes
        state = .writing(Answer(id: request.id, poll: poll, size: size, rest: body, closes: closes, isUnread: isUnread))
        return closes
    }

    /// The next piece of the answer's body.
    mutating func nextPiece() -> ByteBuffer? {
        guard case .writing(var answer) = state, answer.rest.readableBytes > 0 else { return nil }
        let piece = answer.rest.readSlice(length: min(Self.pieceSize, answer.rest.readableBytes))
        state = .writing(answer)
        return piece
    }

    enum PieceAction { case none, writeNext, end }

    /// The client's system has all that was written of the answer to this request.
    func pieceWritten(of id: Int) -> PieceAction {
        guard case .writing(let answer) = state, answer.id == id else { return .none }
        return answer.rest.readableBytes > 0 ? .writeNext : .end
    }

    /// The steps that follow an answer of ours.
    struct AnswerEnd {
        /// The session whose poll was answered.
        let poll: SessionHandle?
        let closes: Bool
        let isUnread: Bool
    }

    /// The client's system has all of the answer to this request. The next request may begin, and may arrive from within the write of the
    /// answer's end.
    mutating func endAnswer(_ id: Int) -> AnswerEnd? {
        guard case .writing(let answer) = state, answer.id == id else { return nil }
        let closes = answer.closes || closesWhenDone
        let isUnread = answer.isUnread && !inputIsClosed
        state = closes ? .ending(isUnread: isUnread) : .idle
        return AnswerEnd(poll: answer.poll, closes: closes, isUnread: isUnread)
    }

    /// The answer of the fallback's handlers has been written.
    ///
    /// - Returns: Whether the connection ends with it; nil if they had no request.
    mutating func endPassing() -> Bool? {
        guard case .passing(let asked) = state else { return nil }
        let closes = asked || closesWhenDone
        state = closes ? .ending(isUnread: false) : .idle
        return closes
    }
}

// MARK: - Ending

extension HTTPConnectionStateMachine {
    /// A session that has lost its request.
    enum Loss {
        case post(SessionHandle, id: Int)
        case poll(SessionHandle, id: Int)
    }

    /// The connection has ended, or carries no HTTP from now on.
    mutating func ended() -> Loss? {
        let last = state
        state = .finished
        switch last {
        case .reading(let request):
            if case .post(let handle) = request.kind { return .post(handle, id: request.id) }
        case .waiting(let request):
            if case .poll(let handle) = request.kind { return .poll(handle, id: request.id) }
        case .writing(let answer):
            if let handle = answer.poll { return .poll(handle, id: answer.id) }
        case .idle, .passing, .ending, .finished: break
        }
        return nil
    }

    /// The request becomes a WebSocket.
    ///
    /// - Returns: false if it waits no longer.
    mutating func beginUpgrade() -> Bool {
        guard case .waiting = state else { return false }
        state = .finished
        return true
    }

    enum ErrorAction {
        /// The error belongs to another handler's request.
        case passOn
        /// The bytes are not an HTTP request: answer that, then disconnect.
        case answerMalformed
        case disconnect
        /// The connection ends already, when the client has the last answer.
        case none
    }

    /// An error has occurred.
    ///
    /// - Parameter isMalformed: Whether the bytes that were read are not an HTTP request.
    func errorCaught(isMalformed: Bool) -> ErrorAction {
        switch state {
        case .passing: .passOn
        case .idle, .reading: isMalformed ? .answerMalformed : .disconnect
        // The outstanding request would get the answer.
        case .waiting, .writing, .ending(isUnread: true), .finished: .disconnect
        case .ending(isUnread: false): .none
        }
    }

    /// The connection is to end with the current answer.
    mutating func closeWhenDone() { closesWhenDone = true }

    /// How long an answer may take once its client has half-closed the connection: most clients of which that is seen are gone, and what
    /// works for them is cancelled with the connection.
    static var halfClosedTime: Duration { .seconds(5) }

    enum InputClosedAction {
        case none
        case passOn
        /// The answer takes time: wait for it, but not for long.
        case limitWait
        /// A poll of this session waits for packets: the session limits for how long.
        case awaitPackets(SessionHandle, id: Int)
        case disconnect
    }

    /// The client sends nothing more: it has half-closed the connection, or is gone, which looks the same. It gets the current answer, and then
    /// the connection ends. Requests that it has pipelined behind that one are not answered, as with any connection that closes (RFC 9112,
    /// section 9.3.2).
    mutating func inputClosed() -> InputClosedAction {
        inputIsClosed = true
        switch state {
        case .idle, .reading, .ending(isUnread: true): return .disconnect
        case .waiting(let request):
            switch request.kind {
            // A WebSocket that only listens could not answer pings.
            case .handshake(.websocket), .upgrade: return .disconnect
            case .poll(let handle):
                closesWhenDone = true
                return .awaitPackets(handle, id: request.id)
            case .post, .handshake(.polling), .preflight, .refused, .other:
                closesWhenDone = true
                return .limitWait
            }
        case .writing:
            closesWhenDone = true
            return .none
        case .passing:
            closesWhenDone = true
            return .passOn
        case .ending(isUnread: false), .finished: return .none
        }
    }
}
