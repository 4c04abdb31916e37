// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import SocketIOCore

/// `fetchSockets` on the event loop, whose time a test moves.
@Suite(.timeLimit(.minutes(1))) struct DescribingTests {
    private final class Log: Sendable {
        let state = Mutex((described: 0, isDone: false))
    }

    private final class DescribedSocket: LocalSocket {
        let id: SocketID
        let eventLoop: any EventLoop
        private let log: Log

        init(_ id: SocketID, on loop: any EventLoop, _ log: Log) { (self.id, self.eventLoop, self.log) = (id, loop, log) }

        func describe() -> SocketDescription {
            log.state.withLock { $0.described += 1 }
            return SocketDescription(id: id, handshake: Handshake(), data: EncodedObject.empty)
        }

        func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) {}
        func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {}
        func forgetAcknowledgement(_ id: UInt64) {}
        func disconnect(closeConnection: Bool) {}
        func handOverSession() -> RecoverableSession? { nil }
    }

    /// - Returns: How many sockets each turn of the loop described.
    private func turns(sockets: Int, rooms: Int) async throws -> [Int] {
        let loop = NIOAsyncTestingEventLoop()
        let adapter = CoreLocalAdapter(eventLoops: [loop], format: .json)
        let log = Log()
        try await loop.executeInContext {
            for number in 0..<sockets {
                let socket = DescribedSocket("s\(number)", on: loop, log)
                adapter.add(socket)
                adapter.join(socket, rooms: (0..<rooms).map { "r\($0)" })
            }
        }
        async let descriptions = {
            defer { log.state.withLock { $0.isDone = true } }
            return try await adapter.fetchSockets(BroadcastOptions())
        }()
        var turns: [Int] = []
        var before = 0
        while !log.state.withLock({ $0.isDone }) {
            await loop.advanceTime(by: CoreLocalAdapter.pause)
            await Task.yield()
            let now = log.state.withLock { $0.described }
            if now > before { turns.append(now - before) }
            before = now
        }
        #expect(try await descriptions.count == sockets)
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
