// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import NIOWebSocket
import SocketIOCore
import Testing

@testable import EngineIO

/// What a WebSocket client may send and what it may not.
@Suite struct WebSocketTests {
    private func open(configure: (inout EngineConfiguration) -> Void = { _ in }) throws -> (EmbeddedServer, EmbeddedClient) {
        let server = EmbeddedServer(configure: configure)
        let client = try server.connect()
        try client.openWebSocket()
        return (server, client)
    }

    @Test(arguments: [0, 1, 3, 4, 7, 8, 9, 15, 124, 125, 126, 65_535, 65_536, 200_000])
    func `messages of any size come back unchanged`(size: Int) throws {
        let (_, client) = try open()
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 31) }
        try client.send(RawClient.encodeFrame(0x82, bytes))
        #expect(try client.frame() == .binary(bytes))
        let text = String(repeating: "é", count: size / 2)
        try client.sendText("4" + text)
        #expect(try client.frame() == .text("4" + text))
    }

    @Test func `frames may arrive byte by byte`() throws {
        let (_, client) = try open()
        for byte in RawClient.encodeFrame(0x81, Array("4hello".utf8)) { try client.send([byte]) }
        #expect(try client.frame() == .text("4hello"))
    }

    @Test func `frames may be cut anywhere`() throws {
        let (_, client) = try open()
        let texts = ["4one", "4" + String(repeating: "x", count: 300), "4three"]
        let bytes = texts.flatMap { RawClient.encodeFrame(0x81, Array($0.utf8)) }
        for cut in 1..<bytes.count {
            try client.send(Array(bytes[..<cut]))
            try client.send(Array(bytes[cut...]))
            for text in texts { #expect(try client.frame() == .text(text), "cut at \(cut)") }
        }
    }

    @Test func `fragments are put together around control frames`() throws {
        let (_, client) = try open()
        try client.send(RawClient.encodeFrame(0x01, Array("4he".utf8)))
        try client.send(RawClient.encodeFrame(0x89, [1, 2]))
        #expect(try client.frame() == .pong([1, 2]))
        try client.send(RawClient.encodeFrame(0x00, Array("l".utf8)))
        try client.send(RawClient.encodeFrame(0x80, Array("lo".utf8)))
        #expect(try client.frame() == .text("4hello"))
        try client.send(RawClient.encodeFrame(0x02, [1]) + RawClient.encodeFrame(0x80, [2]))
        #expect(try client.frame() == .binary([1, 2]))
    }

    struct BadFrames: Sendable, CustomStringConvertible {
        var description: String
        var bytes: [UInt8]
        var code: UInt16
        var reason = EngineCloseReason.transportError
    }

    static let badFrames: [BadFrames] = [
        BadFrames(description: "not masked", bytes: RawClient.encodeFrame(0x81, [0x34], masked: false), code: 1002),
        BadFrames(description: "RSV1", bytes: RawClient.encodeFrame(0xc1, [0x34]), code: 1002),
        BadFrames(description: "RSV2", bytes: RawClient.encodeFrame(0xa1, [0x34]), code: 1002),
        BadFrames(description: "RSV3", bytes: RawClient.encodeFrame(0x91, [0x34]), code: 1002),
        BadFrames(description: "unknown opcode", bytes: RawClient.encodeFrame(0x83, [0x34]), code: 1002),
        BadFrames(description: "unknown control", bytes: RawClient.encodeFrame(0x8b, []), code: 1002),
        BadFrames(description: "continuation of nothing", bytes: RawClient.encodeFrame(0x80, [0x34]), code: 1002),
        BadFrames(
            description: "text within a message",
            bytes: RawClient.encodeFrame(0x01, [0x34]) + RawClient.encodeFrame(0x81, [0x34]),
            code: 1002
        ),
        BadFrames(description: "fragmented ping", bytes: RawClient.encodeFrame(0x09, []), code: 1002),
        BadFrames(description: "long ping", bytes: RawClient.encodeFrame(0x89, Array(repeating: 0, count: 126)), code: 1002),
        BadFrames(description: "not UTF-8", bytes: RawClient.encodeFrame(0x81, [0x34, 0xff]), code: 1007),
        BadFrames(description: "1 GB announced", bytes: [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4], code: 1009),
        BadFrames(description: "2^63 announced", bytes: [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], code: 1009),
        BadFrames(description: "HTTP", bytes: Array("test".utf8), code: 1002),
    ]

    @Test(arguments: badFrames) func `bad frames end the connection with their code`(frames: BadFrames) throws {
        let (server, client) = try open()
        try client.send(frames.bytes)
        if frames.description != "HTTP" {
            #expect(try client.frame() == .close(frames.code))
            #expect(server.events.last == .closed(frames.reason))
        }
        // What follows is not looked at.
        try client.send(RawClient.encodeFrame(0x81, Array("4hello".utf8)))
        #expect(!server.events.contains(.text("hello")))
    }

    @Test(arguments: ["x", "", "7", "b!"]) func `packets that cannot be parsed are parse errors`(text: String) throws {
        let (server, client) = try open()
        try client.sendText(text)
        #expect(try client.frame() == .close(1000))
        #expect(server.events.last == .closed(.parseError))
    }

    @Test func `a close frame is answered and ends the session`() throws {
        let (server, client) = try open()
        try client.send(RawClient.encodeFrame(0x88, [0x0b, 0xb8] + Array("why".utf8)))
        #expect(try client.frame() == .close(3000))
        #expect(!client.isOpen)
        #expect(server.events.last == .closed(.transportClose) && server.engine.clientsCount == 0)
    }

    @Test func `a close packet ends the session`() throws {
        let (server, client) = try open()
        try client.sendText("1")
        #expect(try client.frame() == .close(1000))
        #expect(server.events.last == .closed(.transportClose))
    }

    @Test func `heartbeat over WebSocket`() throws {
        let (server, client) = try open()
        for number in 1...3 {
            server.advance(25)
            #expect(try client.frame() == .text("2"))
            try client.sendText("3")
            try client.sendText("3")
            #expect(server.events.filter { $0 == .pong(number) }.count == 1)
        }
        server.advance(25)
        #expect(try client.frame() == .text("2"))
        server.advance(20.1)
        #expect(try client.frame() == .close(1000))
        #expect(server.events.last == .closed(.pingTimeout))
        // A client that does not answer the close frame is cut off.
        server.advance(5.1)
        #expect(!client.isOpen)
    }

    @Test func `a ping from the client is a transport error`() throws {
        let (server, client) = try open()
        try client.sendText("2")
        #expect(server.events.last == .closed(.transportError))
    }

    @Test func `messages above the limit are refused also in fragments`() throws {
        for fragmented in [false, true] {
            let (server, client) = try open(configure: { $0.maxHTTPBufferSize = 100 })
            try client.send(RawClient.encodeFrame(0x82, Array(repeating: 1, count: 100)))
            #expect(try client.frame() == .binary(Array(repeating: 1, count: 100)))
            if fragmented {
                try client.send(RawClient.encodeFrame(0x02, Array(repeating: 1, count: 60)))
                try client.send(RawClient.encodeFrame(0x80, Array(repeating: 1, count: 41)))
            } else {
                try client.send(RawClient.encodeFrame(0x82, Array(repeating: 1, count: 101)))
            }
            #expect(try client.frame() == .close(1009))
            #expect(server.events.last == .closed(.transportError))
        }
    }

    @Test func `empty fragments are counted too`() throws {
        let (server, client) = try open(configure: { $0.limits.fragmentsPerMessage = 10 })
        try client.send(RawClient.encodeFrame(0x02, []))
        for _ in 0..<9 { try client.send(RawClient.encodeFrame(0x00, [])) }
        #expect(try client.frame() == nil)
        try client.send(RawClient.encodeFrame(0x00, []))
        #expect(try client.frame() == .close(1008))
        #expect(server.events.last == .closed(.transportError))
    }

    @Test func `closing sends what is queued first`() throws {
        let (server, client) = try open()
        guard case .opened(let sid)? = server.events.first else { return }
        let session = try server.delegate.session(sid)
        session.send(text: "last words")
        session.close()
        session.send(text: "too late")
        server.loop.run()
        #expect(try client.frame() == .text("4last words"))
        #expect(try client.frame() == .close(1000))
        #expect(server.events.last == .closed(.forcedClose))
        try client.send(RawClient.encodeFrame(0x88, [3, 232]))
        #expect(!client.isOpen)
    }

    @Test func `discarding does not wait`() throws {
        let (server, client) = try open()
        guard case .opened(let sid)? = server.events.first else { return }
        let session = try server.delegate.session(sid)
        session.discard(.transportError)
        #expect(server.events.last == .closed(.transportError))
        server.loop.run()
        #expect(try client.frame() == .close(1000))
        session.send(text: "too late")
        #expect(!session.sendVolatile(EncodedPacket(message: ByteBuffer(), isBinary: false)))
    }

    @Test func `packets wait while the channel is not writable`() throws {
        let (server, client) = try open(configure: { $0.limits.sendBufferPackets = 5 })
        guard case .opened(let sid)? = server.events.first else { return }
        let session = try server.delegate.session(sid)
        client.channel.isWritable = false
        client.channel.pipeline.fireChannelWritabilityChanged()
        for index in 0..<5 { session.send(text: "\(index)") }
        server.loop.run()
        #expect(session.bufferedPackets == 5 && !session.isWritable)
        #expect(!session.sendVolatile(EncodedPacket(message: ByteBuffer(string: "v"), isBinary: false)))
        #expect(try client.frame() == nil)
        client.channel.isWritable = true
        client.channel.pipeline.fireChannelWritabilityChanged()
        server.loop.run()
        for index in 0..<5 { #expect(try client.frame() == .text("4\(index)")) }
        client.channel.isWritable = false
        client.channel.pipeline.fireChannelWritabilityChanged()
        for index in 0..<6 { session.send(text: "\(index)") }
        server.loop.run()
        #expect(server.events.last == .closed(.sendBufferFull))
    }

    @Test func `an HTTP parser does not see what follows the upgrade`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let request = RawClient.encodeRequest("GET", "/socket.io/?EIO=4&transport=websocket", headers: RawClient.upgradeHeaders)
        let frames = RawClient.encodeFrame(0x81, Array("4one".utf8)) + RawClient.encodeFrame(0x81, Array("4two".utf8))
        try client.send(Array(request.utf8) + frames)
        #expect(try client.response()?.status == 101)
        _ = try client.frame()
        #expect(try client.frame() == .text("4one"))
        #expect(try client.frame() == .text("4two"))
    }

    @Test(arguments: [false, true]) func `garbage behind an upgrade ends only that connection`(existing: Bool) throws {
        let server = EmbeddedServer()
        let other = try server.connect()
        let sid = try other.handshake()
        let client = try server.connect()
        let target = "/socket.io/?EIO=4&transport=websocket" + (existing ? "&sid=\(sid)" : "")
        let request = RawClient.encodeRequest("GET", target, headers: RawClient.upgradeHeaders)
        try client.send(Array((request + "test").utf8) + Array(repeating: 0xff, count: 200))
        #expect(try client.response()?.status == 101)
        #expect(try other.post("/socket.io/?EIO=4&transport=polling&sid=\(sid)", "4a")?.body == "ok")
        #expect(server.engine.clientsCount == 1)
    }

    @Test func `the answer to an upgrade has each header once`() throws {
        let client = try EmbeddedServer(configure: { $0.cors = EngineCORS(origins: .any) }).connect()
        try client.request("GET", "/socket.io/?EIO=4&transport=websocket", headers: RawClient.upgradeHeaders)
        let bytes = try #require(try client.channel.readOutbound(as: ByteBuffer.self))
        let names = String(buffer: bytes).split(separator: "\r\n").dropFirst().map { $0.prefix { $0 != ":" }.lowercased() }
        // Browsers refuse an answer that says it twice.
        #expect(Set(names).count == names.count, "\(names)")
        #expect(Set(names).isSuperset(of: ["connection", "upgrade", "sec-websocket-accept"]))
    }

    @Test func `the mask is taken off at every length`() {
        let key: WebSocketMaskingKey = [0x12, 0x34, 0x56, 0x78]
        for count in 0..<40 {
            let plain = (0..<count).map { UInt8($0) }
            var masked = ByteBuffer(bytes: plain)
            masked.webSocketMask(key)
            #expect(Array(masked.webSocketUnmasked(0x7856_3412).readableBytesView) == plain)
        }
    }
}
