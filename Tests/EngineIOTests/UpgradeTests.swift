// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import SocketIOCore
import Testing

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling&sid="
private let webSocket = "/socket.io/?EIO=4&transport=websocket&sid="

/// Upgrades, with a clock that the test moves.
@Suite struct UpgradeTests {
    private struct Setup {
        let server: EmbeddedServer
        let poller: EmbeddedClient
        let candidate: EmbeddedClient
        let sid: String

        init(configure: (inout EngineConfiguration) -> Void = { _ in }) throws {
            server = EmbeddedServer(configure: configure)
            poller = try server.connect()
            sid = try poller.handshake()
            candidate = try server.connect()
            try candidate.upgrade(webSocket + sid)
        }

        func probe() throws {
            try candidate.sendText("2probe")
            #expect(try candidate.frame() == .text("3probe"))
        }

        /// Sends from the server, on its loop.
        func send(_ text: String) async throws {
            try server.delegate.session(sid).send(text: text)
            server.loop.run()
        }
    }

    @Test func `a noop every 100 ms frees the parked poll`() throws {
        let setup = try Setup()
        try setup.poller.request("GET", polling + setup.sid)
        try setup.probe()
        #expect(try setup.poller.response()?.body == "6")
        for _ in 0..<3 {
            #expect(try setup.poller.get(polling + setup.sid) == nil)
            setup.server.advance(0.09)
            #expect(try setup.poller.response() == nil)
            setup.server.advance(0.01)
            #expect(try setup.poller.response()?.body == "6")
        }
        try setup.candidate.sendText("5")
        #expect(try setup.poller.get(polling + setup.sid)?.status == 400)
    }

    @Test func `writes go on through polling until the upgrade packet`() async throws {
        let setup = try Setup()
        try setup.probe()
        try await setup.send("one")
        #expect(try setup.candidate.frame() == nil)
        #expect(try setup.poller.get(polling + setup.sid)?.body == "4one")
        try await setup.send("two")
        #expect(try setup.candidate.frame() == nil)
        try setup.candidate.sendText("5")
        // What was queued is flushed over the WebSocket at once.
        #expect(try setup.candidate.frame() == .text("4two"))
    }

    @Test(arguments: ["4hello", "2", "3probe", "1", "6", "x", ""])
    func `anything else closes only the candidate`(text: String) throws {
        let setup = try Setup()
        try setup.candidate.sendText(text)
        #expect(try setup.candidate.frame() == .close(1000))
        #expect(try setup.poller.post(polling + setup.sid, "4still here")?.body == "ok")
        #expect(try setup.poller.get(polling + setup.sid)?.body == "4still here")
        // Another may try.
        let second = try setup.server.connect()
        try second.upgrade(webSocket + setup.sid)
        try second.sendText("2probe")
        #expect(try second.frame() == .text("3probe"))
    }

    @Test func `one probe at a time`() throws {
        let setup = try Setup()
        let second = try setup.server.connect()
        try second.upgrade(webSocket + setup.sid)
        #expect(try second.frame() == .close(1000))
        try setup.probe()
    }

    @Test func `a WebSocket for an upgraded session is closed`() throws {
        let setup = try Setup()
        try setup.probe()
        try setup.candidate.sendText("5")
        let second = try setup.server.connect()
        try second.upgrade(webSocket + setup.sid)
        #expect(try second.frame() == .close(1000))
        try setup.candidate.sendText("4a")
        #expect(try setup.candidate.frame() == .text("4a"))
    }

    @Test func `an upgrade that is never finished is given up`() throws {
        let setup = try Setup()
        try setup.probe()
        setup.server.advance(9.9)
        #expect(try setup.candidate.frame() == nil)
        setup.server.advance(0.2)
        #expect(try setup.candidate.frame() == .close(1000))
        setup.server.advance(5.1)
        #expect(!setup.candidate.isOpen)
        #expect(setup.server.engine.clientsCount == 1)
    }

    @Test func `the heartbeat goes on during an upgrade`() throws {
        let setup = try Setup(configure: { $0.upgradeTimeout = .seconds(60) })
        try setup.probe()
        setup.server.advance(25)
        #expect(try setup.poller.get(polling + setup.sid)?.body == "2")
        setup.server.advance(20.1)
        #expect(setup.server.events.last == .closed(.pingTimeout))
        #expect(try setup.candidate.frame() == .close(1000))
    }

    @Test func `a candidate that goes away leaves the session`() throws {
        let setup = try Setup()
        try setup.probe()
        try setup.candidate.close()
        #expect(try setup.poller.post(polling + setup.sid, "4a")?.body == "ok")
        #expect(setup.server.engine.clientsCount == 1)
    }

    @Test func `upgrades that are not allowed are refused`() throws {
        let server = EmbeddedServer(configure: { $0.allowUpgrades = false })
        let client = try server.connect()
        let body = try #require(try client.get("/socket.io/?EIO=4&transport=polling")).body
        #expect(body.contains("\"upgrades\":[]"))
        let sid = try server.connect().handshake()
        #expect(try client.get(webSocket + sid, headers: RawClient.upgradeHeaders)?.status == 400)
        #expect(!client.isOpen)
    }

    @Test func `a post that is being read outlives the upgrade`() throws {
        let setup = try Setup()
        try setup.probe()
        let body = "4late"
        try setup.poller.request("POST", polling + setup.sid, headers: ["Content-Length: \(body.utf8.count)"])
        try setup.candidate.sendText("5")
        try setup.poller.send(Array(body.utf8))
        #expect(try setup.poller.response()?.body == "ok")
        #expect(try setup.candidate.frame() == .text("4late"))
    }
}
