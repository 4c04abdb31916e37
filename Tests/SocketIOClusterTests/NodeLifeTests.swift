// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOPosix
import SocketIOConcurrency
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

@testable import SocketIOCluster

/// What callers see of a node that has not started, leaves, or whose backend hangs.
@Suite("Life of a node")
struct NodeLifeTests {
    /// A bus whose writes wait until they are let go.
    private final class HangingDriver: Driver {
        private let base: InMemoryDriver
        private let hangs = Mutex(false)
        private let entered = Mutex(0)
        private let free = Signal()
        private let starts = Mutex(true)
        private let isClosed = Mutex(false)

        init(_ base: InMemoryDriver, startHangs: Bool = false) {
            self.base = base
            starts.withLock { $0 = !startHangs }
        }

        var wasClosed: Bool { isClosed.withLock { $0 } }
        func start() async throws {
            guard !starts.withLock({ $0 }) else { return }
            entered.withLock { $0 += 1 }
            await free.wait()
        }
        func close() async { isClosed.withLock { $0 = true } }

        var messageLimit: Int { base.messageLimit }
        /// The number of writes that have hung.
        var hanging: Int { entered.withLock { $0 } }
        func hang() { hangs.withLock { $0 = true } }
        func release() {
            hangs.withLock { $0 = false }
            free.raise()
        }

        func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { try await base.watch(as: node) }
        func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
            if hangs.withLock({ $0 }) {
                entered.withLock { $0 += 1 }
                await free.wait()
            }
            return await base.emit(batch)
        }
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)

        func next() -> Int {
            value.withLock { value in
                value += 1
                return value
            }
        }

        func reset() { value.withLock { $0 = 0 } }
    }

    private func settled(_ count: Int, _ nodes: [TestNode]) async throws {
        for node in nodes { try await eventually { try await node.adapter.serverCount() == count } }
    }

    /// With which nodes say nothing by themselves.
    private func configuration() -> ClusterConfiguration {
        var configuration = TestNode.configuration()
        configuration.heartbeatInterval = .seconds(20)
        return configuration
    }

    @Test(.timeLimit(.minutes(1)))
    func `A call that is cancelled says that it may have been sent when it may`() async throws {
        let cluster = InMemoryCluster()
        let driver = HangingDriver(cluster.makeDriver())
        let nodes = [
            TestNode("caller", driver: driver, configuration: configuration()),
            TestNode("other", driver: cluster.makeDriver(), configuration: configuration()),
        ]
        for node in nodes { try await node.start() }
        try await settled(2, nodes)
        _ = try await nodes[0].adapter.fetchSockets(BroadcastOptions())
        driver.hang()
        let adapter = nodes[0].adapter
        func call() -> Task<ClusterError?, Never> {
            Task {
                do { _ = try await adapter.serverSideEmitWithAck(.empty(.json), timeout: .seconds(20)) } catch {
                    return error as? ClusterError
                }
                return nil
            }
        }
        let written = call()
        try await eventually { driver.hanging == 1 }
        let waiting = call()
        try await eventually { nodes[0].node.runner.read { $0.pendingCount } == 2 }
        written.cancel()
        waiting.cancel()
        #expect(await written.value?.code == .unknown)
        #expect(await waiting.value?.code == .notSent)
        // A task that is cancelled before it calls makes no request that lasts.
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await #expect(throws: ClusterError.self) {
                try await adapter.serverSideEmitWithAck(.empty(.json), timeout: .seconds(20))
            }
        }
        #expect(await early.value?.code == .notSent)
        driver.release()
        #expect(nodes[1].server.all.count <= 1)
        for node in nodes { await node.node.close() }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A node that has not been started says so, and keeps nobody waiting`() async throws {
        let node = TestNode("n", driver: InMemoryCluster().makeDriver())
        let socket = try await node.connect("s")
        let emit = await #expect(throws: ClusterError.self) {
            try await node.adapter.broadcast(TestNode.packet("x"), to: BroadcastOptions())
        }
        #expect(emit?.code == .notSent)
        try await eventually { socket.received == ["x"] }
        let fetch = await #expect(throws: ClusterError.self) { try await node.adapter.fetchSockets(BroadcastOptions()) }
        #expect(fetch?.code == .notSent)
        let stream = try await node.adapter.broadcastWithAck(TestNode.packet("x"), to: BroadcastOptions())
        for await _ in stream {}
        #expect(stream.summary.answered <= 1)
        await node.node.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `A node that is closed while it starts does not run`() async throws {
        let driver = HangingDriver(InMemoryCluster().makeDriver(), startHangs: true)
        let node = ClusterNode(driver: driver)
        let start = Task { try await node.start() }
        try await eventually { driver.hanging == 1 }
        await node.close()
        driver.release()
        let error = await #expect(throws: ClusterError.self) { try await start.value }
        #expect(error?.code == .closed)
        #expect(driver.wasClosed)
        #expect(node.health == .starting)
    }

    @Test(.timeLimit(.minutes(1)))
    func `A node that hears nothing still says that it leaves`() async throws {
        let cluster = InMemoryCluster()
        let driver = BrokenDriver(cluster.makeDriver(), .deaf)
        var configuration = configuration()
        configuration.settleTimeout = .milliseconds(300)
        let watcher = TestNode("watcher", driver: cluster.makeDriver(), configuration: configuration)
        let deaf = TestNode("deaf", driver: driver, configuration: configuration)
        try await watcher.start()
        try await deaf.start()
        #expect(deaf.node.health == .starting)
        try await settled(2, [watcher])
        await deaf.node.close()
        try await settled(1, [watcher])
        #expect(watcher.log.all.contains { $0.hasPrefix("left") })
        await watcher.node.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `Answers are split so that each can be carried; a socket too large for any is named`() async throws {
        let cluster = InMemoryCluster()
        let nodes = [
            TestNode("caller", driver: cluster.makeDriver(), configuration: configuration()),
            TestNode("small", driver: BrokenDriver(cluster.makeDriver()), configuration: configuration()),
        ]
        for node in nodes { try await node.start() }
        try await settled(2, nodes)
        let name = String(repeating: "r", count: 900)
        for index in 0..<30 { _ = try await nodes[1].connect("s\(index)", rooms: ["\(name)\(index)"]) }
        let sockets = try await nodes[0].adapter.fetchSockets(BroadcastOptions())
        #expect(Set(sockets.map(\.id)).count == 30)
        _ = try await nodes[1].connect("giant", rooms: (0..<20).map { "\(name)\($0)" })
        let error = await #expect(throws: IncompleteResponseError<[SocketDescription]>.self) {
            try await nodes[0].adapter.fetchSockets(BroadcastOptions())
        }
        #expect(error?.missingNodes == ["small"])
        #expect(error?.partial.count == 30)
        #expect(nodes[0].log.all.contains { $0.contains("answerFailed") && $0.contains("giant") })
        for node in nodes { await node.node.close() }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Events are told one after the other, in the order in which they happened`() async throws {
        let told = TestNode.Log()
        let busy = Counter()
        var options = ClusterNode.Options(id: "n", configuration: TestNode.configuration())
        options.logger.logLevel = .critical
        options.onEvent = { event in
            #expect(busy.next() == 1)
            if case .skipped(let text) = event { told.append(text) }
            busy.reset()
        }
        let node = ClusterNode(driver: InMemoryCluster().makeDriver(), options: options)
        let number = Counter()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        // The number is taken in one step with the event, as the machine's states are.
                        node.runner.perform { _, _ in [.report(.skipped("\(number.next())"))] }
                    }
                }
            }
        }
        try await eventually { told.all.count == 1_600 }
        #expect(told.all == (1...1_600).map(String.init))
    }

    @Test(.timeLimit(.minutes(1)))
    func `A signal wakes all who wait, and only who is cancelled if one is`() async throws {
        let signal = Signal()
        let woken = TestNode.Log()
        let tasks = (0..<3).map { number in
            Task {
                await signal.wait()
                woken.append("\(number)")
            }
        }
        try await eventually { signal.waiterCount == 3 }
        tasks[1].cancel()
        await tasks[1].value
        #expect(woken.all == ["1"])
        signal.raise()
        for task in tasks { await task.value }
        #expect(Set(woken.all) == ["0", "1", "2"])
        // Raised before anybody waits.
        signal.raise()
        signal.raise()
        await signal.wait()
    }

    @Test(.timeLimit(.minutes(3)))
    func `Clients that are slow to acknowledge keep no other request waiting`() async throws {
        try await withNodes(2, configuration()) { nodes in
            try await settled(2, nodes)
            _ = try await nodes[1].connect("silent", acknowledges: false)
            var options = BroadcastOptions()
            // Nobody is given up before the other request is made.
            options.flags.timeout = .seconds(120)
            var streams: [BroadcastAcknowledgements] = []
            for _ in 0..<4_200 {
                streams.append(try await nodes[0].adapter.broadcastWithAck(TestNode.packet("x"), to: options))
            }
            let sockets = try await nodes[0].adapter.fetchSockets(BroadcastOptions())
            #expect(sockets.map(\.id) == ["silent"])
            for stream in streams { stream.cancel() }
        }
    }
}
