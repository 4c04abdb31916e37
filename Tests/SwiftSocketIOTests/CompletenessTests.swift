// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import EngineIOTestSupport
import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// What users of the JavaScript server look for.
@Suite(.timeLimit(.minutes(1))) struct CompletenessTests {
    @Test func `the connection tells its transport and its upgrade`() async throws {
        let upgrades = Reports<EngineConfiguration.Transport>()
        let transports = Reports<EngineConfiguration.Transport?>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.conn.onUpgrade { upgrades.report($0) }
                transports.report(await socket.conn.transport)
                socket.onDisconnect { _ in transports.report(await socket.conn.transport) }
            }
        } _: { server in
            let port = try #require(server.port)
            try await RawClient.with(port) { poller in
                let sid = try await poller.handshake()
                let target = "/socket.io/?EIO=4&transport=polling&sid=\(sid)"
                #expect(try await poller.post(target, "40").body == "ok")
                #expect(try await poller.get(target).body.hasPrefix("40{"))
                #expect(await transports.next() == .polling)
                try await RawClient.with(port) { candidate in
                    try await candidate.upgrade("/socket.io/?EIO=4&transport=websocket&sid=\(sid)")
                    try await candidate.sendText("2probe")
                    #expect(try await candidate.frame() == .text("3probe"))
                    try await candidate.sendText("5")
                    #expect(await upgrades.next() == .websocket)
                }
                #expect(await transports.next() == .some(nil))
            }
            let (client, _, _) = try await server.joined()
            #expect(await transports.next() == .websocket)
            await client.cut()
        }
    }

    @Test(arguments: [1, 4]) func `a parent reaches selected clients of all children`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops) { io in
            io.of(/\/tenant-[0-9]+/).onConnect { socket in
                socket.on("join") { (room: String) async -> Bool in
                    await socket.join(room)
                    return true
                }
            }
        } _: { server in
            let parent = server.io.of(/\/other-[0-9]+/)
            parent.onConnect { socket in
                socket.on("join") { (rooms: [String]) async -> Bool in
                    await socket.join(rooms)
                    return true
                }
            }
            var clients: [TestClient] = []
            for n in 0..<2 {
                let client = try await server.connect()
                try await client.join("/other-\(n)")
                _ = try await client.emitWithAck("join", n == 0 ? ["all", "muted"] : ["all"], namespace: "/other-\(n)")
                clients.append(client)
            }
            try await parent.to("all").emit("n", 1)
            try await parent.to("all").except("muted").emit("n", 2)
            try await parent.except("all").emit("n", 3)
            try await parent.emit("n", 4)
            func next(_ client: TestClient) async throws -> Int { try await client.receiveEvent().arguments.decode(Int.self, at: 0) }
            for n in [1, 4] { #expect(try await next(clients[0]) == n) }
            for n in [1, 2, 4] { #expect(try await next(clients[1]) == n) }
        }
    }

    @Test func `what is handled once may run in place`() async throws {
        let counts = Shared((typed: 0, raw: 0))
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.once("typed") { (n: Int) -> Int in
                    counts.value.typed += 1
                    return n
                }
                socket.once("raw") { (event: SocketEvent) in
                    counts.value.raw += 1
                    try event.acknowledgement?.send(Ack(true))
                }
                socket.on("end") { true }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            #expect(try await client.emitWithAck("typed", 7).decode(Int.self, at: 0) == 7)
            #expect(try await client.emitWithAck("raw").decode(Bool.self, at: 0))
            try await client.emit("typed", 7, id: 1)
            try await client.emit("raw", id: 2)
            _ = try await client.emitWithAck("end", id: 3)
            #expect(counts.value == (1, 1))
        }
    }

    @Test func `arguments may come from bytes`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            let (client, _, _) = try await server.joined()
            let stored = try EventArguments(array: ByteBuffer(string: "[1, {\"a\":[2,3]}]"), format: .json)
            try await server.io.sockets.broadcastOperator.emit("stored", raw: stored)
            #expect(try await client.receive() == .text("42[\"stored\",1, {\"a\":[2,3]}]"))
        }
        let packed = try EventArguments(array: ByteBuffer(bytes: [0x92, 0x01, 0xa1, 0x78]), format: .messagePack)
        #expect(try packed.decode(String.self, at: 1) == "x")
        for text in ["", "{}", "[1", "[1]x", "1"] {
            #expect(throws: PacketError.self) { try EventArguments(array: ByteBuffer(string: text), format: .json) }
        }
        for bytes: [UInt8] in [[], [0x92, 0x01], [0x91, 0x01, 0x01], [0x01]] {
            #expect(throws: PacketError.self) { try EventArguments(array: ByteBuffer(bytes: bytes), format: .messagePack) }
        }
    }

    @Test func `the trailing closure of run answers requests`() async throws {
        let io = SocketIOServer()
        let ports = Reports<Int>()
        let server = Task {
            try await io.run(port: 0) { _ in
                EngineHTTPResponse(text: "mine")
            } onListening: {
                ports.report($0)
            }
        }
        let port = try #require(await ports.next())
        let body = try await RawClient.with(port) { client in try await client.get("/page").body }
        #expect(body == "mine")
        server.cancel()
        try? await server.value
    }
}
