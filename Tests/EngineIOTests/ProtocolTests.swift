// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import Testing

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling"
private let webSocket = "/socket.io/?EIO=4&transport=websocket"

/// The behaviour that the protocol's own test suite asks for, on one and on four event loops.
@Suite(.timeLimit(.minutes(1))) struct ProtocolTests {
    @Test(arguments: [1, 4]) func `polling handshake`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            let response = try await RawClient.with(server.port) { try await $0.get(polling) }
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "text/plain; charset=UTF-8")
            #expect(response.headers["cache-control"] == "no-store")
            let sid = response.body.dropFirst("0{\"sid\":\"".count).prefix { $0 != "\"" }
            #expect(
                response.body
                    == "0{\"sid\":\"\(sid)\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}"
            )
            #expect(server.engine.clientsCount == 1)
        }
    }

    @Test(arguments: [1, 4]) func `web socket handshake and echo`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            try await RawClient.with(server.port) { client in
                try await client.upgrade(webSocket)
                guard case .text(let open) = try await client.frame() else { throw RawClient.Failure.malformed("no open packet") }
                #expect(open.hasPrefix("0{\"sid\":\"") && open.contains("\"upgrades\":[],"))
                try await client.sendText("4hello")
                #expect(try await client.frame() == .text("4hello"))
                try await client.sendFrame(0x82, [1, 2, 3, 4])
                #expect(try await client.frame() == .binary([1, 2, 3, 4]))
            }
            #expect(try await server.delegate.waitForClose() == .transportClose)
            #expect(server.engine.clientsCount == 0)
        }
    }

    @Test(arguments: [1, 4]) func `polling carries text and binary both ways`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            try await RawClient.with(server.port) { client in
                let target = polling + "&sid=" + (try await client.handshake())
                // POST and GET come over different connections, as from a browser.
                let response = try await RawClient.with(server.port) {
                    try await $0.post(target, "4test1\u{1e}4test2\u{1e}bAQIDBA==")
                }
                #expect(response.status == 200 && response.body == "ok")
                #expect(response.headers["content-type"] == "text/html")
                #expect(try await client.get(target).body == "4test1\u{1e}4test2\u{1e}bAQIDBA==")
            }
        }
    }

    @Test(arguments: [1, 4]) func `upgrade from polling to WebSocket`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            try await RawClient.with(server.port) { client in
                let sid = try await client.handshake()
                try await client.request("GET", polling + "&sid=" + sid)
                try await RawClient.with(server.port) { candidate in
                    try await candidate.upgrade(webSocket + "&sid=" + sid)
                    try await candidate.sendText("2probe")
                    #expect(try await candidate.frame() == .text("3probe"))
                    // The parked poll is freed.
                    #expect(try await client.response().body == "6")
                    try await candidate.sendText("5")
                    try await candidate.sendText("4hello")
                    #expect(try await candidate.frame() == .text("4hello"))
                    // The session no longer polls.
                    let late = try await client.get(polling + "&sid=" + sid)
                    #expect(late.status == 400 && late.body == "{\"code\":3,\"message\":\"Bad request\"}")
                    try await candidate.sendText("4still here")
                    #expect(try await candidate.frame() == .text("4still here"))
                }
            }
            #expect(try await server.delegate.waitForClose() == .transportClose)
        }
    }
}
