// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import Testing

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling&sid="

/// A POST with many packets, of which each turn of the event loop takes a portion.
@Suite struct PortionTests {
    private let server = EmbeddedServer(delegate: EchoDelegate(echoes: false))

    private var texts: [String] {
        server.events.compactMap { if case .text(let text) = $0 { text } else { nil } }
    }

    private func payload(_ packets: [String]) -> String { packets.map { "4" + $0 }.joined(separator: "\u{1e}") }

    private var many: [String] { (0..<1_000).map { "\($0)" } }

    private func turns(_ client: EmbeddedClient) throws -> (turns: Int, response: RawClient.Response?) {
        for turns in 0..<10_000 {
            if let response = try client.response() { return (turns, response) }
            server.loop.advanceTime(by: EngineLoop.pause)
        }
        return (10_000, nil)
    }

    @Test func `many packets take several turns, arrive in order and are answered at the end`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        #expect(try client.post(polling + sid, payload(many)) == nil)
        #expect(texts.count < 200)
        let (turns, response) = try turns(client)
        #expect(turns >= 9 && response?.body == "ok")
        #expect(texts == many)
        // The next one is as welcome as ever.
        #expect(try client.post(polling + sid, "4more")?.body == "ok")
        #expect(texts.last == "more")
    }

    @Test func `large packets take several turns too`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        let packets = (0..<50).map { "\($0)" + String(repeating: "x", count: 18_000) }
        #expect(try client.post(polling + sid, payload(packets)) == nil)
        #expect(texts.count == 1)
        #expect(try turns(client).response?.body == "ok")
        #expect(texts == packets)
    }

    @Test func `others are served between two portions`() throws {
        let (attacker, innocent) = (try server.connect(), try server.connect())
        let (sid, other) = (try attacker.handshake(), try innocent.handshake())
        try attacker.request("POST", polling + sid, body: payload(many))
        #expect(try innocent.post(polling + other, "4innocent")?.body == "ok")
        let position = try #require(texts.firstIndex(of: "innocent"))
        #expect(position < 200)
        #expect(try turns(attacker).response?.status == 200)
    }

    @Test func `what cannot be parsed in a later portion ends the session`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many.dropLast(500)) + "\u{1e}x")
        #expect(try turns(client).response?.status == 400)
        #expect(server.events.last == .closed(.parseError))
        #expect(texts.count == 500)
    }

    @Test func `too many packets are noticed in the last portion`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many + ["one too many"]))
        #expect(try turns(client).response?.status == 400)
        #expect(server.events.last == .closed(.parseError))
    }

    @Test func `a close packet in a later portion ends the session in good order`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many.dropLast(700)) + "\u{1e}1\u{1e}4late")
        #expect(try turns(client).response?.body == "ok")
        #expect(server.events.last == .closed(.transportClose))
        #expect(texts.count == 300)
    }

    @Test func `a session that ends between two portions delivers nothing more and answers`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many))
        try server.delegate.session(sid).discard()
        server.loop.run()
        // Its packets were carried out in part, so it is not the POST of an unknown session.
        #expect(try client.response()?.status == 200)
        let delivered = texts.count
        server.advance(1)
        #expect(texts.count == delivered && server.events.last == .closed(.forcedClose))
    }

    @Test func `a second POST between two portions ends the session, and both are answered`() throws {
        let (first, second) = (try server.connect(), try server.connect())
        let sid = try first.handshake()
        try first.request("POST", polling + sid, body: payload(many))
        #expect(try second.post(polling + sid, "4overtaking")?.status == 400)
        #expect(try first.response()?.status == 400)
        server.advance(1)
        #expect(!texts.contains("overtaking") && server.events.last == .closed(.transportError))
    }

    @Test func `what is left waits while reading is paused, and is delivered and answered when it goes on`() throws {
        let client = try server.connect()
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many))
        let session = try server.delegate.session(sid)
        session.pauseReading()
        let delivered = texts.count
        server.advance(0.1)
        #expect(texts.count == delivered && delivered < 200)
        #expect(try client.response() == nil)
        for _ in 0..<3 {
            session.resumeReading()
            session.pauseReading()
        }
        server.advance(0.1)
        #expect(texts.count == delivered)
        session.resumeReading()
        #expect(try turns(client).response?.body == "ok")
        #expect(texts == many)
    }

    @Test func `a pause stops a portion in its middle`() throws {
        let server = EmbeddedServer(delegate: EchoDelegate(echoes: false, pausesAfter: "30"))
        let client = try server.connect()
        let sid = try client.handshake()
        let session = try server.delegate.session(sid)
        try client.request("POST", polling + sid, body: payload(many))
        server.advance(1)
        #expect(server.events.last == .text("30"))
        session.resumeReading()
        server.advance(1)
        #expect(server.events.last == .text("999"))
        #expect(try client.response()?.body == "ok")
    }

    @Test func `an upgrade while reading is paused overtakes nothing`() throws {
        let (client, candidate) = (try server.connect(), try server.connect())
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many))
        try server.delegate.session(sid).pauseReading()
        try candidate.upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid)
        try candidate.sendText("2probe")
        try candidate.sendText("5")
        #expect(texts == many)
        try server.delegate.session(sid).resumeReading()
        server.loop.run()
        try candidate.sendText("4over WebSocket")
        #expect(texts == many + ["over WebSocket"])
        #expect(try client.response()?.body == "ok")
    }

    @Test func `an upgrade between two portions loses nothing and overtakes nothing`() throws {
        let (client, candidate) = (try server.connect(), try server.connect())
        let sid = try client.handshake()
        try client.request("POST", polling + sid, body: payload(many))
        try candidate.upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid)
        try candidate.sendText("2probe")
        #expect(texts.count < many.count)
        try candidate.sendText("5")
        try candidate.sendText("4over WebSocket")
        #expect(try turns(client).response?.body == "ok")
        #expect(texts == many + ["over WebSocket"])
    }
}
