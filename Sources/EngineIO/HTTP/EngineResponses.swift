// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Makes the header fields and bodies of Engine.IO's answers.
struct EngineResponses {
    let configuration: EngineConfiguration
    let remoteAddress: SocketAddress?
    let isSecure: Bool

    /// The header fields of an accepted polling request.
    ///
    /// - Parameter session: The session that the request has opened, if it has.
    func headers(for head: HTTPRequestHead, contentType: String, opened session: EngineSession? = nil) -> HTTPHeaders {
        var headers = CORSPolicy.headers(for: head, cors: configuration.cors)
        headers.add(name: "Content-Type", value: contentType)
        headers.add(name: "Cache-Control", value: "no-store")
        addConfiguredHeaders(to: &headers, head, opened: session)
        return headers
    }

    /// The header fields of an accepted WebSocket handshake.
    ///
    /// - Parameter accepted: `Connection`, `Upgrade` and `Sec-WebSocket-Accept`. Browsers refuse an answer that has them twice.
    func upgradeHeaders(for head: HTTPRequestHead, accepted: HTTPHeaders, opened session: EngineSession?) -> HTTPHeaders {
        var headers = accepted
        headers.add(contentsOf: CORSPolicy.headers(for: head, cors: configuration.cors))
        addConfiguredHeaders(to: &headers, head, opened: session)
        return headers
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
        var headers = CORSPolicy.headers(for: head, cors: configuration.cors)
        guard refusal.status != .payloadTooLarge else { return (headers, ByteBuffer()) }
        headers.add(name: "Content-Type", value: "application/json")
        let message = JSONString.escape(refusal.message)
        return (headers, ByteBuffer(string: "{\"code\":\(refusal.code.rawValue),\"message\":\"\(message)\"}"))
    }

    /// The head of an answer.
    static func head(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders,
        bodySize: Int,
        to version: HTTPVersion,
        closes: Bool
    ) -> HTTPResponseHead {
        var head = HTTPResponseHead(version: version, status: status, headers: headers)
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
        EngineHandshake(head: head, remoteAddress: remoteAddress, isSecure: isSecure)
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
