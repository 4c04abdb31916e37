// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Synchronization
import Testing

@Suite("Broadcasts between servers", .timeLimit(.minutes(1)))
struct BroadcastTests {
    @Test(arguments: [1, 4])
    func `Every selection reaches whom it names, on all servers, once and in order`(loops: Int) async throws {
        try await withServers(3, loops: loops) { servers in
            let a = try await servers[0].joined(rooms: ["r1", "r2"])
            let b = try await servers[1].joined(rooms: ["r2"])
            let c = try await servers[2].joined()
            let io = servers[0].io
            try await io.emit("msg", "all")
            try await io.to("r1").to("r2").emit("msg", "once each")
            try await io.in("r2").except("r1").emit("msg", "only b")
            try await io.except(c.sid).emit("msg", "not c")
            try await io.to(c.sid).emit("msg", "only c")
            try await io.to("nobody").emit("msg", "lost")
            try await io.volatile.emit("msg", "volatile")
            try await io.compress(false).emit("msg", "uncompressed")
            try await io.local.emit("msg", "local")
            try await io.send("a message")
            try await io.emit("msg", "end")
            let rest = ["volatile", "uncompressed"]
            #expect(try await a.client.textsUntilEnd() == ["all", "once each", "not c"] + rest + ["local", "a message", "end"])
            #expect(try await b.client.textsUntilEnd() == ["all", "once each", "only b", "not c"] + rest + ["a message", "end"])
            #expect(try await c.client.textsUntilEnd() == ["all", "only c"] + rest + ["a message", "end"])
        }
    }

    @Test
    func `A socket's own broadcast leaves it out, wherever the others are`() async throws {
        try await withServers(setUp: { io in
            io.onConnect { socket in
                socket.on("say") { (text: String) in try await socket.to("room").emit("msg", text) }
                socket.on("shout") { (text: String) in try await socket.broadcast.emit("msg", text) }
            }
        }) { servers in
            let a = try await servers[0].joined(rooms: ["room"])
            let b = try await servers[1].joined(rooms: ["room"])
            let outsider = try await servers[1].joined()
            try await a.client.emit("say", "to the room")
            try await a.client.emit("shout", "to all others")
            #expect(try await b.client.receiveEvent().arguments.decode(String.self, at: 0) == "to the room")
            #expect(try await b.client.receiveEvent().arguments.decode(String.self, at: 0) == "to all others")
            #expect(try await outsider.client.receiveEvent().arguments.decode(String.self, at: 0) == "to all others")
            try await servers[1].io.to(a.sid).emit("msg", "end")
            #expect(try await a.client.textsUntilEnd() == ["end"])
        }
    }

    @Test(arguments: [PacketFormat.json, .messagePack])
    func `Binary arguments arrive in order with the rest, with either parser`(_ parser: PacketFormat) async throws {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser
        try await withServers(configuration: configuration) { servers in
            let guest = try await servers[1].joined()
            for number in 0..<20 {
                let bytes = ByteBuffer(repeating: UInt8(number), count: 1_000 * number)
                try await servers[0].io.emit("bytes", number, bytes)
                try await servers[0].io.emit("text", number)
            }
            for number in 0..<20 {
                let event = try await guest.client.receiveEvent()
                #expect(event.name == "bytes")
                #expect(try event.arguments.decode(Int.self, at: 0) == number)
                #expect(try event.arguments.decode(ByteBuffer.self, at: 1) == ByteBuffer(repeating: UInt8(number), count: 1_000 * number))
                #expect(try await guest.client.receiveEvent().name == "text")
            }
        }
    }

    @Test
    func `Namespaces do not hear each other; one that a server does not have is no obstacle`() async throws {
        try await withServers(setUp: { io in _ = io.of("/chat") }) { servers in
            _ = servers[1].io.of("/only-here")
            let chat = try await servers[1].joined("/chat")
            let main = try await servers[1].joined()
            try await servers[0].io.of("/chat").emit("msg", "chat")
            try await servers[0].io.emit("msg", "main")
            try await servers[1].io.of("/only-here").emit("msg", "nobody")
            #expect(try await servers[1].io.of("/only-here").fetchSockets().isEmpty)
            try await servers[0].io.of("/chat").emit("msg", "end")
            try await servers[0].io.emit("msg", "end")
            #expect(try await chat.client.textsUntilEnd() == ["chat", "end"])
            #expect(try await main.client.textsUntilEnd() == ["main", "end"])
        }
    }

    @Test
    func `A confirmed emit to a family of namespaces waits for all of them together`() async throws {
        let parents = Mutex<[ParentNamespace]>([])
        let setUp: (SocketIOServer) -> Void = { io in
            let parent = io.of(matching: { name, _ in name.hasPrefix("/room-") })
            parents.withLock { $0.append(parent) }
        }
        try await withServers(setUp: setUp) { servers in
            let client = try await servers[0].connect()
            for name in ["/room-1", "/room-2", "/room-3"] { try await client.join(name) }
            let parent = try #require(parents.withLock { $0.first })
            servers[0].faults.cutOff()
            let emit = Task { try await parent.confirmed.emit("news", 1) }
            // All have it while the first is not written.
            for _ in 0..<3 { #expect(try await client.receiveEvent().name == "news") }
            servers[0].faults.reconnect()
            try await emit.value
        }
    }

    @Test
    func `A namespace that is made by its first client reaches the other servers at once`() async throws {
        try await withServers(setUp: { io in _ = io.of(matching: { name, _ in name.hasPrefix("/room-") }) }) { servers in
            let a = try await servers[0].joined("/room-7")
            let b = try await servers[1].joined("/room-7")
            #expect(try await Set(servers[0].io.of("/room-7").fetchSockets().map(\.id)) == [a.sid, b.sid])
            try await servers[0].io.of("/room-7").emit("msg", "end")
            #expect(try await b.client.textsUntilEnd() == ["end"])
        }
    }
}
