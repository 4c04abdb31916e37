// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTesting
import SocketIOText
import Testing

@testable import SwiftSocketIO

/// The end of a client that is in very many rooms.
@Suite(.timeLimit(.minutes(1))) struct EndingTests {
    enum End: CaseIterable { case cut, recoverable, disconnected, shutdown }

    private static let namespaces = (0..<20).map { "/n\($0)" }
    private static let rooms = (0..<1_500).map { "room-\($0)" }

    /// Counts the turns of an event loop, and what happens in each.
    private final class Turns: Sendable {
        private let counted = Shared((turns: 0, now: 0, most: 0))
        let isOver = Shared(false)

        func event() { counted.update { $0.now += 1 } }
        var most: Int { counted.value.most }

        /// Lets the turns of this loop count from now on.
        func watch(_ loop: any EventLoop) {
            loop.scheduleTask(in: .microseconds(50)) { [self] in
                counted.update { ($0.turns, $0.now, $0.most) = ($0.turns + 1, 0, max($0.most, $0.now)) }
                if !isOver.value { watch(loop) }
            }
        }
    }

    @Test(arguments: End.allCases) func `the rooms of all its namespaces are left in several turns`(_ end: End) async throws {
        let turns = Turns()
        var configuration = SocketIOConfiguration()
        configuration.onRoomEvent = { _, event in if case .leave = event { turns.event() } }
        configuration.drainDuration = .zero
        if end == .recoverable { configuration.connectionStateRecovery = ConnectionStateRecovery() }
        let ended = Shared<[Int]>([])
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            for name in Self.namespaces {
                io.of(name).onConnect { socket in
                    socket.onDisconnect { disconnection in ended.update { $0.append(disconnection.rooms.count) } }
                    await socket.join(Self.rooms)
                    socket.on("leave-me") { socket.disconnect(close: true) }
                    socket.on("rooms") { await socket.rooms.count }
                }
            }
        } _: { server in
            let client = try await server.connect()
            var pids: [String?] = []
            for name in Self.namespaces {
                pids.append(try await client.join(name).pid)
                _ = try await client.emitWithAck("rooms", namespace: name)
            }
            if let loop = server.io.eventLoopGroup.makeIterator().first(where: { _ in true }) { turns.watch(loop) }
            switch end {
            case .cut, .recoverable: await client.cut()
            case .disconnected: try await client.emit("leave-me", namespace: "/n3")
            case .shutdown: await server.io.close()
            }
            if end != .shutdown { try await eventually { ended.value.count == Self.namespaces.count } }
            // When the server is closed, every socket has ended.
            #expect(ended.value == Self.namespaces.map { _ in Self.rooms.count + 1 })
            turns.isOver.value = true
            #expect(turns.most > 0 && turns.most < 5_000, "\(turns.most)")
            for name in Self.namespaces { #expect(server.io.of(name).localAdapter.socketCount == 0) }
            guard end == .recoverable else { return }
            let back = try await server.connect()
            for (name, pid) in zip(Self.namespaces, pids) {
                #expect(try await back.join(name, auth: "{\"pid\":\"\(pid ?? "")\"}").pid == pid)
            }
        }
    }

    @Test func `the hooks of very many sockets have run when the server is closed`() async throws {
        let (connected, ended, adapterClosed) = (Shared(0), Shared(0), Shared<Int?>(nil))
        var configuration = SocketIOConfiguration()
        configuration.drainDuration = .zero
        let adapter = StubAdapterFactory(onAdapterClose: { name in if name == "/" { adapterClosed.value = ended.value } })
        let (clients, namespaces) = (50, (0..<40).map { "/n\($0)" })
        try await withTestServer(configuration: configuration, adapter: adapter) { io in
            for name in namespaces {
                io.of(name).onConnect { socket in
                    socket.onDisconnect { _ in
                        // As a hook that writes to a database.
                        try? await Task.sleep(for: .milliseconds(20))
                        if !Task.isCancelled { ended.update { $0 += 1 } }
                    }
                    connected.update { $0 += 1 }
                }
            }
        } _: { server in
            for _ in 0..<clients {
                let client = try await server.connect()
                // All at once: one after the other takes too long on a busy machine.
                for name in namespaces { try await client.requestJoin(name) }
            }
            try await eventually { connected.value == clients * namespaces.count }
            await server.io.close()
            #expect(ended.value == clients * namespaces.count)
            // Hooks can still reach the other processes.
            #expect(adapterClosed.value == clients * namespaces.count)
        }
    }

    @Test func `a session that is claimed while its connection lives is moved whole`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            for name in Self.namespaces {
                io.of(name).onConnect { socket in
                    if !socket.recovered { await socket.join(Self.rooms) }
                    socket.on("rooms") { await socket.rooms.count }
                }
            }
        } _: { server in
            let client = try await server.connect()
            var pids: [String?] = []
            for name in Self.namespaces {
                pids.append(try await client.join(name).pid)
                _ = try await client.emitWithAck("rooms", namespace: name)
            }
            let back = try await server.connect()
            // From the last one, which would have had its turn last.
            for (name, pid) in zip(Self.namespaces, pids).reversed() {
                #expect(try await back.join(name, auth: "{\"pid\":\"\(pid ?? "")\"}").pid == pid)
                #expect(try await back.emitWithAck("rooms", namespace: name).decode(Int.self, at: 0) == Self.rooms.count + 1)
            }
        }
    }
}
