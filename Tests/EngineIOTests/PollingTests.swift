// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import SocketIOCore
import Testing

@testable import EngineIO

private let handshakeTarget = "/socket.io/?EIO=4&transport=polling"
private let polling = "/socket.io/?EIO=4&transport=polling&sid="

/// Long-polling, with a clock that the test moves.
@Suite struct PollingTests {
    @Test func `a second poll ends the session`() throws {
        let server = EmbeddedServer()
        let (first, second) = (try server.connect(), try server.connect())
        let sid = try first.handshake()
        try first.request("GET", polling + sid)
        #expect(try second.get(polling + sid)?.status == 400)
        #expect(try first.response()?.body == "1")
        #expect(server.events.last == .closed(.transportError))
        #expect(try first.get(polling + sid)?.body == "{\"code\":1,\"message\":\"Session ID unknown\"}")
    }

    @Test func `an overlapping post ends the session and both are answered`() throws {
        let server = EmbeddedServer()
        let (first, second) = (try server.connect(), try server.connect())
        let sid = try first.handshake()
        try first.request("POST", polling + sid, headers: ["Content-Length: 6"])
        #expect(try second.post(polling + sid, "4a")?.status == 400)
        #expect(server.events.last == .closed(.transportError))
        try first.send(Array("4hello".utf8))
        #expect(try first.response()?.status == 400)
        #expect(!server.events.contains(.text("hello")))
    }

    @Test func `an aborted poll is a transport error`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("GET", polling + sid)
        try client.close()
        #expect(server.events.last == .closed(.transportError))
        #expect(server.engine.clientsCount == 0)
    }

    @Test func `an aborted post is a transport error`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, headers: ["Content-Length: 100"])
        try client.close()
        #expect(server.events.last == .closed(.transportError))
    }

    @Test func `an octet stream is refused`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        #expect(try client.post(polling + sid, "4a", headers: ["Content-Type: application/octet-stream"])?.status == 400)
        #expect(server.events.last == .closed(.transportError))
    }

    @Test(arguments: ["abc", "", "4a\u{1e}x", "4a\u{1e}", "bAAAAA", "9"])
    func `a payload that cannot be parsed ends the session`(payload: String) throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        #expect(try client.post(polling + sid, payload)?.status == 400)
        #expect(server.events.last == .closed(.parseError))
        #expect(try client.get(polling + sid)?.status == 400)
    }

    @Test func `bytes that are no UTF 8 end the session`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, headers: ["Content-Length: 3"])
        try client.send([0x34, 0xff, 0xfe])
        #expect(try client.response()?.status == 400)
        #expect(server.events.last == .closed(.parseError))
    }

    @Test func `too many packets in one payload end the session`() throws {
        let server = EmbeddedServer(configure: { $0.limits.packetsPerPayload = 3 })
        let client = try server.connect()
        let sid = try client.handshake()
        #expect(try client.post(polling + sid, "4a\u{1e}4b\u{1e}4c")?.status == 200)
        #expect(try client.post(polling + sid, "4a\u{1e}4b\u{1e}4c\u{1e}4d")?.status == 400)
        #expect(server.events.last == .closed(.parseError))
    }

    @Test func `a close packet frees the poll with a noop`() throws {
        let server = EmbeddedServer()
        let (poller, poster) = (try server.connect(), try server.connect())
        let sid = try poller.handshake()
        try poller.request("GET", polling + sid)
        #expect(try poster.post(polling + sid, "4bye\u{1e}1")?.body == "ok")
        #expect(try poller.response()?.body == "6")
        #expect(server.events.suffix(2) == [.text("bye"), .closed(.transportClose)])
    }

    @Test(arguments: [0, 0.0031, 0.0099])
    func `a session that does not answer its ping ends with its interval and its timeout`(offset: Double) throws {
        let server = EmbeddedServer(configure: {
            $0.pingInterval = .milliseconds(300)
            $0.pingTimeout = .milliseconds(200)
        })
        server.advance(offset)
        let client = try server.connect()
        let (first, second) = (try client.handshake(), try client.handshake())
        server.advance(0.3)
        #expect(try client.get(polling + first)?.body == "2")
        #expect(try client.get(polling + second)?.body == "2")
        server.advance(0.199)
        #expect(server.engine.clientsCount == 2)
        #expect(try client.post(polling + second, "3")?.status == 200)
        server.advance(0.001)
        #expect(server.engine.clientsCount == 1)
        #expect(try client.get(polling + first)?.status == 400)
        server.advance(0.3)
        #expect(try client.get(polling + second)?.body == "2")
    }

    @Test func `the pings of sessions that open within 10 ms are sent together, none of them late`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        var sessions: [EngineSession] = []
        for _ in 0..<5 {
            sessions.append(try server.delegate.session(client.handshake()))
            server.advance(0.0019)
        }
        server.advance(24.99 - 0.0095)
        #expect(sessions.map(\.pingsSent) == [0, 0, 0, 0, 0])
        server.advance(0.0101)
        #expect(sessions.map(\.pingsSent) == [1, 1, 1, 1, 1])
    }

    @Test func `closing waits for the next poll`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        session.send(text: "last words")
        session.close()
        session.send(text: "too late")
        server.loop.run()
        #expect(session.readyState == .closing && server.engine.clientsCount == 1)
        #expect(try client.get(polling + sid)?.body == "4last words\u{1e}1")
        #expect(server.events.last == .closed(.forcedClose))
    }

    @Test func `closing does not wait for ever`() throws {
        let server = EmbeddedServer()
        let sid = try server.connect().handshake()
        try server.delegate.session(sid).close()
        server.advance(29.9)
        #expect(server.engine.clientsCount == 1)
        server.advance(0.2)
        #expect(server.events.last == .closed(.forcedClose) && server.engine.clientsCount == 0)
    }

    @Test func `a parked poll gets the close at once`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("GET", polling + sid)
        try server.delegate.session(sid).close(.forcedServerClose)
        server.loop.run()
        #expect(try client.response()?.body == "1")
        #expect(server.events.last == .closed(.forcedServerClose))
    }

    @Test func `heartbeat over polling`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        for number in 1...3 {
            #expect(try client.get(polling + sid) == nil)
            server.advance(25)
            #expect(try client.response()?.body == "2")
            #expect(try client.post(polling + sid, "3")?.body == "ok")
            #expect(server.events.last == .pong(number))
        }
        server.advance(25)
        server.advance(20.1)
        #expect(server.events.last == .closed(.pingTimeout))
    }

    @Test func `a flood of pongs is ignored`() throws {
        let server = EmbeddedServer(configure: { $0.limits.packetsPerPayload = 5000 })
        let client = try server.connect()
        let sid = try client.handshake()
        let flood = Array(repeating: "3", count: 4000).joined(separator: "\u{1e}")
        #expect(try client.post(polling + sid, flood) == nil)
        // It takes its turns.
        server.advance(1)
        #expect(try client.response()?.body == "ok")
        #expect(server.events == [.opened(sid)])
        server.advance(24)
        #expect(try client.get(polling + sid)?.body == "2")
    }

    @Test func `no timeout cuts a parked poll`() throws {
        let server = EmbeddedServer(configure: { $0.pingInterval = .seconds(300) })
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("GET", polling + sid)
        server.advance(299)
        #expect(client.isOpen)
        server.advance(1.1)
        #expect(try client.response()?.body == "2")
    }

    @Test func `responses are gzipped above the threshold`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        let big = String(repeating: "ab", count: 600)
        session.send(text: big)
        let compressed = try #require(try client.get(polling + sid, headers: ["Accept-Encoding: gzip, deflate"]))
        #expect(compressed.headers["content-encoding"] == "gzip")
        #expect(Int(compressed.headers["content-length"] ?? "") ?? 9999 < 200)
        session.send(text: big)
        let refused = try #require(try client.get(polling + sid, headers: ["Accept-Encoding: gzip;q=0"]))
        #expect(refused.headers["content-encoding"] == nil && refused.body == "4" + big)
        session.send(text: "small")
        let small = try #require(try client.get(polling + sid, headers: ["Accept-Encoding: gzip"]))
        #expect(small.headers["content-encoding"] == nil && small.body == "4small")
    }

    @Test func `a paused session answers its post later`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        session.pauseReading()
        #expect(try client.post(polling + sid, "4a") == nil)
        // No request of ours is cut while it waits for the application.
        server.advance(40)
        session.resumeReading()
        server.loop.run()
        #expect(try client.response()?.body == "ok")
    }

    @Test func `the send buffer is bounded in packets and bytes`() throws {
        for limit in [0, 1] {
            let server = EmbeddedServer(configure: {
                if limit == 0 { $0.limits.sendBufferPackets = 10 } else { $0.limits.sendBufferBytes = 1000 }
            })
            let client = try server.connect()
            let sid = try client.handshake()
            let session = try server.delegate.session(sid)
            for _ in 0..<9 { session.send(text: String(repeating: "x", count: 95)) }
            server.loop.run()
            #expect(session.readyState == .open && session.bufferedPackets == 9)
            #expect(session.sendVolatile(EncodedPacket(message: ByteBuffer(string: "v"), isBinary: false)) == false)
            for _ in 0..<9 { session.send(text: String(repeating: "x", count: 95)) }
            server.loop.run()
            #expect(session.bufferedBytes == 0)
            #expect(server.events.last == .closed(.sendBufferFull))
        }
    }

    @Test func `drains are reported`() throws {
        let server = EmbeddedServer(configure: { $0.limits.sendBufferLowWater = 2 })
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        for _ in 0..<3 { session.send(text: "x") }
        server.loop.run()
        #expect(!server.events.contains(.drained))
        #expect(try client.get(polling + sid)?.body == "4x\u{1e}4x\u{1e}4x")
        #expect(server.events.last == .drained)
        session.send(text: "x")
        #expect(try client.get(polling + sid)?.body == "4x")
        #expect(server.events.filter { $0 == .drained }.count == 1)
    }

    @Test func `volatile packets need a parked poll`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        let packet = EncodedPacket(message: ByteBuffer(string: "v"), isBinary: false)
        #expect(!session.sendVolatile(packet))
        try client.request("GET", polling + sid)
        #expect(session.sendVolatile(packet))
        server.loop.run()
        #expect(try client.response()?.body == "4v")
    }

    @Test func `a long queue is split over several polls`() throws {
        let server = EmbeddedServer(configure: { $0.maxHTTPBufferSize = 100 })
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        let packet = String(repeating: "x", count: 59)
        for _ in 0..<3 { session.send(text: packet) }
        for _ in 0..<3 { #expect(try client.get(polling + sid)?.body == "4" + packet) }
        #expect(try client.get(polling + sid) == nil)
    }
}
