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

@Suite("Manual clock", .timeLimit(.minutes(1)))
struct ManualClockTests {
    @Test
    func `Time stands still until it is moved; then everything happens at its time`() async {
        let clock = await ManualClock()
        let start = clock.now
        let seen = Mutex<[Int64]>([])
        for seconds in [3, 1, 2, 10] as [Int64] {
            clock.eventLoop.scheduleTask(in: .seconds(seconds)) {
                seen.withLock { $0.append((clock.now - start).nanoseconds / 1_000_000_000) }
            }
        }
        await clock.advance(by: .milliseconds(999))
        #expect(seen.withLock { $0 } == [])
        await clock.advance(by: .seconds(4))
        #expect(seen.withLock { $0 } == [1, 2, 3])
        #expect(clock.now - start == .milliseconds(4_999))
    }

    @Test
    func `A client stays as long as it answers pings, hours of them, and is closed on time when it does not`() async throws {
        let clock = await ManualClock()
        let ends = Reports<String>()
        try await withTestServer(
            clock: clock,
            setUp: { io in
                io.onConnect { socket in socket.onDisconnect { ends.report("\($0.reason)") } }
            }
        ) { server in
            let alive = try await server.connect()
            let silent = try await server.connect(answersPings: false)
            for client in [alive, silent] { try await client.join() }
            await clock.advance(by: .milliseconds(44_900))
            #expect(silent.isOpen)
            await clock.advance(by: .milliseconds(200))
            await silent.waitUntilClosed()
            #expect(await ends.next() == "ping timeout")
            await clock.advance(by: .seconds(3 * 3_600))
            #expect(alive.isOpen)
            #expect(server.io.clientsCount == 1)
        }
    }

    @Test
    func `A client that joins no namespace is closed after the connect timeout`() async throws {
        let clock = await ManualClock()
        var configuration = SocketIOConfiguration()
        configuration.connectTimeout = .seconds(600)
        try await withTestServer(configuration: configuration, clock: clock) { server in
            let client = try await server.connect()
            await clock.advance(by: .seconds(599))
            #expect(client.isOpen)
            await clock.advance(by: .seconds(2))
            await client.waitUntilClosed()
        }
    }

    @Test(arguments: [(119, true), (121, false)])
    func `A session can be recovered for two minutes`(seconds: Int, isRecovered: Bool) async throws {
        let clock = await ManualClock()
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        try await withTestServer(configuration: configuration, clock: clock) { server in
            let client = try await server.connect()
            let (sid, pid) = try await client.join()
            try await server.io.emit("n", 1)
            let arguments = try await client.receiveEvent().arguments
            let offset = try arguments.decode(String.self, at: arguments.count - 1)
            await client.cut()
            await clock.advance(by: .seconds(seconds))
            let back = try await server.connect()
            let (newID, _) = try await back.join(auth: #"{"pid":"\#(pid ?? "")","offset":"\#(offset)"}"#)
            #expect((newID == sid) == isRecovered)
        }
    }

    @Test(arguments: [PacketFormat.json, .messagePack])
    func `What comes over a connection in memory is what comes over a network`(format: PacketFormat) async throws {
        let clock = await ManualClock()
        var configuration = SocketIOConfiguration()
        configuration.parser = format
        try await withTestServer(
            configuration: configuration,
            clock: clock,
            setUp: { io in
                io.onConnect { socket in socket.on("echo") { (text: String, bytes: ByteBuffer) in Ack(text, bytes) } }
            }
        ) { server in
            let client = try await server.connect(headers: [("X-Test", "1")])
            try await client.join()
            for size in [0, 1, 200, 100_000] {
                let bytes = ByteBuffer(repeating: 7, count: size)
                let answer = try await client.emitWithAck("echo", "size \(size)", bytes)
                #expect(try answer.decode(String.self, at: 0) == "size \(size)")
                #expect(try answer.decode(ByteBuffer.self, at: 1) == bytes)
            }
            let sockets = try await server.io.fetchSockets()
            #expect(sockets.first?.handshake.headers["x-test"] == "1")
        }
    }

    @Test
    func `A client in memory that does not read is closed when its buffer is full; others do not notice`() async throws {
        let clock = await ManualClock()
        var configuration = SocketIOConfiguration()
        configuration.engine.limits.sendBufferBytes = 256 << 10
        try await withTestServer(configuration: configuration, clock: clock) { server in
            let lazy = try await server.connect()
            let other = try await server.connect()
            for client in [lazy, other] { try await client.join() }
            try await lazy.stopReading()
            for number in 0..<20 {
                try await server.io.emit("n", number, String(repeating: "x", count: 50_000))
                #expect(try await other.receiveEvent().arguments.decode(Int.self, at: 0) == number)
            }
            #expect(server.io.clientsCount == 1)
        }
    }

    @Test
    func `A path that the server does not have is refused`() async throws {
        let clock = await ManualClock()
        try await withTestServer(clock: clock) { server in
            await #expect(throws: TestClient.Failure.self) { try await server.connect(path: "/elsewhere/") }
        }
    }
}
