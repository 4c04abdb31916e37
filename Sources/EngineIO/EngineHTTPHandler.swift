import Logging
import NIOCore
import NIOHTTP1
import SocketIOCore

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
    /// Somebody else wanted the connection to end while it was not theirs.
    private(set) var closesWhenDone = false
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
        case .reading, .waiting: true
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
        connectionGone()
        context.fireChannelInactive()
    }

    private func connectionGone() {
        decision?.cancel()
        decision = nil
        loop.schedule(self, at: nil)
        let last = state
        state = .finished
        guard case .reading(let request) = last else {
            if case .waiting(let request) = last, case .poll(let handle) = request.kind {
                tell(handle) { $0.pollAborted(request.id) }
            }
            return
        }
        if case .post(let handle) = request.kind { tell(handle) { $0.postFailed(request.id) } }
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
        case .finished:
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
        case .idle, .waiting, .finished: break
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
                loop.context.logger.error("Could not add the handlers for other requests", metadata: ["error": "\(error)"])
                return context.close(promise: nil)
            }
        }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = Self.unwrapOutboundIn(data), case .passing(let closes) = state else {
            return context.write(data, promise: promise)
        }
        state = .idle
        startTimeout(configuration.limits.keepAliveTimeout)
        context.write(data, promise: promise)
        guard closes else { return }
        context.flush()
        context.close(promise: nil)
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
