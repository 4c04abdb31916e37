// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

extension EngineHTTPHandler {
    /// Answers a polling request with packets.
    func respond(to request: Request, payload: ByteBuffer, opened session: EngineSession? = nil) {
        var headers = headers(for: request, contentType: "text/plain; charset=UTF-8", opened: session)
        guard let threshold = configuration.httpCompressionThreshold, payload.readableBytes >= threshold else {
            return send(.ok, headers, payload, request)
        }
        headers.add(name: "Vary", value: "Accept-Encoding")
        guard request.head.acceptsGzip else { return send(.ok, headers, payload, request) }
        compress(payload, request, headers)
    }

    /// Answers a POST that was accepted.
    func respondOK(to request: Request) {
        send(.ok, headers(for: request, contentType: "text/html"), ByteBuffer(string: "ok"), request)
    }

    private func headers(for request: Request, contentType: String, opened session: EngineSession? = nil) -> HTTPHeaders {
        var headers = CORSPolicy.headers(for: request.head, cors: configuration.cors)
        headers.add(name: "Content-Type", value: contentType)
        headers.add(name: "Cache-Control", value: "no-store")
        addConfiguredHeaders(to: &headers, request.head, opened: session)
        return headers
    }

    /// Sends a payload gzipped: a short one at once, a long one when another thread has compressed it, and as it is if that has enough to do.
    private func compress(_ payload: ByteBuffer, _ request: Request, _ headers: HTTPHeaders) {
        guard payload.readableBytes > Compressor.longestAtOnce else {
            return sendCompressed(Gzip.compress(payload), payload, request, headers)
        }
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        compression = loop.context.compressor.compress(payload, for: loop.eventLoop) { compressed in
            let handler = bound.value
            handler.compression = nil
            guard case .waiting(let current) = handler.state, current.id == request.id else { return }
            handler.sendCompressed(compressed, payload, current, headers)
        }
        if compression == nil { send(.ok, headers, payload, request) }
    }

    private func sendCompressed(_ compressed: ByteBuffer?, _ payload: ByteBuffer, _ request: Request, _ headers: HTTPHeaders) {
        guard let compressed else { return send(.ok, headers, payload, request) }
        var headers = headers
        headers.add(name: "Content-Encoding", value: "gzip")
        send(.ok, headers, compressed, request)
    }

    /// The cookie and the hooks' header fields.
    func addConfiguredHeaders(to headers: inout HTTPHeaders, _ head: HTTPRequestHead, opened session: EngineSession?) {
        if let session {
            if let cookie = configuration.cookie { headers.add(name: "Set-Cookie", value: cookie.header(id: session.id)) }
            if let hook = configuration.initialHeaders { headers.add(contentsOf: hook(session.handshake)) }
        }
        guard let hook = configuration.headers else { return }
        headers.add(contentsOf: hook(EngineHandshake(head: head, remoteAddress: context?.channel.remoteAddress, isSecure: isSecure)))
    }

    func answerPreflight(_ request: Request) {
        send(.noContent, CORSPolicy.preflightHeaders(for: request.head, cors: configuration.cors), ByteBuffer(), request)
    }

    func answerOther(_ response: HTTPServerResponse, _ request: Request) {
        let head = HTTPResponseHead(response.head)
        send(head.status, head.headers, response.body, request)
    }

    // MARK: Refusals

    func refuse(_ refusal: EngineRefusal, _ request: Request) {
        report(refusal, request)
        respond(to: request, refusal: refusal)
    }

    func report(_ refusal: EngineRefusal, _ request: Request) {
        loop.context.metrics.requestRefused(unknownSID: refusal.code == .unknownSID)
        loop.context.logger.trace("Refused a request", metadata: ["message": "\(refusal.message)", "context": "\(refusal.context)"])
        guard let connectionError = configuration.connectionError else { return }
        let handshake = EngineHandshake(head: request.head, remoteAddress: context?.channel.remoteAddress, isSecure: isSecure)
        connectionError(
            EngineConnectionError(code: refusal.code, message: refusal.message, context: refusal.context, request: handshake)
        )
    }

    func respond(to request: Request, refusal: EngineRefusal, isUnread: Bool = false) {
        var headers = CORSPolicy.headers(for: request.head, cors: configuration.cors)
        headers.add(name: "Content-Type", value: "application/json")
        let body = ByteBuffer(string: "{\"code\":\(refusal.code.rawValue),\"message\":\"\(JSONString.escape(refusal.message))\"}")
        send(refusal.status, headers, body, request, isUnread: isUnread)
    }

    /// Answers bytes that are no HTTP request, and ends the connection.
    func answerMalformed(_ error: HTTPParserError) {
        guard let context else { return }
        let status: HTTPResponseStatus = error == .headerOverflow ? .requestHeaderFieldsTooLarge : .badRequest
        let last = state
        state = .finished
        loop.schedule(self, at: nil)
        // The session of a POST that cannot be read, or of a poll whose connection breaks, has lost its transport.
        if case .reading(let request) = last, case .post(let handle) = request.kind { tell(handle) { $0.postFailed(request.id) } }
        if case .waiting(let request) = last {
            if case .poll(let handle) = request.kind { tell(handle) { $0.pollAborted(request.id) } }
            return context.close(promise: nil)
        }
        // What is left of a request when its connection ends is not a request, and no client waits for an answer.
        guard context.channel.isActive else { return }
        let headers: HTTPHeaders = ["Connection": "close", "Content-Length": "0"]
        context.write(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}

extension EngineCookie {
    /// The value of the `Set-Cookie` header (RFC 6265, section 4.1).
    func header(id: String) -> String {
        var result = "\(name)=\(id); Path=\(path)"
        if let domain { result += "; Domain=\(domain)" }
        if let maxAge { result += "; Max-Age=\(maxAge.components.seconds)" }
        if httpOnly { result += "; HttpOnly" }
        if secure { result += "; Secure" }
        if let sameSite { result += "; SameSite=\(sameSite.rawValue)" }
        return result
    }
}
