// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOHTTP1

/// Serves the engine's path on an HTTP connection and passes every other request on.
///
/// The pipelining handler in front lets one request in at a time, so at most one is outstanding here.
final class EngineHTTPHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What a request of ours turned out to be.
    enum Kind {
        case refused(EngineRefusal)
        case preflight
        case handshake(EngineConfiguration.Transport)
        case poll(SessionHandle)
        case post(SessionHandle)
        case upgrade(SessionHandle)
        /// An answer of the configuration's `responder`, or 404.
        case other(HTTPServerResponse)
    }

    /// A request of ours.
    struct Request {
        let id: Int
        let head: HTTPRequestHead
        var kind: Kind
        var body = ByteBuffer()
        /// An answer that came before the request had been read.
        var earlyAnswer: PollingExchange.Answer?
    }

    enum State {
        /// Between requests.
        case idle
        /// A request of ours is being read.
        case reading(Request)
        /// A request of ours waits for its answer.
        case waiting(Request)
        /// The answer to a request of ours is being written.
        case writing(Answer)
        /// The fallback's handlers have a request; `closes` if none can follow on this connection.
        case passing(closes: Bool)
        /// Nothing is expected of this handler any more.
        case finished
    }

    let loop: EngineLoop
    let isSecure: Bool
    /// Whether there are no handlers but TLS between this one and the network once the connection is a WebSocket.
    let ownsPipeline: Bool
    var state = State.idle
    var context: ChannelHandlerContext?
    /// The handlers in front of this one that an upgrade removes, in the order of their removal.
    var httpHandlers: [any RemovableChannelHandler] = []
    /// Runs `allowRequest`; cancelled with the connection.
    var decision: Task<Void, Never>?
    private var fallback: (@Sendable (any Channel) throws -> Void)?
    private let hasFallback: Bool
    /// The end of an answer of the fallback's handlers, which waits until the client has taken most of it.
    var heldEnd: HeldEnd?
    /// Whether the end of an answer is being written, from within which the next request arrives.
    private var isEnding = false
    /// The answers since the last read began.
    private var answersAtOnce = 0
    /// How many answers a connection may have before others get their turn.
    private static let mostAnswersAtOnce = 16
    /// Compresses an answer on another thread; cancelled with the connection.
    var compression: Compressor.Job?
    /// Somebody else wanted the connection to end while it was not theirs.
    var closesWhenDone = false
    private var isCut = false
    /// Bytes that came after the connection's last answer.
    private var unwanted = 0
    var wheelPosition = TimerWheel.Position()

    /// Until when the first request's header fields must be here; nil for the usual time from now.
    var headerDeadline: NIODeadline?

    init(loop: EngineLoop, isSecure: Bool, ownsPipeline: Bool, fallback: (@Sendable (any Channel) throws -> Void)?) {
        self.loop = loop
        self.isSecure = isSecure
        self.ownsPipeline = ownsPipeline
        self.fallback = fallback
        self.hasFallback = fallback != nil
    }

    var configuration: EngineConfiguration { loop.context.configuration }

    /// Whether what happens on the connection concerns a request of ours.
    var ownsRequest: Bool {
        switch state {
        case .reading, .waiting, .writing: true
        case .idle, .passing, .finished: false
        }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if let headerDeadline {
            loop.schedule(self, at: headerDeadline)
        } else {
            startTimeout(configuration.limits.headerTimeout)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connectionGone()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.context.trimmer.connectionClosed(on: context.eventLoop, freed: heldBytes)
        connectionGone()
        context.fireChannelInactive()
    }

    private func connectionGone() {
        decision?.cancel()
        decision = nil
        compression?.cancel()
        compression = nil
        heldEnd.take()?.promise?.fail(ChannelError.ioOnClosedChannel)
        loop.schedule(self, at: nil)
        let last = state
        state = .finished
        switch last {
        case .reading(let request):
            if case .post(let handle) = request.kind { tell(handle) { $0.postFailed(request.id) } }
        case .waiting(let request):
            if case .poll(let handle) = request.kind { tell(handle) { $0.pollAborted(request.id) } }
        case .writing(let answer):
            if let handle = answer.poll { tell(handle) { $0.pollAborted(answer.id) } }
        case .idle, .passing, .finished: break
        }
    }

    /// What the connection keeps for its request and answer, in bytes.
    private var heldBytes: Int {
        switch state {
        case .reading(let request), .waiting(let request): request.body.readableBytes
        case .writing(let answer): answer.size
        case .idle, .passing, .finished: 0
        }
    }

    /// Runs `work` on the session's event loop, after everything told before.
    func tell(_ handle: SessionHandle, _ work: @escaping @Sendable (EngineSession) -> Void) {
        loop.perform(on: handle.home) { _ in work(handle.session.value) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (state, error) {
        case (.passing, _): context.fireErrorCaught(error)
        case (.idle, let error as HTTPParserError), (.reading, let error as HTTPParserError), (.waiting, let error as HTTPParserError):
            answerMalformed(error)
        default: context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ConnectionCut {
            isCut = true
            return context.close(promise: nil)
        }
        // Other servers' idle and quiescing handlers must not cut a request of ours.
        guard !ownsRequest else { return }
        context.fireUserInboundEventTriggered(event)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        releaseEnd(context: context)
        guard ownsRequest, othersAreBehind, !isCut else { return context.close(mode: mode, promise: promise) }
        // For them the connection is idle; it ends with our answer.
        closesWhenDone = true
        promise?.fail(ChannelError.operationUnsupported)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): headArrived(head, context: context)
        case .body(let bytes): bodyArrived(bytes, context: context, data: data)
        case .end: endArrived(context: context, data: data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        answersAtOnce = 0
        context.fireChannelReadComplete()
    }

    private func headArrived(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        guard let kind = kind(of: head) else { return passOn(head, context: context) }
        begin(Request(id: PollingExchange.nextID(), head: head, kind: kind))
    }

    private func bodyArrived(_ bytes: ByteBuffer, context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passing: context.fireChannelRead(data)
        case .reading(let request):
            state = .idle
            append(bytes, to: request)
        case .finished, .writing:
            // The rest of a body that was refused is read so that the client gets the answer, but not without end.
            unwanted += bytes.readableBytes
            if unwanted > configuration.maxHTTPBufferSize { context.close(promise: nil) }
        case .idle, .waiting: break
        }
    }

    private func endArrived(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passing: context.fireChannelRead(data)
        case .reading(let request): ended(request)
        case .idle, .waiting, .writing, .finished: break
        }
    }

    // MARK: Everybody else's requests

    private func passOn(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        state = .passing(closes: head.asksForUpgrade || !head.isKeepAlive)
        loop.schedule(self, at: nil)
        if let fallback {
            self.fallback = nil
            do {
                try fallback(context.channel)
            } catch {
                loop.context.logFallbackFailure(error)
                return context.close(promise: nil)
            }
        }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }

    /// Writes the end of an answer, from within which the next request may arrive and be answered. One at a time: a client may have sent
    /// thousands, and if each were answered from within the answer before, the stack would end. And not all at once: others wait.
    ///
    /// - Parameter end: Writes it.
    func ending(_ end: @escaping () -> Void) {
        guard !isEnding, answersAtOnce < Self.mostAnswersAtOnce else {
            return loop.eventLoop.assumeIsolated().execute {
                self.answersAtOnce = 0
                self.ending(end)
            }
        }
        answersAtOnce += 1
        isEnding = true
        end()
        isEnding = false
    }

    /// Whether other handlers have been added behind this one.
    var othersAreBehind: Bool { hasFallback && fallback == nil }

    /// Whether requests to other paths have somebody to answer them.
    var passesOthersOn: Bool { hasFallback }
}

// MARK: - Time

extension EngineHTTPHandler: TimerWheelItem {
    func startTimeout(_ duration: Duration) {
        loop.schedule(self, at: loop.eventLoop.now + TimeAmount(duration))
    }

    /// A request or its head took too long, or none came.
    func deadlineReached(now: NIODeadline) {
        context?.close(promise: nil)
    }
}

/// Told to a connection that is to end at once, whatever it carries.
struct ConnectionCut: Sendable {}

/// Sees what concerns a whole connection before the pipelining handler may keep it back.
final class EngineConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let http: EngineHTTPHandler

    init(http: EngineHTTPHandler) {
        self.http = http
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed where http.isWriting:
            http.closesWhenDone = true
        case ChannelEvent.inputClosed where http.ownsRequest:
            // A client that no longer writes cannot use its session.
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            http.quiesce()
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
