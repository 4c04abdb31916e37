// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import SwiftSocketIO
import Testing

@Suite(.timeLimit(.minutes(1))) struct BroadcastTests {
    private static func rooms(_ io: SocketIOServer) {
        io.onConnect { socket in
            socket.on("join") { (rooms: [String]) async in
                await socket.join(rooms)
                return true
            }
            socket.on("leave") { (room: String) async in
                await socket.leave(room)
                return true
            }
            socket.on("others") { (room: String, text: String) in try await socket.to(room).emit("msg", text) }
        }
    }

    @Test(arguments: [1, 4])
    func `every selection rule of SocketIO`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops, setUp: { Self.rooms($0) }) { server in
            let a = try await server.joined()
            let b = try await server.joined()
            let c = try await server.joined()
            _ = try await a.client.emitWithAck("join", ["r1", "r2"])
            _ = try await b.client.emitWithAck("join", ["r2"])
            _ = try await a.client.emitWithAck("others", "r2", "from a", id: 2)
            let io = server.io
            try await io.emit("msg", "all")
            try await io.to("r1").to("r2").emit("msg", "once each")
            try await io.in("r2").except("r1").emit("msg", "only b")
            try await io.except(c.sid).emit("msg", "not c")
            try await io.to(c.sid).emit("msg", "only c")
            try await io.to("nobody").emit("msg", "lost")
            try await io.to(b.sid).socketsLeave("r2")
            try await io.to("r2").emit("msg", "last of r2")
            try await io.emit("msg", "end")
            #expect(try await a.client.textsUntilEnd() == ["all", "once each", "not c", "last of r2", "end"])
            #expect(try await Set(b.client.textsUntilEnd()) == ["all", "once each", "only b", "not c", "from a", "end"])
            #expect(try await c.client.textsUntilEnd() == ["all", "only c", "end"])
        }
    }

    @Test(arguments: [1, 4])
    func `acknowledgements of a broadcast arrive as a stream`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops) { server in
            var clients: [TestClient] = []
            for _ in 0..<5 { clients.append(try await server.joined().client) }
            let acknowledgements = try await server.io.timeout(.seconds(5)).emitWithAck("ready?", as: Int.self)
            var iterator = acknowledgements.makeAsyncIterator()
            for (n, client) in clients.enumerated() {
                let id = try #require(try await client.receiveEvent().id)
                if n == 4 {
                    await client.cut()
                } else {
                    try await client.acknowledge(id, n)
                    #expect(try await iterator.next() == n)
                }
            }
            #expect(try await iterator.next() == nil)
            let summary = acknowledgements.raw.summary
            #expect(summary.expected == 5)
            #expect(summary.answered == 4)
            #expect(summary.disconnected == 1)
            #expect(!summary.timedOut)
        }
    }

    @Test func `collecting reports what is missing`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            let (answering, _, _) = try await server.joined()
            let (silent, _, _) = try await server.joined()
            let acknowledgements = try await server.io.timeout(.seconds(60)).emitWithAck("q", as: String.self)
            let id = try #require(try await answering.receiveEvent().id)
            try await answering.acknowledge(id, "yes")
            try await eventually { acknowledgements.raw.summary.answered == 1 }
            acknowledgements.raw.timeOut()
            let error = await #expect(throws: IncompleteResponseError<[String]>.self) { try await acknowledgements.collect() }
            #expect(error?.partial == ["yes"])
            #expect(silent.isOpen)
        }
    }

    @Test(arguments: [1, 4])
    func `sockets can be fetched moved and ended`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops) { io in
            Self.rooms(io)
            io.use { socket in socket.data["role"] = "guest" }
        } _: { server in
            let io = server.io
            let a = try await server.joined()
            let b = try await server.joined()
            try await io.to(a.sid).socketsJoin("vip", "loud")
            let vips = try await io.in("vip").fetchSockets()
            #expect(vips.map(\.id) == [a.sid])
            #expect(vips[0].rooms == [a.sid, "vip", "loud"])
            #expect(vips[0].data["role", as: String.self] == "guest")
            #expect(vips[0].handshake.query["EIO"] == "4")
            #expect(try await io.rooms() == [a.sid, b.sid, "vip", "loud"])
            try await vips[0].leave("loud")
            #expect(try await io.in("vip").rooms() == [a.sid, "vip"])
            try await vips[0].emit("hello")
            #expect(try await a.client.receiveEvent().name == "hello")
            try await io.except("vip").disconnectSockets()
            guard case .disconnect = try await b.client.receivePacket().content else {
                Issue.record("no disconnect")
                return
            }
            try await io.disconnectSockets(close: true)
            await a.client.waitUntilClosed()
            #expect(try await io.fetchSockets().isEmpty)
        }
    }

    @Test(arguments: [1, 4])
    func `what one task sends arrives in order`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops) { server in
            var clients: [TestClient] = []
            for _ in 0..<8 { clients.append(try await server.joined().client) }
            let sockets = await server.io.sockets.sockets
            for n in 0..<200 {
                if n % 2 == 0 {
                    try await server.io.emit("n", n)
                } else {
                    for socket in sockets { try socket.emit("n", n) }
                }
            }
            for client in clients {
                for n in 0..<200 { #expect(try await client.receiveEvent().arguments.decode(Int.self, at: 0) == n) }
            }
        }
    }
}

extension TestClient {
    /// The first arguments of all events up to the one that says "end".
    fileprivate func textsUntilEnd() async throws -> [String] {
        var texts: [String] = []
        while texts.last != "end" { texts.append(try await receiveEvent().arguments.decode(String.self, at: 0)) }
        return texts
    }
}
