// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

@Suite(.timeLimit(.minutes(2))) struct BackPressureTests {
    @Test func `reading stops at high water and goes on at half`() {
        var flow = ReadFlow()
        let limits = EventQueueLimits(events: 4, bytes: 1_000, hardEvents: 8, hardBytes: 2_000)
        for _ in 0..<3 {
            flow.queued(1)
            #expect(flow.next(limits, awaitsAcknowledgement: false) == .none)
        }
        flow.queued(1)
        #expect(flow.next(limits, awaitsAcknowledgement: false) == .pause)
        flow.taken(1)
        #expect(flow.next(limits, awaitsAcknowledgement: false) == .none)
        flow.taken(1)
        #expect(flow.next(limits, awaitsAcknowledgement: false) == .resume)
    }

    @Test func `bytes count like events`() {
        var flow = ReadFlow()
        let limits = EventQueueLimits(events: 100, bytes: 1_000, hardEvents: 800, hardBytes: 2_000)
        flow.queued(1_000)
        #expect(flow.next(limits, awaitsAcknowledgement: false) == .pause)
        flow.queued(1_001)
        #expect(flow.next(limits, awaitsAcknowledgement: false) == .close)
    }

    @Test func `an awaited acknowledgement keeps the connection read to the hard limit`() {
        var flow = ReadFlow()
        let limits = EventQueueLimits(events: 2, bytes: 1_000, hardEvents: 4, hardBytes: 2_000)
        for _ in 0..<4 {
            flow.queued(1)
            #expect(flow.next(limits, awaitsAcknowledgement: true) == .none)
        }
        flow.queued(1)
        #expect(flow.next(limits, awaitsAcknowledgement: true) == .close)
    }

    @Test(arguments: [1, 4])
    func `a flood holds back only its own client and loses nothing`(loops: Int) async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.eventQueue = EventQueueLimits(events: 16, bytes: 1 << 20, hardEvents: 4_096, hardBytes: 16 << 20)
        let total = 3_000
        let release = Shared(false)
        try await withTestServer(configuration: configuration, eventLoops: loops) { io in
            io.onConnect { socket in
                socket.on("n") { (n: Int) in
                    try await eventually { release.value }
                    if n % 100 == 0 || n == total - 1 { try socket.emit("seen", n) }
                }
                socket.on("ping") { "pong" }
            }
        } _: { server in
            let (flooding, _, _) = try await server.joined()
            let (other, _, _) = try await server.joined()
            let flood = Task { for n in 0..<total { try await flooding.emit("n", n) } }
            for id in 0..<20 { #expect(try await other.emitWithAck("ping", id: UInt64(id)).decode(String.self, at: 0) == "pong") }
            #expect(flooding.isOpen)
            release.value = true
            for n in stride(from: 0, to: total, by: 100) {
                #expect(try await flooding.receiveEvent().arguments.decode(Int.self, at: 0) == n)
            }
            #expect(try await flooding.receiveEvent().arguments.decode(Int.self, at: 0) == total - 1)
            try await flood.value
        }
    }

    @Test(arguments: [1, 4])
    func `clients that do not read are closed at their limit`(loops: Int) async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.limits.sendBufferBytes = 256 << 10
        let reasons = Reports<String>()
        try await withTestServer(configuration: configuration, eventLoops: loops) { io in
            io.onConnect { socket in socket.onDisconnect { reasons.report($0.reason.description) } }
        } _: { server in
            let (lazy, _, _) = try await server.joined()
            let (reading, _, _) = try await server.joined()
            try await lazy.stopReading()
            let chunk = String(repeating: "x", count: 64 << 10)
            var sent = 0
            while server.io.sockets.socketCount == 2 {
                try await server.io.emit("chunk", chunk)
                sent += 1
                _ = try await reading.receiveEvent()
                try #require(sent < 10_000)
            }
            #expect(await reasons.next() == "send buffer full")
            #expect(reading.isOpen)
        }
    }

    @Test func `concurrent handlers are bounded too`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.eventQueue = EventQueueLimits(events: 8, bytes: 1 << 20, hardEvents: 4_096, hardBytes: 16 << 20)
        let (running, most, release) = (Shared(0), Shared(0), Shared(false))
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on("n", .concurrent) { (_: Int) in
                    running.value += 1
                    most.value = max(most.value, running.value)
                    try await eventually { release.value }
                    running.value -= 1
                }
                socket.on("done") { true }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            let flood = Task { for n in 0..<2_000 { try await client.emit("n", n) } }
            try await eventually { most.value >= 8 }
            release.value = true
            try await flood.value
            #expect(try await client.emitWithAck("done").decode(Bool.self, at: 0))
            // What one read had brought in before reading stopped is all that may exceed the limit.
            #expect(most.value < 1_000)
        }
    }
}
