// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Makes the header fields and bodies of Engine.IO's answers.
struct EngineResponses {
    let configuration: EngineConfiguration
    /// The address that opened the connection.
    let address: String
    let isSecure: Bool

    /// The header fields of an accepted polling request.
    ///
    /// - Parameter session: The session that the request has opened, if it has.
    func headers(for head: HTTPRequestHead, contentType: String, opened session: EngineSession? = nil) -> HTTPHeaders {
        var headers = CORSPolicy.headers(for: head.headers.first(name: "origin"), cors: configuration.cors)
        headers.add(name: "Content-Type", value: contentType)
        headers.add(name: "Cache-Control", value: "no-store")
        addConfiguredHeaders(to: &headers, head, opened: session)
        return headers
    }

    /// The head of the answer that accepts a WebSocket handshake. Browsers refuse one that has a header field twice.
    func upgradeHead(for head: HTTPRequestHead, opened session: EngineSession?, at date: HTTPDate) -> HTTPResponseHead {
        let key = head.headers.first(name: "sec-websocket-key") ?? ""
        var headers: HTTPHeaders = ["Upgrade": "websocket", "Connection": "upgrade"]
        headers.add(name: "Sec-WebSocket-Accept", value: WebSocketHandshake.accept(key))
        let offered = WebSocketHandshake.subprotocols(head.headers["sec-websocket-protocol"]) ?? []
        if let chosen = configuration.subprotocol(of: offered, session?.handshake ?? handshake(head)) {
            headers.add(name: "Sec-WebSocket-Protocol", value: chosen)
        }
        headers.add(contentsOf: CORSPolicy.headers(for: head.headers.first(name: "origin"), cors: configuration.cors))
        addConfiguredHeaders(to: &headers, head, opened: session)
        var answer = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        answer.add(date)
        return answer
    }

    private func addConfiguredHeaders(to headers: inout HTTPHeaders, _ head: HTTPRequestHead, opened session: EngineSession?) {
        if let session { configuration.addHeaders(to: &headers, opened: session) }
        if let hook = configuration.headers { headers.add(contentsOf: hook(handshake(head))) }
    }

    /// The header fields of the answer to a preflight.
    func preflightHeaders(for head: HTTPRequestHead) -> HTTPHeaders {
        CORSPolicy.preflightHeaders(for: head, cors: configuration.cors)
    }

    /// The header fields and the body of a refusal. As in the reference server, a request that is too large gets no body.
    func refusal(_ refusal: EngineRefusal, of head: HTTPRequestHead) -> (headers: HTTPHeaders, body: ByteBuffer) {
        var headers = CORSPolicy.headers(for: head.headers.first(name: "origin"), cors: configuration.cors)
        guard refusal.status != .payloadTooLarge else { return (headers, ByteBuffer()) }
        headers.add(name: "Content-Type", value: "application/json")
        if refusal.cause == .webSocketVersion { headers.add(name: "Sec-WebSocket-Version", value: "13") }
        let message = JSONString.escape(refusal.message)
        return (headers, ByteBuffer(string: "{\"code\":\(refusal.code.rawValue),\"message\":\"\(message)\"}"))
    }

    /// The head of the answer to bytes that are not an HTTP request, which has no body and ends the connection.
    static func malformedHead(isTooLarge: Bool, at date: HTTPDate) -> HTTPResponseHead {
        let status: HTTPResponseStatus = isTooLarge ? .requestHeaderFieldsTooLarge : .badRequest
        return head(status, [:], bodySize: 0, to: .http1_1, at: date, closes: true)
    }

    /// The head of an answer.
    static func head(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders,
        bodySize: Int,
        to version: HTTPVersion,
        at date: HTTPDate,
        closes: Bool
    ) -> HTTPResponseHead {
        var head = HTTPResponseHead(version: version, status: status, headers: headers)
        head.add(date)
        if status != .noContent, status != .notModified { head.headers.add(name: "Content-Length", value: "\(bodySize)") }
        if closes {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        } else if version.minor == 0 {
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
        return head
    }

    /// The request as hooks get it.
    func handshake(_ head: HTTPRequestHead) -> EngineHandshake {
        EngineHandshake(head: head, from: address, isSecure: isSecure, trusting: configuration.trustedProxies)
    }
}

extension HTTPResponseHead {
    /// Adds the field `Date`, unless there is one (RFC 9110, section 6.6.1).
    mutating func add(_ date: HTTPDate) {
        if !headers.contains(name: "date") { headers.add(name: "Date", value: date.text) }
    }
}

extension SocketAddress? {
    /// The address without port, as ``IPAddress`` writes it; empty if there is none.
    var host: String {
        guard let text = self?.ipAddress else { return self?.pathname ?? "" }
        // A listener for both versions of IP writes addresses of version 4 like this; all others have their usual form already.
        guard text.utf8.starts(with: "::ffff:".utf8), let address = IPAddress(text) else { return text }
        return address.description
    }
}

extension EngineConfiguration {
    /// Adds the cookie, and the header fields of the first response of a session.
    func addHeaders(to headers: inout HTTPHeaders, opened session: EngineSession) {
        if let cookie { headers.add(name: "Set-Cookie", value: cookie.header(id: session.id)) }
        if let initialHeaders { headers.add(contentsOf: initialHeaders(session.handshake)) }
    }
}

extension EngineCookie {
    /// The value of the `Set-Cookie` header (RFC 6265, section 4.1).
    fileprivate func header(id: String) -> String {
        var result = "\(name)=\(id); Path=\(path)"
        if let domain { result += "; Domain=\(domain)" }
        if let maxAge { result += "; Max-Age=\(maxAge.components.seconds)" }
        if httpOnly { result += "; HttpOnly" }
        if secure { result += "; Secure" }
        if let sameSite { result += "; SameSite=\(sameSite.rawValue)" }
        return result
    }
}
