// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite("Recovery between servers", .timeLimit(.minutes(1)))
struct RecoveryTests {
    static var configuration: SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        return configuration
    }

    static func setUp(_ io: SocketIOServer) {
        io.onConnect { socket in
            if !socket.recovered {
                await socket.join("room")
                socket.data["nick"] = "ada"
            }
            socket.on("state") { () async in Ack(socket.recovered, socket.data["nick", as: String.self], await socket.rooms.sorted()) }
        }
    }

    /// What a client presents that comes back.
    static func claim(_ pid: String?, _ offset: String?) -> String {
        "{\"pid\":\"\(pid ?? "")\"" + (offset.map { ",\"offset\":\"\($0)\"}" } ?? "}")
    }

    static func expectState(of client: TestClient, _ sid: String) async throws {
        let state = try await client.emitWithAck("state")
        #expect(try state.decode(Bool.self, at: 0))
        #expect(try state.decode(String.self, at: 1) == "ada")
        #expect(try state.decode([String].self, at: 2) == [sid, "room"].sorted())
    }

    @Test(
        arguments: [1, 4],
        [true, false]
    )
    func `A client that comes back to another server has its id, rooms and data, and gets what it missed`(loops: Int, isNoticed: Bool)
        async throws
    {
        try await withServers(3, loops: loops, configuration: Self.configuration, setUp: { io in Self.setUp(io) }) { servers in
            let first = try await servers[0].joined()
            _ = try await first.client.emitWithAck("state")
            try await servers[1].io.to("room").emit("n", 1)
            let event = try await first.client.receiveEvent()
            let offset = try event.arguments.decode(String.self, at: event.arguments.count - 1)
            if isNoticed {
                await first.client.cut()
                try await eventually { servers[0].io.sockets.socketCount == 0 }
            } else {
                try await first.client.stopReading()
            }
            for (number, server) in servers.enumerated() { try await server.io.to("room").emit("n", 2 + number) }
            let back = try await servers[2].connect()
            #expect(try await back.join(auth: Self.claim(first.pid, offset)) == (first.sid, first.pid))
            try await servers[0].io.emit("n", 5)
            var missed: [Int] = []
            for _ in 2...5 { missed.append(try await back.receiveEvent().arguments.decode(Int.self, at: 0)) }
            #expect(missed.sorted() == [2, 3, 4, 5])
            try await Self.expectState(of: back, first.sid)
            try await eventually { servers[0].io.sockets.socketCount == 0 }
            #expect(try await servers[1].io.fetchSockets().map(\.node) == ["node2"])
        }
    }

    @Test(arguments: [false, true])
    func `A server that shuts down hands its sessions on: nothing is lost, and one server gets each`(keepsSnapshots: Bool) async throws {
        var cluster = ClusterConfiguration.forTests
        cluster.snapshotsSessions = keepsSnapshots
        try await withServers(2, configuration: Self.configuration, cluster: cluster, setUp: { io in Self.setUp(io) }) { servers in
            let first = try await servers[0].joined()
            _ = try await first.client.emitWithAck("state")
            try await servers[1].io.to("room").emit("n", 1)
            let event = try await first.client.receiveEvent()
            let offset = try event.arguments.decode(String.self, at: event.arguments.count - 1)
            await servers[0].io.close()
            #expect(servers[0].record.hasNoSnapshots)
            try await eventually { try await servers[1].io.serverCount() == 1 }
            try await servers[1].io.to("room").emit("n", 2)
            let back = try await servers[1].connect()
            #expect(try await back.join(auth: Self.claim(first.pid, offset)) == (first.sid, first.pid))
            try await servers[1].io.emit("n", 3)
            for number in 2...3 { #expect(try await back.receiveEvent().arguments.decode(Int.self, at: 0) == number) }
            try await Self.expectState(of: back, first.sid)
            let again = try await servers[1].connect()
            #expect(try await again.join(auth: Self.claim("unknown.node0", nil)).sid != first.sid)
        }
    }
}
