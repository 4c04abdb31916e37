// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import SocketIOText
import Testing

@testable import EngineIO

/// The header fields of a WebSocket's handshake, of a new session and of an upgrade.
@Suite struct WebSocketHandshakeTests {
    private static let target = "/socket.io/?EIO=4&transport=websocket"
    private static let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    private static let version = "Sec-WebSocket-Version: 13"
    private static let upgrade = ["Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]

    /// The answers for a new session, read with and without an HTTP parser, and for an upgrade.
    private func answers(
        _ fields: [String],
        http version: String = "1.1",
        configure: (inout EngineConfiguration) -> Void = { _ in }
    ) throws -> [RawClient.Response?] {
        try ["", "&%78=1", "&sid="].map { suffix in
            let server = EmbeddedServer(configure: configure)
            let sid = suffix == "&sid=" ? try server.connect().handshake() : ""
            return try server.connect().get(Self.target + suffix + sid, fields: Self.upgrade + fields, version: version)
        }
    }

    @Test func `a valid one is accepted`() throws {
        for answer in try answers([Self.key, Self.version]) {
            #expect(answer?.status == 101 && answer?.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(answer?.headers["sec-websocket-protocol"] == nil)
        }
    }

    @Test(arguments: [
        [], ["Sec-WebSocket-Key:"], ["Sec-WebSocket-Key: x"], ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"],
        ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=== "], ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA="],
        ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q=="], ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBh"],
        ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ\u{E9}=="], [key, key], [key, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="],
    ])
    func `a key that is not 16 bytes is refused`(keys: [String]) throws {
        for answer in try answers(keys + [Self.version]) {
            #expect(answer?.status == 400 && answer?.headers["sec-websocket-version"] == nil)
        }
    }

    @Test(arguments: [
        [], ["Sec-WebSocket-Version: 8"], ["Sec-WebSocket-Version: 013"], ["Sec-WebSocket-Version: 13, 8"],
        ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13"], ["Sec-WebSocket-Version:"],
    ])
    func `another version is told the right one`(versions: [String]) throws {
        for answer in try answers(versions + [Self.key]) {
            #expect(answer?.status == 400 && answer?.headers["sec-websocket-version"] == "13")
        }
    }

    @Test func `a refused handshake opens no session and asks nobody`() throws {
        let server = EmbeddedServer(configure: { $0.allowRequest = { _ in .allow } })
        let answer = try server.connect().get(Self.target, fields: Self.upgrade + [Self.version])
        #expect(answer?.status == 400 && server.events.isEmpty && server.engine.clientsCount == 0)
    }

    @Test func `there is no WebSocket over version 1 point 0`() throws {
        for answer in try answers([Self.key, Self.version], http: "1.0") { #expect(answer?.status == 400) }
    }

    // MARK: Subprotocols

    @Test(arguments: [
        (["a"], "a"), (["a, b"], "a"), (["b,a", "c"], "b"), (["", "a"], "a"), ([" , ,a"], "a"), ([""], nil), (["graphql-ws"], "graphql-ws"),
        (["v1.chat!#$%&'*+-.^_`|~"], "v1.chat!#$%&'*+-.^_`|~"),
    ])
    func `the first that is offered is answered`(offers: [String], chosen: String?) throws {
        for answer in try answers([Self.key, Self.version] + offers.map { "Sec-WebSocket-Protocol: \($0)" }) {
            #expect(answer?.status == 101 && answer?.headers["sec-websocket-protocol"] == chosen)
        }
    }

    @Test(arguments: ["a b", "a/b", "(a)", "a;q=1", "\"a\"", "a, b c", "a\u{E9}"])
    func `what is not a list of tokens is refused`(offer: String) throws {
        for answer in try answers([Self.key, Self.version, "Sec-WebSocket-Protocol: \(offer)"]) { #expect(answer?.status == 400) }
    }

    @Test func `a hook chooses`() throws {
        let fields = [Self.key, Self.version, "Sec-WebSocket-Protocol: a, b, c"]
        for answer in try answers(
            fields,
            configure: { $0.selectSubprotocol = { $0 == ["a", "b", "c"] && $1.query("EIO") == "4" ? "b" : nil } }
        ) { #expect(answer?.status == 101 && answer?.headers["sec-websocket-protocol"] == "b") }
        for choice in [nil, "d", "a\r\nX-Evil: 1"] {
            for answer in try answers(fields, configure: { $0.selectSubprotocol = { _, _ in choice } }) {
                #expect(answer?.status == 101 && answer?.headers["sec-websocket-protocol"] == nil && answer?.headers["x-evil"] == nil)
            }
        }
        // Without an offer there is nothing to choose.
        for answer in try answers([Self.key, Self.version], configure: { $0.selectSubprotocol = { _, _ in "a" } }) {
            #expect(answer?.headers["sec-websocket-protocol"] == nil)
        }
    }
}
