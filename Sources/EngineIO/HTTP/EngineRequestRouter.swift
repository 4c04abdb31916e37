// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Logging
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Decides what a request is: which of Engine.IO's, or another handler's.
struct EngineRequestRouter {
    let engine: EngineContext
    let isSecure: Bool
    /// Whether handlers of another server answer requests to other paths.
    let passesOthersOn: Bool

    /// The kind of a request; nil if it is another handler's.
    func kind(of head: HTTPRequestHead) -> EngineRequest.Kind? {
        let path = head.path
        guard head.namesOneHost else { return .refused(EngineRefusal(.badRequest, context: "a request must name one host")) }
        guard path.utf8.elementsEqual(engine.pathBytes) else { return otherKind(of: head, path: path) }
        switch EngineRoute.find(head, configuration: engine.configuration) {
        case .failure(let refusal): return .refused(refusal)
        case .success(.preflight): return .preflight
        case .success(.handshake(let transport)):
            if engine.registry.isDraining { return .refused(.unavailable) }
            return (transport == .websocket ? originRefusal(head) : nil) ?? .handshake(transport)
        case .success(.poll(let sid)): return engine.registry.find(sid).map { .poll($0) } ?? unknownSID()
        case .success(.post(let sid)): return engine.registry.find(sid).map { .post($0) } ?? unknownSID()
        case .success(.upgrade(let sid)):
            return originRefusal(head) ?? engine.registry.find(sid).map { .upgrade($0) } ?? unknownSID()
        }
    }

    /// Files below the engine's path, and 404 for all other paths if no other handler answers them.
    private func otherKind(of head: HTTPRequestHead, path: Substring) -> EngineRequest.Kind? {
        if let responder = engine.configuration.responder, path.utf8.starts(with: engine.pathBytes),
            let request = try? HTTPRequest(head, secure: isSecure, splitCookie: false), let response = responder(request)
        {
            return .other(response)
        }
        return passesOthersOn ? nil : .other(.notFound)
    }

    private func unknownSID() -> EngineRequest.Kind {
        if engine.registry.shouldLogUnknownSID() {
            engine.logger.warning(
                """
                A request named a session that this process does not have; it was answered 400 "Session ID unknown". If the counter \
                engineio_requests_refused_total with the reason unknown_sid grows, requests of one client reach different processes: \
                enable sticky sessions in the load balancer, or let clients use the websocket transport only. This is logged once.
                """
            )
        }
        return .refused(.unknownSID)
    }

    /// CORS does not protect WebSockets, so their `Origin` is checked here (cross-site WebSocket hijacking).
    private func originRefusal(_ head: HTTPRequestHead) -> EngineRequest.Kind? {
        if CORSPolicy.allowsWebSocket(head, isSecure: isSecure, cors: engine.configuration.cors) { return nil }
        return .refused(EngineRefusal(.forbidden, context: "origin not allowed"))
    }
}
