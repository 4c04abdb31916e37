// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import HTTPTypes
public import NIOCore

/// An HTTP request to a path that is not the engine's.
public struct EngineHTTPRequest: Sendable {
    /// Method, path and header fields.
    public var head: HTTPRequest
    /// The body.
    public var body: ByteBuffer
    /// The client's IP address, or an empty string if the connection has none. Behind a proxy this is the proxy's, unless it is
    /// one of ``EngineConfiguration/trustedProxies``: then it is the address that the proxy names.
    public var remoteAddress: String

    /// The path without the query.
    public var path: Substring { Substring((head.path ?? "/").utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }) }
}

/// The answer to an ``EngineHTTPRequest``.
public struct EngineHTTPResponse: Sendable {
    /// Status and header fields; `Content-Length` is added.
    public var head: HTTPResponse
    /// The body.
    public var body: ByteBuffer

    /// Makes an answer.
    public init(status: HTTPResponse.Status = .ok, headerFields: HTTPFields = [:], body: ByteBuffer = ByteBuffer()) {
        self.head = HTTPResponse(status: status, headerFields: headerFields)
        self.body = body
    }

    /// Makes an answer of text.
    public init(status: HTTPResponse.Status = .ok, text: String, contentType: String = "text/plain; charset=utf-8") {
        self.init(status: status, headerFields: [.contentType: contentType], body: ByteBuffer(string: text))
    }

    /// 404.
    public static let notFound = EngineHTTPResponse(status: .notFound, text: "Not found\n")
}

/// Answers HTTP requests to paths that are not the engine's. It is cancelled if the client disconnects.
public typealias EngineResponder = @Sendable (EngineHTTPRequest) async -> EngineHTTPResponse
