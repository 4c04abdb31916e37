// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import SocketIOTestSupport
import Synchronization
import Testing

@testable import SocketIOCore

/// `fetchSockets` on the event loop, whose time a test moves.
@Suite(.timeLimit(.minutes(1))) struct DescribingTests {
    /// - Returns: How many sockets each turn of the loop described.
    private func turns(sockets count: Int, rooms: Int) async throws -> [Int] {
        let loop = NIOAsyncTestingEventLoop()
        let adapter = CoreLocalAdapter(eventLoops: [loop], format: .json)
        let isDone = Atomic(false)
        let sockets = (0..<count).map { FakeSocket("s\($0)", on: loop) }
        try await loop.executeInContext {
            for socket in sockets {
                adapter.add(socket)
                adapter.join(socket, rooms: (0..<rooms).map { "r\($0)" })
            }
        }
        async let descriptions = {
            defer { isDone.store(true, ordering: .releasing) }
            return try await adapter.fetchSockets(BroadcastOptions())
        }()
        var turns: [Int] = []
        var before = 0
        while !isDone.load(ordering: .acquiring) {
            await loop.advanceTime(by: CoreLocalAdapter.pause)
            await Task.yield()
            let now = sockets.reduce(0) { $0 + $1.descriptions }
            if now > before { turns.append(now - before) }
            before = now
        }
        #expect(try await descriptions.count == count)
        await loop.shutdownGracefully()
        return turns
    }

    @Test func `many sockets are described in several turns`() async throws {
        let turns = try await turns(sockets: 2_000, rooms: 0)
        #expect(turns.count >= 10 && turns.allSatisfy { $0 <= 200 })
    }

    @Test func `sockets in many rooms are described some at a time`() async throws {
        let turns = try await turns(sockets: 40, rooms: 1_000)
        #expect(turns.count >= 20 && turns.allSatisfy { $0 <= 2 })
    }

    @Test func `few sockets are described at once`() async throws {
        #expect(try await turns(sockets: 100, rooms: 5) == [100])
    }
}
