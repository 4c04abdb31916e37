// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

extension EngineHTTPHandler {
    // MARK: Reading a request

    /// What the request is; nil if it is not ours.
    func kind(of head: HTTPRequestHead) -> Kind? {
        let path = head.path
        guard head.namesOneHost else { return .refused(EngineRefusal(.badRequest, context: "a request must name one host")) }
        guard path.utf8.elementsEqual(loop.context.pathBytes) else { return otherKind(of: head, path: path) }
        switch EngineRoute.find(head, configuration: configuration) {
        case .failure(let refusal): return .refused(refusal)
        case .success(.preflight): return .preflight
        case .success(.handshake(let transport)):
            if loop.context.registry.isDraining { return .refused(.unavailable) }
            return (transport == .websocket ? originRefusal(head) : nil) ?? .handshake(transport)
        case .success(.poll(let sid)): return loop.context.registry.find(sid).map { .poll($0) } ?? unknownSID()
        case .success(.post(let sid)): return loop.context.registry.find(sid).map { .post($0) } ?? unknownSID()
        case .success(.upgrade(let sid)):
            return originRefusal(head) ?? loop.context.registry.find(sid).map { .upgrade($0) } ?? unknownSID()
        }
    }

    /// Files below the engine's path, and the 404 for everything if nobody else answers.
    private func otherKind(of head: HTTPRequestHead, path: Substring) -> Kind? {
        if let responder = configuration.responder, path.utf8.starts(with: loop.context.pathBytes),
            let request = try? HTTPRequest(head, secure: isSecure, splitCookie: false), let response = responder(request)
        {
            return .other(response)
        }
        return passesOthersOn ? nil : .other(.notFound)
    }

    private func unknownSID() -> Kind {
        if loop.context.registry.shouldLogUnknownSID() {
            loop.context.logger.warning(
                """
                A request named a session that this process does not have; it was answered 400 "Session ID unknown". If there are many \
                (see the counter engineio_unknown_sid), the requests of one client reach different processes: enable sticky sessions \
                in the load balancer, or let clients use the websocket transport only. This is logged once.
                """
            )
        }
        return .refused(.unknownSID)
    }

    /// CORS does not protect WebSockets, so their `Origin` is checked here (cross-site WebSocket hijacking).
    private func originRefusal(_ head: HTTPRequestHead) -> Kind? {
        if CORSPolicy.allowsWebSocket(head, isSecure: isSecure, cors: configuration.cors) { return nil }
        return .refused(EngineRefusal(.forbidden, context: "origin not allowed"))
    }

    /// The head of a request of ours has arrived.
    func begin(_ request: Request) {
        startTimeout(configuration.limits.bodyTimeout)
        let length = request.head.headers.first(name: "content-length").flatMap(Int.init) ?? 0
        guard length <= configuration.maxHTTPBufferSize else {
            state = .reading(request)
            if case .post(let handle) = request.kind { announcePost(request, to: handle) }
            return payloadTooLarge(request)
        }
        state = .reading(request)
        guard case .post(let handle) = request.kind else { return }
        announcePost(request, to: handle)
        if request.head.headers.first(name: "expect")?.utf8.isLowercase("100-continue") == true {
            context?.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
    }

    private func announcePost(_ request: Request, to handle: SessionHandle) {
        guard let exchange = exchange(for: request) else { return }
        let type = request.head.headers.first(name: "content-type") ?? ""
        let isBinary = type.utf8.prefix(24).isLowercase("application/octet-stream")
        tell(handle) { $0.postArrived(exchange, isBinary: isBinary) }
    }

    private func exchange(for request: Request) -> PollingExchange? {
        PollingExchange(home: loop.handle, handler: NIOLoopBound(self, eventLoop: loop.eventLoop), id: request.id)
    }

    /// More of a body has arrived. `state` does not hold the request meanwhile, so that its body grows in place.
    func append(_ bytes: ByteBuffer, to request: consuming Request) {
        var request = request
        if case .post = request.kind {
        } else {
            // A body that means nothing is read only as far as it is harmless.
            request.body.clear()
        }
        guard request.body.readableBytes + bytes.readableBytes <= configuration.maxHTTPBufferSize else { return payloadTooLarge(request) }
        request.body.writeImmutableBuffer(bytes)
        state = .reading(request)
    }

    private func payloadTooLarge(_ request: Request) {
        if case .post(let handle) = request.kind { tell(handle) { $0.postFailed(request.id) } }
        state = .waiting(request)
        let refusal = EngineRefusal(.badRequest, status: .payloadTooLarge, message: "Payload too large")
        report(refusal, request)
        respond(to: request, refusal: refusal, isUnread: true)
    }

    /// A request of ours has been read.
    func ended(_ request: Request) {
        state = .waiting(request)
        loop.schedule(self, at: nil)
        if let answer = request.earlyAnswer { return self.answer(answer, to: request.id) }
        switch request.kind {
        case .refused(let refusal): refuse(refusal, request)
        case .preflight: answerPreflight(request)
        case .other(let response): answerOther(response, request)
        case .handshake(let transport): beginHandshake(request, transport)
        case .upgrade(let handle): upgrade(request, transport: .candidate(handle))
        case .poll(let handle):
            guard let exchange = exchange(for: request) else { return }
            tell(handle) { $0.pollArrived(exchange) }
        case .post(let handle):
            let (id, body) = (request.id, request.body)
            tell(handle) { $0.postCompleted(id, payload: body) }
        }
    }

    /// The session's answer to the request with this id, if that is still outstanding.
    func answer(_ answer: PollingExchange.Answer, to id: Int) {
        switch state {
        case .reading(var request) where request.id == id:
            request.earlyAnswer = answer
            state = .reading(request)
        case .waiting(let request) where request.id == id:
            switch answer {
            case .payload(let payload): respond(to: request, payload: payload)
            case .ok: respondOK(to: request)
            case .refused(let refusal): refuse(refusal, request)
            }
        default: break
        }
    }

    /// The server's channels are told to finish what they are doing.
    func quiesce() {
        if case .waiting(let request) = state, case .poll(let handle) = request.kind {
            tell(handle) { $0.quiesce() }
        }
    }

    // MARK: Handshake

    private func beginHandshake(_ request: Request, _ transport: EngineConfiguration.Transport) {
        let handshake = EngineHandshake(head: request.head, remoteAddress: context?.channel.remoteAddress, isSecure: isSecure)
        guard let allowRequest = configuration.allowRequest else { return open(request, handshake, transport) }
        let registry = loop.context.registry
        guard registry.beginHandshake(limit: configuration.limits.pendingHandshakes) else { return refuse(.unavailable, request) }
        startTimeout(configuration.limits.bodyTimeout)
        let (handler, id, eventLoop) = (NIOLoopBound(self, eventLoop: loop.eventLoop), request.id, loop.eventLoop)
        decision = Task {
            let decision = await allowRequest(handshake)
            registry.endHandshake()
            // The connection has ended; its event loop may have as well.
            guard !Task.isCancelled else { return }
            eventLoop.execute { handler.value.decided(decision, id: id, handshake: handshake, transport: transport) }
        }
    }

    private func decided(
        _ result: EngineRequestDecision,
        id: Int,
        handshake: EngineHandshake,
        transport: EngineConfiguration.Transport
    ) {
        decision = nil
        // A client that has gone meanwhile never connects.
        guard case .waiting(let request) = state, request.id == id else { return }
        loop.schedule(self, at: nil)
        switch result.outcome {
        case .allow: open(request, handshake, transport)
        case .reject(let message): refuse(EngineRefusal(.forbidden, message: message), request)
        }
    }

    private func open(_ request: Request, _ handshake: EngineHandshake, _ transport: EngineConfiguration.Transport) {
        let sid = configuration.generateID?(handshake) ?? SessionID.random()
        let session = EngineSession(id: sid, handshake: handshake, loop: loop, transport: transport == .polling ? .polling : .websocket)
        let handle = SessionHandle(home: loop.handle, session: NIOLoopBound(session, eventLoop: loop.eventLoop))
        switch loop.context.registry.insert(handle, id: sid, limit: configuration.limits.sessions) {
        case .refused: return refuse(.unavailable, request)
        case .duplicate: return refuse(EngineRefusal(.badRequest, context: "generateID made an id that is in use"), request)
        case .unfit:
            let context = "generateID made an id that is empty or longer than \(EngineConfiguration.longestID) bytes"
            return refuse(EngineRefusal(.badRequest, context: context), request)
        case .inserted: break
        }
        loop.context.metrics.sessionOpened()
        switch transport {
        case .polling:
            respond(to: request, payload: loop.context.openPacket(id: sid, transport: .polling), opened: session)
            session.didOpen()
        case .websocket: upgrade(request, transport: .opened(session))
        }
    }
}
