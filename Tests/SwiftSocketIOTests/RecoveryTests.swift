// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

@Suite(.timeLimit(.minutes(1))) struct RecoveryTests {
    private func configuration(_ change: (inout ConnectionStateRecovery) -> Void = { _ in }) -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        var recovery = ConnectionStateRecovery()
        change(&recovery)
        configuration.connectionStateRecovery = recovery
        return configuration
    }

    private func claim(_ pid: String?, _ offset: String?) -> String {
        "{\"pid\":\"\(pid ?? "")\"" + (offset.map { ",\"offset\":\"\($0)\"}" } ?? "}")
    }

    @Test(arguments: [1, 4], [true, false])
    func `a client that comes back gets what it missed`(loops: Int, noticed: Bool) async throws {
        try await withTestServer(configuration: configuration(), eventLoops: loops) { io in
            io.onConnect { socket in
                if !socket.recovered {
                    await socket.join("room")
                    socket.data["nick"] = "ada"
                }
                socket.on("state") { () async in Ack(socket.recovered, socket.data["nick", as: String.self], await socket.rooms.sorted()) }
            }
        } _: { server in
            let first = try await server.joined()
            _ = try await first.client.emitWithAck("state")
            try await server.io.to("room").emit("n", 1)
            let event = try await first.client.receiveEvent()
            let offset = try event.arguments.decode(String.self, at: event.arguments.count - 1)
            if noticed {
                await first.client.cut()
                try await eventually { server.io.sockets.socketCount == 0 }
            } else {
                try await first.client.stopReading()
            }
            try await server.io.to("room").emit("n", 2)
            try await server.io.to("other").emit("n", -1)
            try await server.io.volatile.emit("n", -2)
            try await server.io.to(first.sid).emit("n", 3)
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(first.pid, offset)) == (first.sid, first.pid))
            try await server.io.emit("n", 4)
            for n in 2...4 { #expect(try await back.receiveEvent().arguments.decode(Int.self, at: 0) == n) }
            let state = try await back.emitWithAck("state")
            #expect(try state.decode(Bool.self, at: 0))
            #expect(try state.decode(String.self, at: 1) == "ada")
            #expect(try state.decode([String].self, at: 2) == [first.sid, "room"].sorted())
            #expect(server.io.sockets.socketCount == 1)
        }
    }

    @Test func `a session is restored once`() async throws {
        try await withTestServer(configuration: configuration(), eventLoops: 1) { server in
            let first = try await server.joined()
            await first.client.cut()
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(first.pid, nil)).sid == first.sid)
            await back.cut()
            try await eventually { server.io.sockets.socketCount == 0 }
            let other = try await server.connect()
            #expect(try await other.join(auth: claim("unknown", nil)).sid != first.sid)
            let again = try await server.connect()
            #expect(try await again.join(auth: claim(first.pid, "ffffffffffffffffffffffff")).sid != first.sid)
            let late = try await server.connect()
            #expect(try await late.join(auth: claim(first.pid, nil)).sid != first.sid)
        }
    }

    @Test func `sessions expire`() async throws {
        try await withTestServer(configuration: configuration { $0.maxDisconnectionDuration = .milliseconds(20) }, eventLoops: 1) {
            server in
            let first = try await server.joined()
            await first.client.cut()
            try await eventually { server.io.sockets.socketCount == 0 }
            try await eventually { server.io.sockets.localAdapter.isEmpty }
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(first.pid, nil)).sid != first.sid)
        }
    }

    @Test func `a session that is kept again has its full time again`() async throws {
        let clock = await ManualClock()
        let short = configuration { $0.maxDisconnectionDuration = .seconds(8) }
        try await withTestServer(configuration: short, clock: clock) { server in
            let first = try await server.connect()
            let (sid, pid) = try await first.join()
            await first.cut()
            try await eventually { server.io.sockets.socketCount == 0 }
            let second = try await server.connect()
            #expect(try await second.join(auth: claim(pid, nil)).sid == sid)
            // The first time ends while the session is kept for the second time.
            await clock.advance(by: .seconds(5))
            await second.cut()
            try await eventually { server.io.sockets.socketCount == 0 }
            await clock.advance(by: .seconds(4))
            let third = try await server.connect()
            #expect(try await third.join(auth: claim(pid, nil)).sid == sid)
        }
    }

    @Test func `middleware that is not skipped leaves nothing behind`() async throws {
        let released = Reports<Void>()
        final class Witness: Sendable {
            let onDeinit: @Sendable () -> Void
            init(_ onDeinit: @escaping @Sendable () -> Void) { self.onDeinit = onDeinit }
            deinit { onDeinit() }
        }
        try await withTestServer(configuration: configuration { $0.skipMiddlewares = false }, eventLoops: 1) { io in
            io.use { socket in
                guard await socket.handshake.auth != nil else { return }
                let witness = Witness { released.report(()) }
                socket.on("x") { _ = (socket, witness) }
                socket.addTask { try? await Task.sleep(for: .seconds(3_600)) }
            }
        } _: { server in
            let first = try await server.joined()
            await first.client.cut()
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(first.pid, nil)).sid == first.sid)
            #expect(await released.next() != nil)
            #expect(back.isOpen)
        }
    }

    @Test func `a client that left on purpose starts anew`() async throws {
        try await withTestServer(configuration: configuration(), eventLoops: 1) { server in
            let first = try await server.joined()
            try await first.client.send(text: "41")
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(first.pid, nil)).sid != first.sid)
        }
    }

    @Test func `overflow starts anew`() async throws {
        try await withTestServer(configuration: configuration { $0.buffer.packets = 10 }, eventLoops: 1) { server in
            let first = try await server.joined()
            await first.client.cut()
            try await eventually { server.io.sockets.socketCount == 0 }
            for n in 0..<11 { try await server.io.emit("n", n) }
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(first.pid, nil)).sid != first.sid)
        }
    }

    /// When the client goes away once more: before its session has been found, or while the session is on its way.
    @Test(arguments: [true, false])
    func `a client that vanishes during the restore keeps its session`(early: Bool) async throws {
        let (slow, inside, release) = (Shared(true), Reports<Void>(), Reports<Void>())
        let adapter = StubAdapterFactory(onRestore: { local, pid, claimant in
            guard slow.value, pid == "p23456789012345" else { return nil }
            slow.value = false
            let loop = claimant.eventLoop
            @Sendable func take() -> Bool {
                guard let socket = claimant.makeSocket(id: "moved", pid: pid), local.add(socket, pid: pid) else { return false }
                local.join(socket, rooms: ["room"])
                return true
            }
            if !early, await !run(on: loop, take) { return false }
            inside.report(())
            _ = await release.next()
            if early, await !run(on: loop, take) { return false }
            let state = SessionState(id: "moved", rooms: ["moved", "room"], data: SocketData().encoded())
            await run(on: loop) { claimant.resume(state, missed: [], after: nil) }
            return true
        })
        try await withTestServer(configuration: configuration(), adapter: adapter, eventLoops: 2) { server in
            let lost = try await server.connect()
            try await lost.requestJoin("/", auth: claim("p23456789012345", nil))
            _ = await inside.next()
            await lost.cut()
            try await eventually { server.io.clientsCount == 0 }
            if !early { try await server.io.to("room").emit("n", 1) }
            release.report(())
            try await eventually { server.io.sockets.localAdapter.keepsOnlySessions }
            if early { try await server.io.to("room").emit("n", 1) }
            let back = try await server.connect()
            #expect(try await back.join(auth: claim("p23456789012345", nil)).sid == "moved")
            #expect(try await back.receiveEvent().arguments.decode(Int.self, at: 0) == 1)
        }
    }

    /// The client goes away while its session is on its way, and its other sockets are in so many rooms that it takes turns to disconnect all.
    @Test func `no handler starts for a client that is gone, however long the end of its other sockets takes`() async throws {
        let (inside, ending, started) = (Reports<Void>(), Reports<Void>(), Shared(0))
        let adapter = StubAdapterFactory(onRestore: { local, pid, claimant in
            guard pid == "p23456789012345" else { return nil }
            let loop = claimant.eventLoop
            @Sendable func take() -> Bool {
                guard let socket = claimant.makeSocket(id: "moved", pid: pid) else { return false }
                return local.add(socket, pid: pid)
            }
            guard await run(on: loop, take) else { return false }
            inside.report(())
            _ = await ending.next()
            let state = SessionState(id: "moved", rooms: ["moved"], data: SocketData().encoded())
            await run(on: loop) { claimant.resume(state, missed: [], after: nil) }
            return true
        })
        let names = (0..<20).map { "/n\($0)" }
        try await withTestServer(configuration: configuration(), adapter: adapter, eventLoops: 1) { io in
            io.onConnect { _ in started.update { $0 += 1 } }
            for name in names {
                io.of(name).onConnect { socket in
                    socket.onDisconnect { _ in ending.report(()) }
                    await socket.join((0..<1_500).map { "room-\($0)" })
                    socket.on("done") { true }
                }
            }
        } _: { server in
            let client = try await server.connect()
            for name in names {
                try await client.join(name)
                _ = try await client.emitWithAck("done", namespace: name)
            }
            try await client.requestJoin("/", auth: claim("p23456789012345", nil))
            _ = await inside.next()
            await client.cut()
            try await eventually { server.io.sockets.localAdapter.keepsOnlySessions }
            #expect(started.value == 0)
        }
    }

    @Test func `the time of a session that is back is forgotten`() async throws {
        try await withTestServer(configuration: configuration(), eventLoops: 1) { server in
            var current = try await server.joined()
            for _ in 0..<10 {
                await current.client.cut()
                try await eventually { server.io.sockets.socketCount == 0 }
                let back = try await server.connect()
                let (sid, pid) = try await back.join(auth: claim(current.pid, nil))
                #expect(sid == current.sid)
                current = (back, sid, pid)
            }
            let loop = server.io.eventLoopGroup.next()
            let context = server.io.context(of: loop)
            #expect(try await loop.submit { context.timers.count }.get() == 0)
        }
    }

    @Test(arguments: [1, 4])
    func `what all sessions keep is bounded`(loops: Int) async throws {
        let configuration = configuration {
            $0.bytes = 100_000
            $0.maxDisconnectionDuration = .seconds(4)
        }
        try await withTestServer(configuration: configuration, eventLoops: loops) { io in
            io.onConnect { socket in await socket.join("room") }
        } _: { server in
            let budget = try #require(server.io.recoveryBudget)
            var sessions: [(client: TestClient, sid: String, pid: String?)] = []
            for _ in 0..<8 { sessions.append(try await server.joined()) }
            for session in sessions { await session.client.cut() }
            try await eventually { server.io.sockets.socketCount == 0 }
            // Many keep the same packets: they count once.
            for n in 0..<5 { try await server.io.emit("n", n, String(repeating: "x", count: 1_000)) }
            let back = try await server.connect()
            #expect(try await back.join(auth: claim(sessions[0].pid, nil)).sid == sessions[0].sid)
            for n in 0..<5 { #expect(try await back.receiveEvent().arguments.decode(Int.self, at: 0) == n) }
            await back.cut()
            for n in 0..<200 {
                try await server.io.emit("n", n, String(repeating: "x", count: 1_000))
                // What is on its way to the loops counts too.
                #expect(budget.used < 200_000)
            }
            let late = try await server.connect()
            #expect(try await late.join(auth: claim(sessions[1].pid, nil)).sid != sessions[1].sid)
            await late.cut()
            try await eventually { server.io.sockets.localAdapter.isEmpty }
            try await eventually { budget.used == 0 }
        }
    }

    @Test func `volatile events do not spoil the offset`() async throws {
        try await withTestServer(configuration: configuration(), eventLoops: 1) { server in
            let (client, sid, _) = try await server.joined()
            try await server.io.volatile.emit("tick")
            #expect(try await client.receive() == .text("42[\"tick\",null]"))
            try await server.io.to(sid).volatile.emit("tick", "text")
            #expect(try await client.receive() == .text("42[\"tick\",\"text\",null]"))
        }
        try await withTestServer(eventLoops: 1) { server in
            let (client, _, _) = try await server.joined()
            try await server.io.volatile.emit("tick", "text")
            #expect(try await client.receive() == .text("42[\"tick\",\"text\"]"))
        }
    }

    @Test(arguments: [1, 4])
    func `nothing is lost or double d under a storm of broadcasts`(loops: Int) async throws {
        var configuration = configuration { $0.buffer = .init(packets: .max, bytes: .max) }
        configuration.engine.limits.sendBufferPackets = .max
        configuration.engine.limits.sendBufferBytes = .max
        try await withTestServer(configuration: configuration, eventLoops: loops) { server in
            var current = try await server.joined()
            let read = Shared(0)
            let storm = Task {
                var n = 0
                while !Task.isCancelled {
                    // Ahead of the reader, but not so far that the test takes long.
                    while n > read.value + 300, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
                    try await server.io.emit("n", n)
                    n += 1
                }
                return n
            }
            var next: Int?
            var offset: String?
            func readNext(_ client: TestClient) async throws {
                let event = try await client.receiveEvent()
                let n = try event.arguments.decode(Int.self, at: 0)
                if let next { #expect(n == next) }
                next = n + 1
                read.value = n
                offset = try event.arguments.decode(String.self, at: 1)
            }
            for _ in 0..<10 {
                for _ in 0..<50 { try await readNext(current.client) }
                await current.client.cut()
                let back = try await server.connect()
                let joined = try await back.join(auth: claim(current.pid, offset))
                #expect(joined.sid == current.sid)
                current = (back, joined.sid, joined.pid)
            }
            storm.cancel()
            let total = try await storm.value
            while next != total { try await readNext(current.client) }
        }
    }
}

private func run<T: Sendable>(on loop: any EventLoop, _ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in loop.execute { continuation.resume(returning: body()) } }
}

extension CoreLocalAdapter {
    /// Whether nobody is there, but a session is kept.
    fileprivate var keepsOnlySessions: Bool { socketCount == 0 && !isEmpty }
}
