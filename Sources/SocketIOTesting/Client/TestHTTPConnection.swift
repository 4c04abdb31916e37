// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import SocketIOText

/// A connection on which a test client makes one HTTP request after the other.
struct TestHTTPConnection: Sendable {
    struct Response: Sendable {
        var status: UInt
        var body: ByteBuffer
    }

    private let channel: any Channel
    private let requests: TestRequests

    static func open(_ requests: TestRequests) async throws -> TestHTTPConnection {
        let channel = try await requests.endpoint.open { channel in
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(ResponseHandler())
            return channel
        }
        return TestHTTPConnection(channel: channel, requests: requests)
    }

    /// Sends a request. The future fails if the connection closes before the answer is complete.
    func request(_ method: HTTPMethod, _ target: String, body: ByteBuffer? = nil) -> EventLoopFuture<Response> {
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: target)
        head.headers.add(name: "host", value: requests.endpoint.host)
        if let body {
            head.headers.add(name: "content-type", value: "text/plain;charset=UTF-8")
            head.headers.add(name: "content-length", value: "\(body.readableBytes)")
        }
        for (name, value) in requests.headers { head.headers.add(name: name, value: value) }
        return channel.eventLoop.flatSubmit { [channel, head] in
            do { return try channel.pipeline.syncOperations.handler(type: ResponseHandler.self).send(head, body, on: channel) } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
    }

    func closeSoon() { channel.close(promise: nil) }

    func close() async { try? await channel.close().get() }
}

/// Puts responses together, in the order of their requests.
private final class ResponseHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private var waiting = CircularBuffer<EventLoopPromise<TestHTTPConnection.Response>>()
    private var response = TestHTTPConnection.Response(status: 0, body: ByteBuffer())

    func send(_ head: HTTPRequestHead, _ body: ByteBuffer?, on channel: any Channel) -> EventLoopFuture<TestHTTPConnection.Response> {
        guard channel.isActive else { return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        let promise = channel.eventLoop.makePromise(of: TestHTTPConnection.Response.self)
        waiting.append(promise)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil) }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return promise.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): response = TestHTTPConnection.Response(status: head.status.code, body: ByteBuffer())
        case .body(let bytes): response.body.writeImmutableBuffer(bytes)
        case .end: waiting.popFirst()?.succeed(response)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        while let promise = waiting.popFirst() { promise.fail(ChannelError.ioOnClosedChannel) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
