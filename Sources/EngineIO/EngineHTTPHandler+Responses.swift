import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import SocketIOCore

extension EngineHTTPHandler {
    /// Answers a polling request with packets.
    func respond(to request: Request, payload: ByteBuffer, opened session: EngineSession? = nil) {
        respond(to: request, status: .ok, contentType: "text/plain; charset=UTF-8", body: payload, opened: session, compresses: true)
    }

    /// Answers a request that came by the transport's rules.
    func respond(
        to request: Request,
        status: HTTPResponseStatus,
        contentType: String,
        body: ByteBuffer,
        opened session: EngineSession? = nil,
        compresses: Bool = false
    ) {
        var headers = CORSPolicy.headers(for: request.head, cors: configuration.cors)
        headers.add(name: "Content-Type", value: contentType)
        headers.add(name: "Cache-Control", value: "no-store")
        addConfiguredHeaders(to: &headers, request.head, opened: session)
        var body = body
        if compresses, let threshold = configuration.httpCompressionThreshold, body.readableBytes >= threshold {
            headers.add(name: "Vary", value: "Accept-Encoding")
            if request.head.acceptsGzip, let compressed = Gzip.compress(body) {
                body = compressed
                headers.add(name: "Content-Encoding", value: "gzip")
            }
        }
        send(status, headers, body, request)
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
        let headers: HTTPHeaders = ["Connection": "close", "Content-Length": "0"]
        context.write(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    // MARK: Writing

    private func send(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders,
        _ body: ByteBuffer,
        _ request: Request,
        isUnread: Bool = false
    ) {
        guard let context else { return }
        // The decoder reads nothing after a request that asked for an upgrade.
        let closes = isUnread || closesWhenDone || !request.head.isKeepAlive || request.head.asksForUpgrade
        var head = HTTPResponseHead(version: request.head.version, status: status, headers: headers)
        if status != .noContent, status != .notModified { head.headers.add(name: "Content-Length", value: "\(body.readableBytes)") }
        if closes {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        } else if request.head.version.minor == 0 {
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if body.readableBytes > 0, request.head.method != .HEAD {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        // The next request may arrive from within the write of the end.
        state = closes ? .finished : .idle
        startTimeout(configuration.limits.keepAliveTimeout)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.flush()
        if isUnread {
            // Closing with unread bytes resets the connection, and the client may lose the answer; so it may finish what it sends.
            startTimeout(.seconds(2))
            context.close(mode: .output, promise: nil)
        } else if closes {
            context.close(promise: nil)
        }
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
