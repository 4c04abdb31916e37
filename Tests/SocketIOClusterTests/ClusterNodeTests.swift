// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

/// A bus that can be broken.
final class BrokenDriver: Driver {
    enum Mode: Sendable {
        case works
        case refusesAll
        case cannotWrite
        case deaf
    }

    private let base: InMemoryDriver
    private let mode: Mutex<Mode>
    private let opened = Mutex(0)
    /// What a deaf stream has swallowed.
    private let swallowed = Mutex<[DriverItem]>([])

    init(_ base: InMemoryDriver, _ mode: Mode = .works) {
        self.base = base
        self.mode = Mutex(mode)
    }

    var messageLimit: Int { 10_000 }
    var openCount: Int { opened.withLock { $0 } }
    func set(_ mode: Mode) { self.mode.withLock { $0 = mode } }

    func watch(as node: NodeID) async throws -> AsyncFlatMapSequence<AsyncStream<DriverItem>, AsyncStream<DriverItem>> {
        opened.withLock { $0 += 1 }
        let isDeaf = mode.withLock { $0 == .deaf }
        // The next stream hears, from where this one begins.
        if isDeaf { set(.works) }
        return try await base.watch(as: node).flatMap { [self] item in
            let items: [DriverItem] = swallowed.withLock { swallowed in
                if case .opened = item {
                    defer { swallowed = [] }
                    return [item] + swallowed
                }
                if isDeaf { swallowed.append(item) }
                return isDeaf ? [] : [item]
            }
            return AsyncStream { continuation in
                for item in items { continuation.yield(item) }
                continuation.finish()
            }
        }
    }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        switch mode.withLock({ $0 }) {
        case .works, .deaf: await base.emit(batch)
        case .refusesAll: .refused(index: 0, error: SimulatedFailure())
        case .cannotWrite: .notWritten(SimulatedFailure())
        }
    }
}

@Suite("Node")
struct ClusterNodeTests {
    private let confirmed = {
        var options = BroadcastOptions()
        options.flags.confirmed = true
        return options
    }()

    @Test(.timeLimit(.minutes(1)))
    func `A configuration out of bounds ends the start`() async throws {
        var configuration = TestNode.configuration()
        configuration.lanes = 65
        let node = TestNode("n", driver: InMemoryCluster().makeDriver(), configuration: configuration)
        let error = await #expect(throws: ClusterError.self) { try await node.start() }
        #expect(error?.code == .invalidConfiguration && error?.message.contains("lanes") == true)
    }

    @Test(.timeLimit(.minutes(1)))
    func `While nothing can be written, local sockets get what is emitted, and a confirmed emit throws`() async throws {
        let cluster = InMemoryCluster()
        let driver = BrokenDriver(cluster.makeDriver(), .cannotWrite)
        let clock = await ManualClock()
        let node = TestNode("n", driver: driver, clock: clock)
        try await clock.letTimePass {
            try await node.start()
            let socket = try await node.connect("s")
            let error = await #expect(throws: ClusterError.self) {
                try await node.adapter.broadcast(TestNode.packet("x"), to: confirmed)
            }
            #expect(error?.code == .notSent)
            try await eventually { socket.received == ["x"] }
            driver.set(.works)
            try await node.adapter.broadcast(TestNode.packet("y"), to: confirmed)
            await node.node.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A message that the backend refuses, or cannot carry, throws at once`() async throws {
        let cluster = InMemoryCluster()
        let driver = BrokenDriver(cluster.makeDriver())
        let node = TestNode("n", driver: driver)
        try await node.start()
        try await eventually { node.node.health == .healthy }
        let large = TestNode.packet(String(repeating: "x", count: 20_000))
        let error = await #expect(throws: ClusterError.self) { try await node.adapter.broadcast(large, to: BroadcastOptions()) }
        #expect(error?.code == .tooLarge)
        driver.set(.refusesAll)
        let refusal = await #expect(throws: ClusterError.self) {
            try await node.adapter.broadcast(TestNode.packet("x"), to: confirmed)
        }
        #expect(refusal?.code == .notSent)
        driver.set(.works)
        await node.node.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `A deaf stream is noticed and opened again`() async throws {
        let cluster = InMemoryCluster()
        let driver = BrokenDriver(cluster.makeDriver(), .deaf)
        let clock = await ManualClock()
        let node = TestNode("n", driver: driver, clock: clock)
        try await clock.letTimePass {
            try await node.start()
            try await eventually { driver.openCount == 2 && node.node.health == .healthy }
        }
        // Longer than it takes to find a stream deaf.
        for _ in 0..<60 { await clock.advance(by: .seconds(1)) }
        #expect(driver.openCount == 2)
        #expect(node.node.health == .healthy)
        await clock.letTimePass { await node.node.close() }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A node that stops is missing from what it owes, and then forgotten`() async throws {
        let cluster = InMemoryCluster()
        let driver = BrokenDriver(cluster.makeDriver())
        var configuration = TestNode.configuration()
        configuration.heartbeatTimeout = .seconds(10)
        let clock = await ManualClock()
        let nodes = [
            TestNode("alive", driver: cluster.makeDriver(), configuration: configuration, clock: clock),
            TestNode("dying", driver: driver, configuration: configuration, clock: clock),
        ]
        try await clock.letTimePass {
            for node in nodes { try await node.start() }
            try await eventually { try await nodes[0].adapter.serverCount() == 2 }
            driver.set(.cannotWrite)
            let error = await #expect(throws: IncompleteResponseError<[SocketDescription]>.self) {
                try await nodes[0].adapter.fetchSockets(BroadcastOptions())
            }
            #expect(error?.missingNodes == ["dying"])
            #expect(try await nodes[0].adapter.serverCount() == 1)
            for node in nodes { await node.node.close() }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `After close, nothing is sent and everything has an end`() async throws {
        let node = TestNode("n", driver: InMemoryCluster().makeDriver())
        try await node.start()
        try await node.adapter.broadcast(TestNode.packet("x"), to: BroadcastOptions())
        await node.node.close()
        let error = await #expect(throws: ClusterError.self) {
            try await node.adapter.broadcast(TestNode.packet("x"), to: BroadcastOptions())
        }
        #expect(error?.code == .closed)
        #expect(node.node.health == .closed)
        await node.node.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `Many tasks emit at once`() async throws {
        try await withNodes(2) { nodes in
            let socket = try await nodes[1].connect("s")
            await withThrowingTaskGroup { group in
                for task in 0..<20 {
                    group.addTask {
                        for number in 0..<50 { try await nodes[0].adapter.broadcast(TestNode.packet("\(task) \(number)"), to: .init()) }
                    }
                }
            }
            try await eventually { socket.received.count == 1_000 }
            for task in 0..<20 {
                let mine = socket.received.filter { $0.hasPrefix("\(task) ") }
                #expect(mine == (0..<50).map { "\(task) \($0)" })
            }
        }
    }
}
