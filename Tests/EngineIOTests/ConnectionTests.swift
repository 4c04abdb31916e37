// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import EngineIO

/// The HTTP connection: limits, timeouts, and requests for somebody else.
@Suite struct ConnectionTests {
    private static let target = "/socket.io/?EIO=4&transport=polling"

    // MARK: Limits

    @Test func `more header fields or bytes than allowed are refused`() throws {
        let many = try EmbeddedServer().connect()
        #expect(try many.get(Self.target, headers: (0..<2000).map { "X-\($0): y" } + RawClient.upgradeHeaders)?.status == 431)
        #expect(!many.isOpen)
        let big = try EmbeddedServer().connect()
        #expect(try big.get(Self.target, headers: ["X-A: " + String(repeating: "a", count: 20_000)])?.status == 431)
        let longTarget = try EmbeddedServer().connect()
        let response = try longTarget.get(Self.target + "&x=" + String(repeating: "a", count: 100_000))
        #expect(response.map { $0.status >= 400 } ?? !longTarget.isOpen)
    }

    @Test func `bytes that are no HTTP are refused`() throws {
        let client = try EmbeddedServer().connect()
        try? client.send(Array("nonsense\r\n\r\n".utf8))
        #expect(try client.response()?.status == 400)
        #expect(!client.isOpen)
    }

    @Test func `a body that is too large is refused before it is read`() throws {
        let server = EmbeddedServer(configure: { $0.maxHTTPBufferSize = 1000 })
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", Self.target + "&sid=" + sid, headers: ["Content-Length: 1001"])
        let response = try #require(try client.response())
        #expect(response.status == 413 && response.body.isEmpty && response.headers["content-length"] == "0")
        #expect(!client.isOpen)
    }

    @Test(arguments: [false, true])
    func `a body that is too large leaves the session and its poll alone until the client ends it`(isChunked: Bool) throws {
        let server = EmbeddedServer(configure: { $0.maxHTTPBufferSize = 1000 })
        let (poller, poster, other) = (try server.connect(), try server.connect(), try server.connect())
        let sid = try poller.handshake()
        try poller.request("GET", Self.target + "&sid=" + sid)
        let size = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 1001"
        try poster.request("POST", Self.target + "&sid=" + sid, headers: [size])
        if isChunked { try? poster.send(Array("3e9\r\n".utf8) + [UInt8](repeating: 0x34, count: 1001)) }
        #expect(try poster.response()?.status == 413)
        // A close packet here would let the client report either, by chance.
        #expect(try poller.response() == nil)
        #expect(!server.events.contains(.closed(.transportError)))
        // A smaller one is as welcome as ever.
        #expect(try other.post(Self.target + "&sid=" + sid, "4small")?.body == "ok")
        #expect(try poller.response()?.body == "4small")
        // The official client closes its transport.
        try poller.request("GET", Self.target + "&sid=" + sid)
        try poller.close()
        #expect(server.events.last == .closed(.transportError))
    }

    @Test func `a chunked body is counted while it is read`() throws {
        let server = EmbeddedServer(configure: { $0.maxHTTPBufferSize = 1000 })
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", Self.target + "&sid=" + sid, headers: ["Transfer-Encoding: chunked"])
        let chunk = "64\r\n" + String(repeating: "4", count: 100) + "\r\n"
        for _ in 0..<10 { try client.send(Array(chunk.utf8)) }
        #expect(try client.response() == nil)
        try? client.send(Array(chunk.utf8))
        #expect(try client.response()?.status == 413)
    }

    @Test func `the body of a refused request is not kept`() throws {
        let server = EmbeddedServer(configure: { $0.maxHTTPBufferSize = 1000 })
        let client = try server.connect()
        #expect(try client.post(Self.target + "&sid=zzz", String(repeating: "4", count: 1000))?.status == 400)
        // The connection goes on.
        #expect(try client.get(Self.target)?.status == 200)
        try client.request("POST", Self.target + "&sid=zzz", headers: ["Content-Length: 5000000"])
        #expect(try client.response()?.status == 413)
        #expect(!client.isOpen)
    }

    @Test func `clients that wait for a continue get it`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", Self.target + "&sid=" + sid, headers: ["Content-Length: 2", "Expect: 100-continue"])
        #expect(try client.response()?.status == 100)
        try client.send(Array("4a".utf8))
        #expect(try client.response()?.body == "ok")
    }

    // MARK: Timeouts

    @Test func `a head may take ten seconds`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.send(Array("GET /socket.io/ HTTP/1.1\r\n".utf8))
        server.advance(9.9)
        #expect(client.isOpen)
        server.advance(0.2)
        #expect(!client.isOpen)
    }

    @Test func `a body may take thirty seconds`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", Self.target + "&sid=" + sid, headers: ["Content-Length: 10"])
        server.advance(20)
        try client.send([0x34])
        #expect(client.isOpen)
        server.advance(10.1)
        #expect(!client.isOpen)
        #expect(server.events.last == .closed(.transportError))
    }

    @Test func `connections that were opened together end together`() throws {
        let server = EmbeddedServer()
        server.advance(0.003)
        let first = try server.connect()
        server.advance(0.004)
        let second = try server.connect()
        server.advance(9.999)
        #expect(first.isOpen && second.isOpen)
        server.advance(0.0039)
        #expect(first.isOpen && second.isOpen)
        server.advance(0.0002)
        #expect(!first.isOpen && !second.isOpen)
    }

    @Test func `a connection waits for its next request`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        _ = try client.get(Self.target)
        server.advance(64.9)
        #expect(client.isOpen)
        server.advance(0.2)
        #expect(!client.isOpen)
    }

    @Test func `a connection that is not to be kept is closed`() throws {
        let client = try EmbeddedServer().connect()
        #expect(try client.get(Self.target, headers: ["Connection: close"])?.headers["connection"] == "close")
        #expect(!client.isOpen)
        let old = try EmbeddedServer().connect()
        try old.send(Array("GET \(Self.target) HTTP/1.0\r\n\r\n".utf8))
        #expect(try old.response()?.status == 200)
        #expect(!old.isOpen)
    }

    @Test func `pipelined requests are answered in order`() throws {
        let client = try EmbeddedServer().connect()
        let requests = ["a", "b", "c"].map { RawClient.encodeRequest("GET", "/socket.io/?EIO=4&transport=polling&sid=" + $0) }
        try client.send(Array((requests.joined() + RawClient.encodeRequest("GET", Self.target)).utf8))
        for _ in 0..<3 { #expect(try client.response()?.status == 400) }
        #expect(try client.response()?.status == 200)
    }

    // MARK: Other handlers

    /// Answers every request with its path and counts how often it was installed.
    private final class Fallback: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private var path = ""

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head): path = head.uri
            case .body: break
            case .end:
                let headers: HTTPHeaders = ["Content-Length": "\(path.utf8.count)"]
                context.write(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
                context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: path)))), promise: nil)
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }

    @Test func `other requests go to the fallback and it may upgrade afterwards`() throws {
        let installed = Mutex(0)
        let server = EmbeddedServer()
        let client = try server.connect { channel in
            installed.withLock { $0 += 1 }
            try channel.pipeline.syncOperations.addHandler(Fallback())
        }
        #expect(try client.get(Self.target)?.status == 200)
        #expect(installed.withLock { $0 } == 0)
        #expect(try client.get("/a")?.body == "/a")
        #expect(try client.get(Self.target)?.status == 200)
        #expect(try client.post("/b", "some body")?.body == "/b")
        #expect(installed.withLock { $0 } == 1)
        try client.openWebSocket()
        try client.sendText("4hello")
        #expect(try client.frame() == .text("4hello"))
    }

    @Test func `a connection that asked for another protocol ends with its answer`() throws {
        let client = try EmbeddedServer().connect { try $0.pipeline.syncOperations.addHandler(Fallback()) }
        #expect(try client.get("/a", headers: ["Connection: Upgrade", "Upgrade: h2c"])?.body == "/a")
        #expect(!client.isOpen)
    }

    @Test func `an upgraded connection keeps no HTTP handlers`() throws {
        let client = try EmbeddedServer().connect()
        try client.openWebSocket()
        let pipeline = client.channel.pipeline.syncOperations
        for name in ["HTTP", "EngineConnection"] {
            let description = String(describing: client.channel.pipeline)
            #expect(!description.contains("\(name)Handler"), "\(description)")
        }
        #expect((try? pipeline.context(handlerType: EngineHTTPHandler.self)) == nil)
        #expect((try? pipeline.context(handlerType: EngineConnectionHandler.self)) == nil)
        #expect((try? pipeline.context(handlerType: HTTPServerPipelineHandler.self)) == nil)
        #expect((try? pipeline.context(handlerType: HTTPResponseEncoder.self)) == nil)
        #expect((try? pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)) == nil)
        #expect((try? pipeline.context(handlerType: EngineWebSocketHandler.self)) != nil)
    }

    @Test func `a request in progress is not cut by others idle handlers`() throws {
        let server = EmbeddedServer()
        let client = try server.connect { channel in
            try channel.pipeline.syncOperations.addHandlers(Fallback(), CloseOnIdle())
        }
        #expect(try client.get("/a")?.status == 200)
        let sid = try client.handshake()
        try client.request("GET", Self.target + "&sid=" + sid)
        client.channel.pipeline.fireUserInboundEventTriggered(IdleStateHandler.IdleStateEvent.read)
        #expect(client.isOpen)
        // Nor by a timer of theirs; but then the connection ends with our answer.
        client.channel.close(promise: nil)
        #expect(client.isOpen)
        try server.delegate.session(sid).send(text: "a")
        server.loop.run()
        #expect(try client.response()?.body == "4a")
        #expect(!client.isOpen)
    }

    @Test func `a WebSocket is not cut by others idle handlers`() throws {
        let server = EmbeddedServer()
        let client = try server.connect { try $0.pipeline.syncOperations.addHandlers(Fallback(), CloseOnIdle()) }
        #expect(try client.get("/a")?.status == 200)
        try client.openWebSocket()
        client.channel.pipeline.fireUserInboundEventTriggered(IdleStateHandler.IdleStateEvent.read)
        client.channel.close(promise: nil)
        #expect(client.isOpen)
        client.channel.pipeline.fireUserInboundEventTriggered(ConnectionCut())
        #expect(!client.isOpen)
    }

    private final class CloseOnIdle: ChannelInboundHandler {
        typealias InboundIn = NIOAny
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        }
    }

    private func halfClose(_ client: EmbeddedClient, _ server: EmbeddedServer) {
        client.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        server.loop.run()
    }

    @Test func `a half closed client gets the packets of its poll, and may poll again`() throws {
        let server = EmbeddedServer()
        let (poller, other) = (try server.connect(), try server.connect())
        let sid = try poller.handshake()
        let session = try server.delegate.session(sid)
        try poller.request("GET", Self.target + "&sid=" + sid)
        halfClose(poller, server)
        server.advance(1.9)
        #expect(poller.isOpen)
        session.send(text: "news")
        server.loop.run()
        let response = try #require(try poller.response())
        #expect(response.body == "4news" && response.headers["connection"] == "close")
        #expect(!poller.isOpen)
        server.advance(2.9)
        try other.request("GET", Self.target + "&sid=" + sid)
        server.advance(10)
        #expect(session.readyState == .open)
        session.send(text: "more")
        server.loop.run()
        #expect(try other.response()?.body == "4more")
    }

    @Test func `a half closed client whose poll has nothing gets a noop, and is gone if it does not return`() throws {
        let server = EmbeddedServer()
        let poller = try server.connect()
        let sid = try poller.handshake()
        try poller.request("GET", Self.target + "&sid=" + sid)
        halfClose(poller, server)
        server.advance(2)
        #expect(try poller.response()?.body == "6")
        #expect(!poller.isOpen)
        server.advance(2.9)
        #expect(server.engine.clientsCount == 1)
        server.advance(0.1)
        #expect(server.events.last == .closed(.transportError) && server.engine.clientsCount == 0)
    }

    /// One byte, a part of a request, and a whole one.
    private static let more = ["G", "GET /socket.io/", RawClient.encodeRequest("GET", target)]

    @Test(arguments: more) func `a half closed client gets no more time for what it has sent behind its poll`(more: String) throws {
        let server = EmbeddedServer()
        let poller = try server.connect()
        let sid = try poller.handshake()
        try poller.request("GET", Self.target + "&sid=" + sid)
        try poller.send(Array(more.utf8))
        halfClose(poller, server)
        server.advance(1.9)
        #expect(try poller.response() == nil)
        server.advance(0.1)
        let response = try #require(try poller.response())
        #expect(response.body == "6" && response.headers["connection"] == "close")
        #expect(try poller.response() == nil)
        #expect(!poller.isOpen)
        server.advance(3)
        #expect(server.engine.clientsCount == 0)
    }

    /// Keeps requests.
    private final class Slow: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private(set) var halfClosures = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case ChannelEvent.inputClosed = event else { return }
            halfClosures += 1
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Transfer-Encoding": "chunked"])
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "late")))), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    @Test(arguments: [""] + more)
    func `other handlers learn at once that the client sends no more, and answer it whole`(more: String) throws {
        let server = EmbeddedServer()
        let slow = NIOLoopBound(Slow(), eventLoop: server.loop)
        let client = try server.connect { try $0.pipeline.syncOperations.addHandler(slow.value) }
        try client.send(Array((RawClient.encodeRequest("GET", "/slow") + more).utf8))
        halfClose(client, server)
        #expect(slow.value.halfClosures == 1)
        #expect(String(decoding: try client.bytes(), as: UTF8.self).hasSuffix("4\r\nlate\r\n0\r\n\r\n"))
        #expect(!client.isOpen)
    }

    @Test func `a client may half close while its POST is held back or its answer is compressed`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try server.delegate.session(sid).pauseReading()
        try client.request("POST", Self.target + "&sid=" + sid, body: "4held")
        halfClose(client, server)
        #expect(try client.response() == nil)
        try server.delegate.session(sid).resumeReading()
        server.loop.run()
        #expect(try client.response()?.body == "ok")
        #expect(!client.isOpen)
        #expect(server.engine.clientsCount == 1)
    }

    @Test func `what is not a whole request, and what could become a WebSocket, ends with the clients half`() throws {
        let server = EmbeddedServer()
        let (idle, beginning, body) = (try server.connect(), try server.connect(), try server.connect())
        #expect(try idle.get(Self.target)?.status == 200)
        try beginning.send(Array("GET /socket.io/".utf8))
        let sid = try body.handshake()
        try body.request("POST", Self.target + "&sid=" + sid, headers: ["Content-Length: 10"])
        for client in [idle, beginning, body, try server.connect()] {
            halfClose(client, server)
            #expect(!client.isOpen)
            #expect(try client.response() == nil)
        }
        #expect(server.events.last == .closed(.transportError))
    }

    @Test func `a half closed WebSocket is gone`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.openWebSocket()
        client.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        server.loop.run()
        #expect(!client.isOpen && server.events.last == .closed(.transportClose))
    }

    @Test func `quiescing ends what the connection carries`() throws {
        let server = EmbeddedServer()
        let (poller, idle, client) = (try server.connect(), try server.connect(), try server.connect())
        let sid = try poller.handshake()
        try poller.request("GET", Self.target + "&sid=" + sid)
        try client.openWebSocket()
        for connection in [poller, idle, client] {
            connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            server.loop.run()
        }
        let response = try #require(try poller.response())
        #expect(response.body == "1" && response.headers["connection"] == "close")
        #expect(!poller.isOpen && !idle.isOpen)
        #expect(try client.frame() == .close(1000))
        #expect(server.events.suffix(2) == [.closed(.serverShuttingDown), .closed(.serverShuttingDown)])
    }

    @Test func `quiescing may be spread over time`() throws {
        let server = EmbeddedServer(configure: {
            $0.quiesceDuration = .seconds(10)
            $0.pingInterval = .seconds(100)
        })
        let clients = try (0..<50).map { _ in
            let client = try server.connect()
            try client.openWebSocket()
            client.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            return client
        }
        server.advance(5)
        #expect((1..<50).contains(server.engine.clientsCount))
        server.advance(5.1)
        #expect(server.engine.clientsCount == 0)
        for client in clients { #expect(try client.frame() == .close(1000)) }
    }
}
