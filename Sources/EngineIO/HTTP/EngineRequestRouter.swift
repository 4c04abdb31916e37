// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Decides what a request is: which of Engine.IO's, or another handler's.
struct EngineRequestRouter {
    let engine: EngineContext
    let isSecure: Bool
    /// Whether handlers of another server answer requests to other paths.
    let passesOthersOn: Bool

    /// The kind of a request; nil if it is another handler's.
    ///
    /// - Parameters:
    ///   - head: The request. A target in absolute form is replaced by one in origin form.
    ///   - address: Returns the address that opened the connection.
    func kind(of head: inout HTTPRequestHead, from address: () -> String) -> EngineRequest.Kind? {
        guard head.namesOneHost, head.resolveAbsoluteForm() else { return .refused(EngineRefusal(.host)) }
        let path = head.path
        if path.utf8.count > engine.pathBytes.count, let response = ownResponse(to: head, path: path) { return .other(response) }
        guard engine.serves(path) else { return otherKind(of: head, from: address) }
        switch EngineRoute.find(head, configuration: engine.configuration) {
        case .failure(let refusal): return .refused(refusal)
        case .success(.preflight):
            // A preflight asks for permission; the request that it is for is not sent without.
            noteUnreadable(head, from: address, isCounted: false)
            return .preflight
        case .success(.handshake(let transport)):
            if engine.registry.isDraining { return .refused(EngineRefusal(.draining)) }
            guard transport == .websocket else {
                noteUnreadable(head, from: address)
                return .handshake(transport)
            }
            if let cause = originProblem(head, from: address) ?? head.webSocketProblem { return .refused(EngineRefusal(cause)) }
            return .handshake(transport)
        case .success(.poll(let sid)): return engine.registry.find(sid).map { .poll($0) } ?? .refused(EngineRefusal(.unknownSID))
        case .success(.post(let sid)): return engine.registry.find(sid).map { .post($0) } ?? .refused(EngineRefusal(.unknownSID))
        case .success(.upgrade(let sid)):
            if let cause = originProblem(head, from: address) { return .refused(EngineRefusal(cause)) }
            guard let session = engine.registry.find(sid) else { return .refused(EngineRefusal(.unknownSID)) }
            return head.webSocketProblem.map { .refused(EngineRefusal($0)) } ?? .upgrade(session)
        }
    }

    /// The answer of the configuration's responder to a request below the engine's path.
    private func ownResponse(to head: HTTPRequestHead, path: Substring) -> EngineHTTPResponse? {
        guard let responder = engine.configuration.responder, path.utf8.starts(with: engine.pathBytes),
            let request = try? HTTPRequest(head, secure: isSecure, splitCookie: false)
        else { return nil }
        return responder(request)
    }

    /// Other handlers' requests, and 404 if there are none.
    private func otherKind(of head: HTTPRequestHead, from address: () -> String) -> EngineRequest.Kind? {
        guard !passesOthersOn else { return nil }
        if head.looksLikeEngineIO { noteUnknownPath(head, from: address) }
        return .other(.notFound)
    }

    /// Notes that a request which looks like one for an engine has been answered 404.
    func noteUnknownPath(_ head: HTTPRequestHead, from address: () -> String) { note(.unknownPath, head, from: address) }

    // MARK: Origins

    /// CORS does not protect WebSockets, so their `Origin` is checked here (cross-site WebSocket hijacking).
    private func originProblem(_ head: HTTPRequestHead, from address: () -> String) -> RefusalCause? {
        let origins = head.headers["origin"]
        guard let origin = origins.first else { return nil }
        // No browser sends two.
        return origins.count == 1 && isAllowed(origin, head, from: address) ? nil : .origin
    }

    private func isAllowed(_ origin: String, _ head: HTTPRequestHead, from address: () -> String) -> Bool {
        CORSPolicy.allowsWebSocket(
            from: origin,
            to: head.headers.first(name: "host"),
            isSecure: isSecure,
            cors: engine.configuration.cors,
            forwarded: engine.proxies.isEmpty ? nil : ForwardedRequest(from: address(), trusting: engine.proxies) { head.headers[$0] }
        )
    }

    /// Notes that a page polls, but cannot read the answers.
    private func noteUnreadable(_ head: HTTPRequestHead, from address: () -> String, isCounted: Bool = true) {
        guard let origin = head.headers.first(name: "origin"), !isAllowed(origin, head, from: address) else { return }
        note(.unreadable, head, from: address, isCounted: isCounted)
    }

    private func note(_ cause: RefusalCause, _ head: HTTPRequestHead, from address: () -> String, isCounted: Bool = true) {
        let client = EngineHandshake.address(of: head, from: address(), trusting: engine.proxies)
        engine.note(EngineRefusal(cause), of: head, from: client, isCounted: isCounted)
    }
}
