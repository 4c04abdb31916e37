// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import SocketIOConcurrency

/// Serves the engine's path on an HTTP connection and passes every other request on.
///
/// The rules are those of ``HTTPConnectionStateMachine``; this performs the I/O. The pipelining handler in front lets the next request in,
/// and reads on, when it sees the end of the last answer. That end is written when the client has taken what was before it.
final class EngineHTTPHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The end of an answer of the fallback's handlers.
    private struct HeldEnd {
        let part: NIOAny
        let promise: EventLoopPromise<Void>?
    }

    private let loop: EngineLoop
    private let isSecure: Bool
    /// Whether the connection may be written to directly once it is a WebSocket.
    private let allowsDirectSocket: Bool
    private(set) var machine: HTTPConnectionStateMachine
    private let router: EngineRequestRouter
    private var pacing = AnswerPacing()
    private var context: ChannelHandlerContext?
    /// The handlers in front of this one that an upgrade removes, in the order of their removal, with the decoder last.
    var httpHandlers: [any RemovableChannelHandler] = []
    /// Runs `allowRequest`; cancelled with the connection.
    private var decision: Task<Void, Never>?
    private var fallback: (@Sendable (any Channel) throws -> Void)?
    private let hasFallback: Bool
    /// The end of an answer of the fallback's handlers, which waits until the client has taken most of it.
    private var heldEnd: HeldEnd?
    /// Compresses an answer on another thread; cancelled with the connection.
    private var compression: Compressor.Job?
    private var isCut = false
    /// The request that the fallback's handlers have, if it looks like one for an engine: they may not know it either.
    private var misdirected: HTTPRequestHead?
    /// How the first request's handshake was decided before, if it was.
    private var firstRefusal: EngineRefusal?
    /// Until when the first request's header fields must have arrived; nil for the usual time from now.
    private let headerDeadline: NIODeadline?
    var wheelPosition = TimerWheel.Position()

    init(
        loop: EngineLoop,
        isSecure: Bool,
        allowsDirectSocket: Bool,
        headerDeadline: NIODeadline? = nil,
        firstRefusal: EngineRefusal? = nil,
        fallback: (@Sendable (any Channel) throws -> Void)?
    ) {
        self.loop = loop
        self.isSecure = isSecure
        self.allowsDirectSocket = allowsDirectSocket
        self.machine = HTTPConnectionStateMachine(maximumBodySize: loop.context.configuration.maxHTTPBufferSize)
        self.router = EngineRequestRouter(engine: loop.context, isSecure: isSecure, passesOthersOn: fallback != nil)
        self.headerDeadline = headerDeadline
        self.firstRefusal = firstRefusal
        self.fallback = fallback
        self.hasFallback = fallback != nil
    }

    private var configuration: EngineConfiguration { loop.context.configuration }
    private var responses: EngineResponses { EngineResponses(configuration: configuration, address: address, isSecure: isSecure) }

    /// The address that opened the connection.
    private var address: String { context?.channel.remoteAddress.host ?? "" }

    /// Whether other handlers have been added behind this one.
    private var othersAreBehind: Bool { hasFallback && fallback == nil }

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
        connectionEnded()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.context.trimmer.connectionClosed(on: context.eventLoop, freed: machine.heldBytes)
        connectionEnded()
        context.fireChannelInactive()
    }

    private func connectionEnded() {
        decision?.cancel()
        decision = nil
        compression?.cancel()
        compression = nil
        heldEnd.take()?.promise?.fail(ChannelError.ioOnClosedChannel)
        loop.schedule(self, at: nil)
        machine.ended()?.notify(from: loop)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A request that the end of the input has cut off has no client that waits for an answer.
        let malformed = (error as? HTTPParserError).flatMap { $0 == .invalidEOFState ? nil : $0 }
        switch machine.errorCaught(isMalformed: malformed != nil) {
        case .none: break
        case .passOn: context.fireErrorCaught(error)
        case .disconnect: context.close(promise: nil)
        case .answerMalformed: answerMalformed(isTooLarge: malformed == .headerOverflow, context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ConnectionCut {
            isCut = true
            return context.close(promise: nil)
        }
        // Other servers' idle and quiescing handlers must not cut a request of ours.
        if !machine.ownsRequest { context.fireUserInboundEventTriggered(event) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        releaseEnd(context: context)
        guard machine.ownsRequest, othersAreBehind, !isCut else { return context.close(mode: mode, promise: promise) }
        // For them the connection is idle; it ends with our answer.
        machine.closeWhenDone()
        promise?.fail(ChannelError.operationUnsupported)
    }

    /// The client sends nothing more. The connection ends with the current answer.
    func inputClosed() {
        switch machine.inputClosed() {
        case .none: break
        case .passOn: context?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .limitWait: startTimeout(HTTPConnectionStateMachine.halfClosedTime)
        case .awaitPackets(let handle, let id): loop.perform(on: handle) { $0.pollHalfClosed(id) }
        case .disconnect: context?.close(promise: nil)
        }
    }

    /// The HTTP server shuts down.
    func quiesce() { if let handle = machine.waitingPoll { loop.perform(on: handle) { $0.quiesce() } } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): headArrived(head, context: context)
        case .body(let bytes): bodyArrived(bytes, context: context, data: data)
        case .end: endArrived(context: context, data: data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        pacing.reset()
        context.fireChannelReadComplete()
    }
}

// MARK: - Requests

extension EngineHTTPHandler {
    private func headArrived(_ received: HTTPRequestHead, context: ChannelHandlerContext) {
        guard machine.isIdle else { return }
        var head = received
        let decided = firstRefusal.take().map { EngineRequest.Kind.refused($0) }
        guard let kind = decided ?? router.kind(of: &head, from: { address }) else { return passOn(head, context: context) }
        let request = EngineRequest(id: PollingExchange.nextID(), head: head, kind: kind)
        startTimeout(configuration.limits.bodyTimeout)
        let isReadable = machine.begin(request)
        if case .post(let handle) = kind { announcePost(request, to: handle) }
        guard isReadable else { return refuseBody() }
        if case .post = kind, head.headers.first(name: "expect")?.utf8.isLowercase("100-continue") == true {
            context.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
    }

    private func announcePost(_ request: EngineRequest, to handle: SessionHandle) {
        let (exchange, isBinary) = (exchange(for: request), request.isOctetStream)
        loop.perform(on: handle) { $0.postArrived(exchange, isBinary: isBinary) }
    }

    private func exchange(for request: EngineRequest) -> PollingExchange {
        PollingExchange(home: loop.handle, handler: NIOLoopBound(self, eventLoop: loop.eventLoop), id: request.id)
    }

    private func passOn(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        machine.pass(closes: head.asksForUpgrade || !head.isKeepAlive)
        misdirected = head.looksLikeEngineIO ? head : nil
        loop.schedule(self, at: nil)
        if let fallback = fallback.take() {
            do { try fallback(context.channel) } catch {
                loop.context.logFallbackFailure(error)
                return context.close(promise: nil)
            }
        }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }

    private func bodyArrived(_ bytes: ByteBuffer, context: ChannelHandlerContext, data: NIOAny) {
        switch machine.bodyArrived(bytes) {
        case .none: break
        case .passOn: context.fireChannelRead(data)
        case .refuse: refuseBody()
        case .disconnect: context.close(promise: nil)
        }
    }

    private func refuseBody() {
        guard let request = machine.refuseBody() else { return }
        if case .post(let handle) = request.kind { loop.perform(on: handle) { $0.postRefused(request.id) } }
        refuse(EngineRefusal(.bodyTooLarge), request, isUnread: true)
    }

    private func endArrived(context: ChannelHandlerContext, data: NIOAny) {
        switch machine.endArrived() {
        case .none: break
        case .passOn: context.fireChannelRead(data)
        case .process(let request):
            loop.schedule(self, at: nil)
            process(request)
        case .answer(let request, let answer):
            loop.schedule(self, at: nil)
            respond(to: request, answer)
        }
    }

    private func process(_ request: EngineRequest) {
        switch request.kind {
        case .refused(let refusal): refuse(refusal, request)
        case .preflight: send(.noContent, responses.preflightHeaders(for: request.head), ByteBuffer(), request)
        case .other(let response):
            let head = HTTPResponseHead(response.head)
            send(head.status, head.headers, response.body, request)
        case .handshake(let transport): beginHandshake(request, transport)
        case .upgrade(let handle): upgrade(request, .candidate(handle))
        case .poll(let handle):
            let exchange = exchange(for: request)
            loop.perform(on: handle) { $0.pollArrived(exchange) }
        case .post(let handle):
            let (id, body) = (request.id, request.body)
            loop.perform(on: handle) { $0.postCompleted(id, payload: body) }
        }
    }
}

// MARK: - Handshakes

extension EngineHTTPHandler {
    private func beginHandshake(_ request: EngineRequest, _ transport: EngineConfiguration.Transport) {
        let handshake = responses.handshake(request.head)
        guard let allowRequest = configuration.allowRequest else { return open(request, handshake, transport) }
        let (handler, id, limits) = (NIOLoopBound(self, eventLoop: loop.eventLoop), request.id, configuration.limits)
        decision = loop.context.registry.decide(handshake, allowRequest, limit: limits.pendingHandshakes, on: loop.eventLoop) {
            handler.value.decided($0, id: id, handshake: handshake, transport: transport)
        }
        guard decision == nil else { return startTimeout(limits.bodyTimeout) }
        refuse(EngineRefusal(loop.context.registry.isDraining ? .draining : .tooManyPending), request)
    }

    private func decided(
        _ result: EngineRequestDecision,
        id: Int,
        handshake: EngineHandshake,
        transport: EngineConfiguration.Transport
    ) {
        decision = nil
        // A client that has disconnected meanwhile never connects.
        guard let request = machine.waitingRequest(id) else { return }
        loop.schedule(self, at: nil)
        switch result.outcome {
        case .allow: open(request, handshake, transport)
        case .reject(let message): refuse(EngineRefusal(.rejected, message: message), request)
        }
    }

    private func open(_ request: EngineRequest, _ handshake: EngineHandshake, _ transport: EngineConfiguration.Transport) {
        switch (loop.openSession(handshake, over: transport), transport) {
        case (.failure(let refusal), _): refuse(refusal, request)
        case (.success(let session), .polling):
            respond(to: request, payload: loop.context.openPacket(id: session.id, transport: .polling), opened: session)
            session.didOpen()
        case (.success(let session), .websocket): upgrade(request, .opened(session))
        }
    }

    private func upgrade(_ request: EngineRequest, _ target: WebSocketUpgrade.Target) {
        guard let context, machine.beginUpgrade() else { return target.opened?.discard(.transportError) ?? () }
        let upgrade = WebSocketUpgrade(loop: loop, isSecure: isSecure, target: target)
        loop.schedule(self, at: nil)
        let socket = DirectSocket(isAllowed: allowsDirectSocket)
        guard let webSocket = upgrade.addHandler(after: self, socket, othersAreBehind: othersAreBehind, context: context) else {
            return context.close(promise: nil)
        }
        let head = responses.upgradeHead(for: request.head, opened: target.opened, at: loop.date())
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        defer { httpHandlers = [] }
        upgrade.removeHTTPHandlers([self] + httpHandlers, before: webSocket, context: context)
        upgrade.attach(webSocket)
    }
}

// MARK: - Answers

extension EngineHTTPHandler {
    /// The session's answer to the request with this id, if that is still outstanding.
    func answer(_ answer: PollingExchange.Answer, to id: Int) {
        if let request = machine.answered(answer, id: id) { respond(to: request, answer) }
    }

    private func respond(to request: EngineRequest, _ answer: PollingExchange.Answer) {
        switch answer {
        case .payload(let payload): respond(to: request, payload: payload)
        case .ok: send(.ok, responses.headers(for: request.head, contentType: "text/html"), ByteBuffer(string: "ok"), request)
        case .refused(let refusal): refuse(refusal, request)
        }
    }

    private func respond(to request: EngineRequest, payload: ByteBuffer, opened session: EngineSession? = nil) {
        var headers = responses.headers(for: request.head, contentType: "text/plain; charset=UTF-8", opened: session)
        let threshold = configuration.httpCompressionThreshold ?? .max
        guard payload.readableBytes >= threshold else { return send(.ok, headers, payload, request) }
        headers.add(name: "Vary", value: "Accept-Encoding")
        guard request.head.acceptsGzip else { return send(.ok, headers, payload, request) }
        compress(payload, request, headers)
    }

    /// Sends a payload gzipped: a short one at once, a long one when another thread has compressed it, and as it is if that thread has
    /// enough to do.
    private func compress(_ payload: ByteBuffer, _ request: EngineRequest, _ headers: HTTPHeaders) {
        guard payload.readableBytes > Compressor.longestAtOnce else {
            return sendCompressed(Gzip.compress(payload), payload, request, headers)
        }
        let (bound, id) = (NIOLoopBound(self, eventLoop: loop.eventLoop), request.id)
        compression = loop.context.compressor.compress(payload, for: loop.eventLoop) { compressed in
            let handler = bound.value
            handler.compression = nil
            guard let current = handler.machine.waitingRequest(id) else { return }
            handler.sendCompressed(compressed, payload, current, headers)
        }
        if compression == nil { send(.ok, headers, payload, request) }
    }

    private func sendCompressed(_ compressed: ByteBuffer?, _ payload: ByteBuffer, _ request: EngineRequest, _ headers: HTTPHeaders) {
        guard let compressed else { return send(.ok, headers, payload, request) }
        var headers = headers
        headers.add(name: "Content-Encoding", value: "gzip")
        send(.ok, headers, compressed, request)
    }

    private func refuse(_ refusal: EngineRefusal, _ request: EngineRequest, isUnread: Bool = false) {
        loop.context.report(refusal, of: request.head, as: responses.handshake(request.head))
        let (headers, body) = responses.refusal(refusal, of: request.head)
        send(refusal.status, headers, body, request, isUnread: isUnread)
    }

    /// Answers bytes that are not an HTTP request, and ends the connection.
    private func answerMalformed(isTooLarge: Bool, context: ChannelHandlerContext) {
        loop.schedule(self, at: nil)
        machine.ended()?.notify(from: loop)
        let head = EngineResponses.malformedHead(isTooLarge: isTooLarge, at: loop.date())
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}

// MARK: - Writing

extension EngineHTTPHandler {
    private func send(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders,
        _ body: ByteBuffer,
        _ request: EngineRequest,
        isUnread: Bool = false
    ) {
        guard let context else { return }
        let sent = request.head.method == .HEAD ? ByteBuffer() : body
        let closes = machine.beginAnswer(to: request, body: sent, isUnread: isUnread)
        let (size, version, date) = (body.readableBytes, request.head.version, loop.date())
        let head = EngineResponses.head(status, headers, bodySize: size, to: version, at: date, closes: closes)
        let part = Self.wrapOutboundOut(.head(head))
        if sent.readableBytes > 0 {
            context.write(part, promise: nil)
            writePiece(of: request.id, context: context)
        } else {
            writeAndFlush(part, of: request.id, context: context)
        }
    }

    private func writePiece(of id: Int, context: ChannelHandlerContext) {
        guard let piece = machine.nextPiece() else { return }
        writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(piece))), of: id, context: context)
    }

    private func writeAndFlush(_ part: NIOAny, of id: Int, context: ChannelHandlerContext) {
        startTimeout(configuration.limits.writeTimeout)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            guard case .success = result else { return context.close(promise: nil) }
            switch self.machine.pieceWritten(of: id) {
            case .none: break
            case .writeNext: self.writePiece(of: id, context: context)
            case .end: self.ending { self.endAnswer(id, context: context) }
            }
        }
        context.writeAndFlush(part, promise: written)
    }

    private func endAnswer(_ id: Int, context: ChannelHandlerContext) {
        guard let end = machine.endAnswer(id) else { return }
        startTimeout(configuration.limits.keepAliveTimeout)
        if let handle = end.poll { loop.perform(on: handle) { $0.pollWritten(id) } }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        if end.isUnread {
            // Closing with unread bytes resets the connection, and the client may lose the answer; so it may finish what it sends.
            startTimeout(.seconds(2))
            context.close(mode: .output, promise: nil)
        } else if end.closes {
            context.close(promise: nil)
        }
    }

    /// Writes the end of an answer, from within which the next request may arrive and be answered.
    private func ending(_ end: @escaping () -> Void) {
        guard pacing.begin() else {
            return loop.eventLoop.assumeIsolated().execute {
                self.pacing.reset()
                self.ending(end)
            }
        }
        end()
        pacing.end()
    }

    // MARK: Answers of the fallback's handlers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard machine.isPassing else { return context.write(data, promise: promise) }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            if let request = misdirected.take(), head.status == .notFound { router.noteUnknownPath(request, from: { address }) }
            head.add(loop.date())
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .head, .body: context.write(data, promise: promise)
        case .end:
            heldEnd = HeldEnd(part: data, promise: promise)
            ending { if context.channel.isWritable { self.releaseEnd(context: context) } }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if machine.isPassing {
            if context.channel.isWritable {
                loop.schedule(self, at: nil)
                ending { self.releaseEnd(context: context) }
            } else {
                startTimeout(configuration.limits.writeTimeout)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// The client has taken the answer, or the handlers do not want to wait for that.
    private func releaseEnd(context: ChannelHandlerContext) {
        guard let end = heldEnd.take() else { return }
        guard let closes = machine.endPassing() else { return context.write(end.part, promise: end.promise) }
        startTimeout(configuration.limits.keepAliveTimeout)
        guard closes else { return context.writeAndFlush(end.part, promise: end.promise) }
        startTimeout(configuration.limits.writeTimeout)
        let written = end.promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(end.part, promise: written)
    }
}

// MARK: - Time

extension EngineHTTPHandler: TimerWheelItem {
    private func startTimeout(_ duration: Duration) {
        loop.schedule(self, at: loop.connectionDeadline(in: TimeAmount(duration)))
    }

    /// A request, an answer or the next request took too long.
    func deadlineReached(now: NIODeadline) {
        context?.close(promise: nil)
    }
}
