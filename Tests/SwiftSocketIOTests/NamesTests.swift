// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import SwiftSocketIO
import Synchronization
import Testing

/// Names that Swift's strings take as equal, and names that are too long.
@Suite(.timeLimit(.minutes(1))) struct NamesTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    @Test(arguments: [PacketFormat.json, .messagePack])
    func `events have the handlers of their bytes`(parser: PacketFormat) async throws {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on(Self.composed) { 1 }
                socket.on(Self.decomposed) { 2 }
                socket.on("\u{212A}") { 3 }
                socket.on("names") { await socket.rooms.count }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            #expect(try await client.emitWithAck(Self.composed).decode(Int.self, at: 0) == 1)
            #expect(try await client.emitWithAck(Self.decomposed).decode(Int.self, at: 0) == 2)
            #expect(try await client.emitWithAck("\u{212A}").decode(Int.self, at: 0) == 3)
        }
    }

    @Test func `removing the handlers of a name leaves those of other bytes`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on(Self.composed) { 1 }
                socket.on(Self.decomposed) { 2 }
                socket.on("remove") { socket.off(Self.composed) }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            _ = try await client.emitWithAck("remove")
            #expect(try await client.emitWithAck(Self.decomposed).decode(Int.self, at: 0) == 2)
        }
    }

    @Test func `namespaces are their bytes`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            _ = io.of("/" + Self.composed)
        } _: { server in
            #expect(server.io.of("/" + Self.composed) === server.io.of(Self.composed))
            let client = try await server.connect()
            await #expect(throws: (any Error).self) { try await client.join("/" + Self.decomposed) }
            _ = try await client.join("/" + Self.composed)
        }
    }

    @Test func `socket data has the keys of its bytes`() async throws {
        let counts = Shared<[Int?]>([])
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.data[Self.composed] = 1
                socket.data[Self.decomposed] = 2
                counts.value = [socket.data[Self.composed, as: Int.self], socket.data[Self.decomposed, as: Int.self]]
            }
        } _: { server in
            _ = try await server.joined()
            let remote = try #require(try await server.io.fetchSockets().first)
            #expect(counts.value == [1, 2])
            #expect(remote.data[Self.composed, as: Int.self] == 1)
            #expect(remote.data[Self.decomposed, as: Int.self] == 2)
        }
    }

    @Test func `a room whose name is too long is reported and not joined`() async throws {
        let errors = Shared<[SocketIOError.Code]>([])
        try await withTestServer(eventLoops: 1) { io in
            io.onError { failure in
                if let error = failure.error as? SocketIOError { errors.value += [error.code] }
            }
            io.onConnect { socket in
                socket.on("join") { (rooms: [Room]) in
                    await socket.join(rooms)
                    return await socket.rooms.count
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            let longest = String(repeating: "r", count: 1_024)
            #expect(try await client.emitWithAck("join", [longest]).decode(Int.self, at: 0) == 2)
            #expect(try await client.emitWithAck("join", [longest + "r", "other"]).decode(Int.self, at: 0) == 3)
            #expect(errors.value == [.invalidRoom])
            await #expect(throws: SocketIOError.self) { try await server.io.socketsJoin(longest + "s") }
            #expect(try await server.io.rooms().count == 3)
        }
    }

    @Test func `the limit of event names must make sense`() async throws {
        for limit in [0, -1, 65_537] {
            var configuration = SocketIOConfiguration()
            configuration.limits.eventNameBytes = limit
            let io = SocketIOServer(configuration: configuration)
            await #expect { try await io.start() } throws: { ($0 as? SocketIOError)?.code == .invalidConfiguration }
            await io.close()
        }
    }
}
