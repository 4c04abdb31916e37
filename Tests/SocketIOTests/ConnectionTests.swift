import SocketIO
import SocketIOCore
import SocketIOTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
    @Test func unknownNamespaceIsRefused() async throws {
        try await withServer { server in
            let client = try await server.client()
            try await client.requestJoin("/nothing", auth: nil)
            #expect(try await client.receive() == .text("44/nothing,{\"message\":\"Invalid namespace\"}"))
        }
    }

    @Test func middlewareRefusesWithMessageAndData() async throws {
        struct Advice: Codable { var code: Int }
        try await withServer { io in
            io.use { socket in
                let token = try? await socket.handshake.auth?.decode([String: String].self)["token"]
                guard token == "secret" else { throw ConnectError("not authorized", data: Advice(code: 7)) }
                socket.data["user"] = "ada"
            }
            io.onConnect { socket in socket.on("who") { socket.data["user", as: String.self] } }
        } _: { server in
            let client = try await server.client()
            try await client.requestJoin("/", auth: "{\"token\":\"wrong\"}")
            #expect(try await client.receive() == .text("44{\"message\":\"not authorized\",\"data\":{\"code\":7}}"))
            try await client.join(auth: "{\"token\":\"secret\"}")
            #expect(try await client.emitWithAck("who").decode(String.self, at: 0) == "ada")
        }
    }

    @Test func aSecondConnectWhileMiddlewareRunsMakesOneSocket() async throws {
        let connects = Mutex(0)
        try await withServer { io in
            io.use { _ in try await Task.sleep(for: .milliseconds(50)) }
            io.onConnect { _ in connects.withLock { $0 += 1 } }
        } _: { server in
            let client = try await server.client()
            try await client.requestJoin("/")
            try await client.join()
            try await client.emit("x")
            #expect(server.io.sockets.socketCount == 1)
            #expect(connects.withLock { $0 } == 1)
        }
    }

    @Test func aClientThatVanishesDuringMiddlewareNeverConnects() async throws {
        let inside = Reports<Void>()
        let connects = Mutex(0)
        let release = Reports<Void>()
        try await withServer { io in
            io.use { _ in
                inside.report(())
                _ = await release.next()
            }
            io.onConnect { _ in connects.withLock { $0 += 1 } }
        } _: { server in
            let client = try await server.client()
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

    @Test func clientsThatJoinNothingAreClosed() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectTimeout = .milliseconds(50)
        try await withServer(configuration: configuration) { server in
            let client = try await server.client()
            await client.waitUntilClosed()
            #expect(!client.isOpen)
        }
    }

    @Test func dynamicNamespacesAreMadeAndCleanedUp() async throws {
        var configuration = SocketIOConfiguration()
        configuration.cleanupEmptyChildNamespaces = true
        let made = Reports<String>()
        try await withServer(configuration: configuration) { io in
            let tenants = io.of(/\/tenant-\d+/)
            tenants.onNamespace { made.report($0.name) }
            tenants.onConnect { socket in socket.on("where") { socket.namespace.name } }
        } _: { server in
            let client = try await server.client()
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
        "client namespace disconnect", "server namespace disconnect", "transport close", "parse error", "forced server close",
    ])
    func reasonsAreSocketIOs(reason: String) async throws {
        let ends = Reports<(phase: String, reason: String, rooms: Set<Room>)>()
        try await withServer { io in
            io.onConnect { socket in
                await socket.join("lobby")
                socket.onDisconnecting { end in ends.report(("disconnecting", end.reason.description, await socket.rooms)) }
                socket.onDisconnect { end in ends.report(("disconnect", end.reason.description, await socket.rooms)) }
                socket.on("leave me") { socket.disconnect() }
                socket.on("go") { socket.disconnect(close: true) }
                socket.on("ready") { true }
            }
        } _: { server in
            let (client, sid, _) = try await server.joined()
            _ = try await client.emitWithAck("ready")
            switch reason {
            case "client namespace disconnect": try await client.send(text: "41")
            case "server namespace disconnect": try await client.emit("leave me")
            case "transport close": await client.cut()
            case "parse error": try await client.send(text: "4x")
            default: try await client.emit("go")
            }
            let first = try #require(await ends.next())
            #expect(first == ("disconnecting", reason, [sid, "lobby"]))
            let second = try #require(await ends.next())
            #expect(second == ("disconnect", reason, []))
        }
    }

    @Test func aDisconnectedSocketHoldsNothing() async throws {
        final class Witness: Sendable {
            let onDeinit: @Sendable () -> Void
            init(_ onDeinit: @escaping @Sendable () -> Void) { self.onDeinit = onDeinit }
            deinit { onDeinit() }
        }
        let released = Reports<Void>()
        try await withServer { io in
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
