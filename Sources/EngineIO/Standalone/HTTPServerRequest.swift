// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import HTTPTypes
public import NIOCore

/// A plain HTTP request that is not Engine.IO's.
public struct HTTPServerRequest: Sendable {
    /// Method, path and header fields.
    public var head: HTTPRequest
    /// The body.
    public var body: ByteBuffer
    /// The client's IP address, or an empty string if the connection has none. Behind a proxy this is the proxy's.
    public var remoteAddress: String

    /// The path without the query.
    public var path: Substring { Substring((head.path ?? "/").utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }) }
}

/// The answer to a plain HTTP request.
public struct HTTPServerResponse: Sendable {
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
    public static let notFound = HTTPServerResponse(status: .notFound, text: "Not found\n")
}

/// Answers plain HTTP requests. It is cancelled if the client goes away.
public typealias HTTPResponder = @Sendable (HTTPServerRequest) async -> HTTPServerResponse
