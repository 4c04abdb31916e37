// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import SocketIOText

/// Answers browsers that ask whether a page may connect (Fetch standard, "CORS protocol").
enum CORSPolicy {
    /// The header fields that let the page read a response; none if it may not.
    ///
    /// - Parameter origin: The request's `Origin`.
    static func headers(for origin: String?, cors: EngineCORS?) -> HTTPHeaders {
        guard let cors else { return [:] }
        var headers: HTTPHeaders = [:]
        if case .any = cors.origins, !cors.credentials {
            headers.add(name: "Access-Control-Allow-Origin", value: "*")
        } else {
            // The answer depends on the origin, so a cache must not give it to another.
            headers.add(name: "Vary", value: "Origin")
            guard let origin, cors.origins.contains(origin) else { return headers }
            headers.add(name: "Access-Control-Allow-Origin", value: origin)
            if cors.credentials { headers.add(name: "Access-Control-Allow-Credentials", value: "true") }
        }
        if !cors.exposedHeaders.isEmpty {
            headers.add(name: "Access-Control-Expose-Headers", value: cors.exposedHeaders.joined(separator: ","))
        }
        return headers
    }

    /// The header fields of the answer to a preflight.
    static func preflightHeaders(for head: HTTPRequestHead, cors: EngineCORS?) -> HTTPHeaders {
        var result = headers(for: head.headers.first(name: "origin"), cors: cors)
        result.remove(name: "Access-Control-Expose-Headers")
        guard let cors, result.contains(name: "Access-Control-Allow-Origin") else { return result }
        result.add(name: "Access-Control-Allow-Methods", value: cors.methods.joined(separator: ","))
        if let allowed = cors.allowedHeaders {
            result.add(name: "Access-Control-Allow-Headers", value: allowed.joined(separator: ","))
        } else if let requested = head.headers.first(name: "access-control-request-headers") {
            result.add(name: "Vary", value: "Access-Control-Request-Headers")
            result.add(name: "Access-Control-Allow-Headers", value: requested)
        }
        if let maxAge = cors.maxAge { result.add(name: "Access-Control-Max-Age", value: "\(maxAge.components.seconds)") }
        return result
    }

    /// Whether a page may open a WebSocket: one of the same host, or one of an allowed origin.
    ///
    /// - Parameters:
    ///   - origin: The request's `Origin`.
    ///   - host: The request's `Host`.
    ///   - isSecure: Whether the connection is one over TLS.
    ///   - cors: The origins that are allowed.
    ///   - forwarded: What a trusted proxy says about the request; nil if there is none.
    static func allowsWebSocket(
        from origin: String,
        to host: String?,
        isSecure: Bool,
        cors: EngineCORS?,
        forwarded: ForwardedRequest?
    ) -> Bool {
        if let cors, cors.origins.contains(origin) { return true }
        guard let page = WebOrigin(origin) else { return false }
        let isSecure = isSecure || forwarded?.isSecure == true
        if let host, page.isOrigin(of: host, isSecure: isSecure) { return true }
        return forwarded?.hosts.contains { page.isOrigin(of: $0, isSecure: isSecure) } ?? false
    }
}

extension EngineCORS.Origins {
    /// Whether this origin is one of them. `null`, which any sandboxed page has, only if it is named.
    func contains(_ origin: String) -> Bool {
        switch self {
        case .any: true
        case .exactly(let origins): origins.contains(origin)
        case .matching(let predicate): predicate(origin)
        }
    }
}
