// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SocketIOCore
import Synchronization
import Testing

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling"
private let webSocket = "/socket.io/?EIO=4&transport=websocket"

/// Clients that ask and do not read the answers.
@Suite struct BackPressureTests {
    @Test func `a request waits until the answer before has been taken`() throws {
        let server = EmbeddedServer()
        let (client, dam) = try server.connectBehindDam()
        let request = RawClient.encodeRequest("GET", "/nothing")
        try client.send(Array(String(repeating: request, count: 1000).utf8))
        let once = dam.keptBytes
        #expect(once > 0 && once < 500, "one answer")
        for _ in 0..<100 { try client.send(Array(request.utf8)) }
        #expect(dam.keptBytes == once)
        dam.open()
        server.loop.run()
        for _ in 0..<1100 { #expect(try client.response()?.status == 404) }
        #expect(try client.response() == nil && client.isOpen)
    }

    @Test(arguments: ["OPTIONS", "PUT"]) func `preflights and errors wait, too`(method: String) throws {
        let server = EmbeddedServer(configure: { $0.cors = EngineCORS(origins: .any) })
        let (client, dam) = try server.connectBehindDam()
        let fields = ["Access-Control-Request-Headers: \(String(repeating: "x", count: 4000))", "Origin: https://a.example"]
        let request = RawClient.encodeRequest(method, polling, headers: fields)
        for _ in 0..<20 { try client.send(Array(request.utf8)) }
        #expect(dam.keptBytes < 6000)
        dam.open()
        server.loop.run()
        for _ in 0..<20 { #expect(try client.response() != nil) }
    }

    @Test func `an answer that is not taken in time ends the connection`() throws {
        let server = EmbeddedServer(configure: { $0.limits.writeTimeout = .seconds(5) })
        let (client, dam) = try server.connectBehindDam()
        try client.request("GET", "/nothing")
        server.advance(4.9)
        #expect(client.isOpen && dam.writes > 0)
        server.advance(0.2)
        #expect(!client.isOpen)
    }

    @Test func `each piece of a long answer has its time`() throws {
        let body = ByteBuffer(repeating: 0x61, count: 1_000_000)
        let server = EmbeddedServer(configure: {
            $0.limits.writeTimeout = .seconds(5)
            $0.responder = { _ in EngineHTTPResponse(body: body) }
        })
        let (client, dam) = try server.connectBehindDam()
        try client.request("GET", "/socket.io/file", headers: ["Connection: close"])
        #expect(dam.keptBytes < 300_000, "a piece and the head")
        server.advance(4.9)
        dam.open()
        server.loop.run()
        #expect(try client.response()?.body.utf8.count == 1_000_000)
        #expect(!client.isOpen, "the connection ends with the whole answer, as was asked")
    }

    @Test func `the answer to a poll counts as the send buffer until it has been taken`() throws {
        let server = EmbeddedServer()
        let (poller, dam) = try server.connectBehindDam()
        let second = try server.connect()
        let sid = try second.handshake()
        let session = try server.delegate.session(sid)
        session.send(text: String(repeating: "x", count: 1000))
        try poller.request("GET", polling + "&sid=" + sid)
        #expect(session.bufferedPackets == 0 && session.bufferedBytes == 1001)
        #expect(!session.isWritable)
        session.send(text: "next")
        try second.request("GET", polling + "&sid=" + sid)
        #expect(try second.response() == nil, "it waits for the poll before")
        dam.open()
        server.loop.run()
        #expect(try poller.response()?.body.utf8.count == 1001)
        #expect(try second.response()?.body == "4next")
        #expect(session.bufferedBytes == 0)
    }

    @Test func `polls that are not read end the session when its send buffer is full`() throws {
        let server = EmbeddedServer(configure: { $0.limits.sendBufferBytes = 100_000 })
        let poster = try server.connect()
        let sid = try poster.handshake()
        let message = "4" + String(repeating: "x", count: 20_000)
        let pollers = try (0..<8).map { _ in try server.connectBehindDam() }
        try pollers[0].0.request("GET", polling + "&sid=" + sid)
        for (poller, _) in pollers.dropFirst() where server.engine.clientsCount > 0 {
            _ = try poster.post(polling + "&sid=" + sid, message)
            // One parked poll is the client's right, two end the session.
            guard server.engine.clientsCount > 0, try !server.delegate.session(sid).machine.isPollParked else { continue }
            try poller.request("GET", polling + "&sid=" + sid)
        }
        let kept = pollers.reduce(0) { $0 + $1.1.keptBytes }
        #expect(server.events.last == .closed(.sendBufferFull))
        #expect(kept < 25_000, "one answer")
    }

    @Test func `a session whose poll's answer is lost ends`() throws {
        let server = EmbeddedServer()
        let (poller, dam) = try server.connectBehindDam()
        let sid = try server.connect().handshake()
        try server.delegate.session(sid).send(text: "lost")
        try poller.request("GET", polling + "&sid=" + sid)
        #expect(dam.keptBytes > 0 && server.engine.clientsCount == 1)
        try poller.close()
        #expect(server.events.last == .closed(.transportError) && server.engine.clientsCount == 0)
    }

    @Test func `a candidate that probes on and on is closed`() throws {
        let server = EmbeddedServer()
        let sid = try server.connect().handshake()
        let candidate = try server.connect()
        try candidate.upgrade(webSocket + "&sid=" + sid)
        for _ in 0..<16 {
            try candidate.sendText("2probe")
            #expect(try candidate.frame() == .text("3probe"))
        }
        try candidate.sendText("2probe")
        #expect(try candidate.frame() == .close(1000))
        #expect(server.engine.clientsCount == 1)
    }

    @Test func `a candidate that probes and does not read is not answered`() throws {
        let server = EmbeddedServer()
        let sid = try server.connect().handshake()
        let candidate = try server.connect()
        try candidate.upgrade(webSocket + "&sid=" + sid)
        try candidate.sendText("2probe")
        #expect(try candidate.frame() == .text("3probe"))
        candidate.channel.isWritable = false
        candidate.channel.pipeline.fireChannelWritabilityChanged()
        for _ in 0..<10 { try candidate.sendText("2probe") }
        #expect(try candidate.frame() == nil)
        candidate.channel.isWritable = true
        candidate.channel.pipeline.fireChannelWritabilityChanged()
        try candidate.sendText("2probe")
        #expect(try candidate.frame() == .text("3probe"))
        try candidate.sendText("5")
        #expect(try server.delegate.session(sid).transportName == "websocket")
    }

    @Test func `a client that pings and does not read gets a few answers at most`() throws {
        let server = EmbeddedServer()
        let (client, dam) = try server.connectBehindDam()
        try client.request("GET", webSocket, headers: RawClient.upgradeHeaders)
        let before = dam.writes
        for _ in 0..<1000 { try client.send(RawClient.encodeFrame(0x89, [1])) }
        #expect(dam.writes - before <= 16)
        dam.open()
        server.loop.run()
        try client.send(RawClient.encodeFrame(0x89, [2]))
        _ = try client.response()
        var last: RawClient.Frame?
        while let frame = try client.frame() { last = frame }
        #expect(last == .pong([2]))
    }

    @Test func `of the pings of one read the latest is answered`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.openWebSocket()
        try client.send((0..<100).flatMap { RawClient.encodeFrame(0x89, [$0]) })
        var answers: [RawClient.Frame] = []
        while let frame = try client.frame() { answers.append(frame) }
        #expect(answers == (0..<15).map { .pong([$0]) } + [.pong([99])])
    }

    /// Answers every request as another server's handlers would.
    private final class Fallback: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = Self.unwrapInboundIn(data) else { return }
            let body = ByteBuffer(repeating: 0x61, count: 1000)
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "1000"])
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    @Test func `answers of others are waited for as well`() throws {
        let server = EmbeddedServer(configure: { $0.limits.writeTimeout = .seconds(5) })
        let client = try server.connect { try $0.pipeline.syncOperations.addHandler(Fallback()) }
        #expect(try client.get("/other")?.body.utf8.count == 1000)
        client.channel.isWritable = false
        client.channel.pipeline.fireChannelWritabilityChanged()
        let request = RawClient.encodeRequest("GET", "/other")
        try client.send(Array(String(repeating: request, count: 5).utf8))
        #expect(try client.response() != nil)
        #expect(try client.response() == nil)
        client.channel.isWritable = true
        client.channel.pipeline.fireChannelWritabilityChanged()
        server.loop.run()
        for _ in 0..<4 { #expect(try client.response() != nil) }
        #expect(client.isOpen)
        try client.request("GET", "/other")
        client.channel.isWritable = false
        try client.request("GET", "/other")
        client.channel.pipeline.fireChannelWritabilityChanged()
        server.advance(5.1)
        #expect(!client.isOpen, "its time is over")
    }
}
