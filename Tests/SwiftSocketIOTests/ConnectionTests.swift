// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import Synchronization
import Testing

@testable import SwiftSocketIO

@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
    @Test func `unknown namespace is refused`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            let client = try await server.connect()
            try await client.requestJoin("/nothing", auth: nil)
            #expect(try await client.receive() == .text("44/nothing,{\"message\":\"Invalid namespace\"}"))
        }
    }

    @Test func `middleware refuses with message and data`() async throws {
        struct Advice: Codable { var code: Int }
        try await withTestServer(eventLoops: 1) { io in
            io.use { socket in
                let token = try? await socket.handshake.auth?.decode([String: String].self)["token"]
                guard token == "secret" else { throw ConnectError("not authorized", data: Advice(code: 7)) }
                socket.data["user"] = "ada"
            }
            io.onConnect { socket in socket.on("who") { socket.data["user", as: String.self] } }
        } _: { server in
            let client = try await server.connect()
            try await client.requestJoin("/", auth: "{\"token\":\"wrong\"}")
            #expect(try await client.receive() == .text("44{\"message\":\"not authorized\",\"data\":{\"code\":7}}"))
            try await client.join(auth: "{\"token\":\"secret\"}")
            #expect(try await client.emitWithAck("who").decode(String.self, at: 0) == "ada")
        }
    }

    @Test func `a second connect while middleware runs makes one socket`() async throws {
        let connects = Mutex(0)
        let (inside, release) = (Reports<Void>(), Reports<Void>())
        try await withTestServer(eventLoops: 1) { io in
            io.of("/other").onConnect { _ in }
            io.use { _ in
                inside.report(())
                _ = await release.next()
            }
            io.onConnect { _ in connects.withLock { $0 += 1 } }
        } _: { server in
            let client = try await server.connect()
            try await client.requestJoin("/")
            _ = await inside.next()
            try await client.requestJoin("/")
            // The answer tells that the second CONNECT has been read.
            try await client.join("/other")
            release.report(())
            guard case .connect = try await client.receivePacket().content else {
                Issue.record("not let in")
                return
            }
            try await client.emit("x")
            #expect(server.io.sockets.socketCount == 1)
            #expect(connects.withLock { $0 } == 1)
        }
    }

    @Test func `a client that vanishes during middleware never connects`() async throws {
        let inside = Reports<Void>()
        let connects = Mutex(0)
        let release = Reports<Void>()
        try await withTestServer(eventLoops: 1) { io in
            io.use { _ in
                inside.report(())
                _ = await release.next()
            }
            io.onConnect { _ in connects.withLock { $0 += 1 } }
        } _: { server in
            let client = try await server.connect()
            try await client.requestJoin("/")
            _ = await inside.next()
            await client.cut()
            try await eventually { server.io.clientsCount == 0 }
            release.report(())
            async let other = server.joined()
            _ = await inside.next()
            release.report(())
            _ = try await other
            #expect(connects.withLock { $0 } == 1)
            #expect(server.io.sockets.socketCount == 1)
        }
    }

    @Test func `clients that join nothing are closed`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectTimeout = .milliseconds(50)
        try await withTestServer(configuration: configuration, eventLoops: 1) { server in
            let client = try await server.connect()
            await client.waitUntilClosed()
            #expect(!client.isOpen)
        }
    }

    @Test func `dynamic namespaces are made and cleaned up`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.cleanupEmptyChildNamespaces = true
        let made = Reports<String>()
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            let tenants = io.of(/\/tenant-[0-9]+/)
            tenants.onNamespace { made.report($0.name) }
            tenants.onConnect { socket in socket.on("where") { socket.namespace.name } }
        } _: { server in
            let client = try await server.connect()
            try await client.join("/tenant-7")
            #expect(await made.next() == "/tenant-7")
            #expect(try await client.emitWithAck("where", namespace: "/tenant-7").decode(String.self, at: 0) == "/tenant-7")
            try await client.requestJoin("/tenant-x")
            #expect(try await client.receive() == .text("44/tenant-x,{\"message\":\"Invalid namespace\"}"))
            try await client.send(text: "41/tenant-7,")
            try await client.join("/tenant-7")
            #expect(await made.next() == "/tenant-7")
        }
    }

    @Test(arguments: [
        "client namespace disconnect", "server namespace disconnect", "transport close", "parse error",
    ])
    func `reasons are SocketIO s`(reason: String) async throws {
        let ends = Reports<(phase: String, reason: String, rooms: NameSet)>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                await socket.join("lobby")
                socket.onDisconnecting { end in ends.report(("disconnecting", end.reason.description, await socket.rooms)) }
                socket.onDisconnect { end in ends.report(("disconnect", end.reason.description, await socket.rooms)) }
                socket.on("leave me") { socket.disconnect() }
                socket.on("ready") { true }
            }
        } _: { server in
            let (client, sid, _) = try await server.joined()
            _ = try await client.emitWithAck("ready")
            switch reason {
            case "client namespace disconnect": try await client.send(text: "41")
            case "server namespace disconnect": try await client.emit("leave me")
            case "transport close": await client.cut()
            default: try await client.send(text: "4x")
            }
            let first = try #require(await ends.next())
            #expect(first == ("disconnecting", reason, [sid, "lobby"]))
            let second = try #require(await ends.next())
            #expect(second == ("disconnect", reason, []))
        }
    }

    @Test(arguments: ["42/nothing,[\"x\"]", "40", "44", "43/nothing,1[]", "451-/nothing,[\"x\"]"])
    func `packets that make no sense close the connection`(packet: String) async throws {
        let reasons = Reports<String>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in socket.onDisconnect { reasons.report($0.reason.description) } }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.send(text: packet)
            await client.waitUntilClosed()
            #expect(await reasons.next() == "forced server close")
        }
    }

    @Test func `leaving twice is no error`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.of("/other").onConnect { _ in }
            io.onConnect { socket in socket.on("ping") { "pong" } }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.join("/other")
            for _ in 0..<2 { try await client.send(text: "41/other,") }
            #expect(try await client.emitWithAck("ping").decode(String.self, at: 0) == "pong")
        }
    }

    @Test func `closing the connection tells the client first`() async throws {
        let ends = Reports<(reason: String, agent: String?)>()
        try await withTestServer(eventLoops: 1) { io in
            io.of("/other").onConnect { _ in }
            io.onConnect { socket in
                socket.onDisconnect { end in ends.report((end.reason.description, await socket.handshake.headers["user-agent"])) }
                socket.on("go") {
                    try socket.emit("bye")
                    socket.disconnect(close: true)
                }
            }
        } _: { server in
            let client = try await server.connect(headers: [("user-agent", "test")])
            try await client.join()
            try await client.join("/other")
            try await client.emit("go")
            #expect(try await client.receiveEvent().name == "bye")
            // Without these packets a client would come back by itself.
            var left: [String] = []
            for _ in 0..<2 {
                let packet = try await client.receivePacket()
                if case .disconnect = packet.content { left.append(packet.namespace) }
            }
            #expect(left.sorted() == ["/", "/other"])
            await client.waitUntilClosed()
            let end = try #require(await ends.next())
            #expect(end == ("server namespace disconnect", "test"))
        }
    }

    @Test func `a client that changes its mind gets what it asked for last`() async throws {
        let inside = Reports<Int>()
        let first = Reports<Void>()
        try await withTestServer(eventLoops: 1) { io in
            io.use { socket in
                let n = try await socket.handshake.auth?.decode([String: Int].self)["n"] ?? 0
                socket.data["n"] = n
                inside.report(n)
                // Takes no notice of its cancellation.
                if n == 1 { await Task { _ = await first.next() }.value }
            }
            io.onConnect { socket in socket.on("n") { socket.data["n", as: Int.self] } }
        } _: { server in
            let client = try await server.connect()
            try await client.requestJoin("/", auth: "{\"n\":1}")
            #expect(await inside.next() == 1)
            try await client.send(text: "41")
            try await client.join(auth: "{\"n\":2}")
            first.report(())
            #expect(try await client.emitWithAck("n").decode(Int.self, at: 0) == 2)
            #expect(server.io.sockets.socketCount == 1)
        }
    }

    @Test func `a refused client leaves nothing behind`() async throws {
        let released = Reports<Void>()
        var configuration = SocketIOConfiguration()
        configuration.cleanupEmptyChildNamespaces = true
        configuration.limits.childNamespaces = 1
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            let tenants = io.of(/\/tenant-[0-9]+/)
            // A hook may use the server.
            tenants.onNamespace { _ in _ = io.of("/audit") }
            tenants.use { socket in
                let witness = Witness { released.report(()) }
                socket.onDisconnect { _ in _ = (socket, witness) }
                socket.on("x") { _ = (socket, witness) }
                throw ConnectError("no")
            }
        } _: { server in
            let client = try await server.connect()
            for n in 0..<3 {
                try await client.requestJoin("/tenant-\(n)")
                #expect(try await client.receive() == .text("44/tenant-\(n),{\"message\":\"no\"}"))
                #expect(await released.next() != nil)
                try await eventually { Set(server.io.namespaces.all.map(\.name)) == ["/", "/audit"] }
            }
        }
    }

    @Test func `child namespaces are limited`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.childNamespaces = 2
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.of(/\/tenant-[0-9]+/).onConnect { _ in }
        } _: { server in
            let client = try await server.connect()
            for n in 0..<2 { try await client.join("/tenant-\(n)") }
            try await client.requestJoin("/tenant-2")
            #expect(try await client.receive() == .text("44/tenant-2,{\"message\":\"Too many namespaces\"}"))
        }
    }

    /// Tells when it is gone.
    private final class Witness: Sendable {
        let onDeinit: @Sendable () -> Void
        init(_ onDeinit: @escaping @Sendable () -> Void) { self.onDeinit = onDeinit }
        deinit { onDeinit() }
    }

    @Test func `what a handler has captured may use the socket when it goes`() async throws {
        let released = Reports<Void>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                let last = Witness {
                    socket.off("x")
                    socket.leave("room")
                    released.report(())
                }
                socket.on("x") { _ = last }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            await client.cut()
            #expect(await released.next() != nil)
        }
    }

    @Test func `a disconnected socket holds nothing`() async throws {
        let released = Reports<Void>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                let witness = Witness { released.report(()) }
                socket.on("x") { _ = (socket, witness) }
                socket.onAny { _ in _ = (socket, witness) }
                socket.onDisconnect { _ in _ = (socket, witness) }
                socket.addTask { try? await Task.sleep(for: .seconds(3_600)) }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            await client.cut()
            #expect(await released.next() != nil)
        }
    }
}
