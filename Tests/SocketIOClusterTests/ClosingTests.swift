// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTesting
import Synchronization
import Testing

/// A bus that stops answering: its callers wait, cancelled or not, until it is mended.
private final class HangingDriver: Driver {
    private struct State {
        var isHanging = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var refuses = false
        var onWrite: @Sendable () async -> Void = {}
    }

    private let base: InMemoryDriver
    private let state = Mutex(State())

    init(base: InMemoryDriver) { self.base = base }

    var messageLimit: Int { base.messageLimit }
    var keepsSessions: Bool { true }

    func hang() { state.withLock { $0.isHanging = true } }
    /// From here on this is done while a batch is being written.
    func duringWrites(_ body: @escaping @Sendable () async -> Void) { state.withLock { $0.onWrite = body } }
    func refuse() { state.withLock { $0.refuses = true } }
    func mend() {
        let waiting = state.withLock { state in
            state.isHanging = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private func answer() async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if state.isHanging { state.waiting.append(continuation) }
                return state.isHanging
            }
            if !waits { continuation.resume() }
        }
    }

    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { try await base.watch(as: node) }
    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        if state.withLock({ $0.refuses }) { return .notWritten(ClusterError(.unreachable, "it refuses")) }
        await answer()
        await state.withLock { $0.onWrite }()
        return await base.emit(batch)
    }
    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        await answer()
        try await base.storeSessions(sessions, for: duration)
    }
    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? { try await base.takeSession(pid, in: namespace) }
    func close() async { await answer() }
}

@Suite("The end of a node", .timeLimit(.minutes(1)))
struct ClosingTests {
    private func configuration(_ change: (inout ClusterConfiguration) -> Void) -> ClusterConfiguration {
        var configuration = TestNode.configuration()
        change(&configuration)
        return configuration
    }

    /// Two nodes of which one is about to leave, and what it has of a client that is away.
    static func departure(
        from cluster: InMemoryCluster,
        _ driver: any Driver
    ) async throws -> (leaving: TestNode, other: TestNode, client: RecoveringClient, socket: RecoveringSocket) {
        let leaving = TestNode("leaving", driver: driver, recovery: RecoveryLimits())
        let other = TestNode("other", driver: cluster.makeDriver(), recovery: RecoveryLimits())
        for node in [leaving, other] { try await node.start() }
        try await eventually { try await other.adapter.serverCount() == 2 }
        let client = RecoveringClient()
        let socket = try await RecoveryTests.connect(client, to: leaving, rooms: [])
        try await RecoveryTests.cutOff(socket, of: leaving, isNoticed: true)
        await leaving.node.drain()
        try await eventually { other.log.all.contains { $0.hasPrefix("draining") } }
        return (leaving, other, client, socket)
    }

    private func end(_ node: TestNode) async -> Duration {
        await ContinuousClock().measure {
            await node.node.drain()
            await node.adapter.close()
            await node.node.close()
        }
    }

    @Test func `A backend that hangs holds it up until its deadline and no longer`() async throws {
        let driver = HangingDriver(base: InMemoryCluster().makeDriver())
        let short = configuration {
            $0.closeTimeout = .seconds(3)
            $0.writeTimeout = .seconds(100)
        }
        let node = TestNode("a", driver: driver, configuration: short, recovery: RecoveryLimits())
        try await node.start()
        driver.hang()
        let time = await end(node)
        driver.mend()
        #expect(time < .seconds(30), "\(time)")
        #expect(node.node.health == .closed)
    }

    @Test func `A backend that is known to be unreachable is not waited for that long`() async throws {
        let driver = HangingDriver(base: InMemoryCluster().makeDriver())
        let short = configuration {
            $0.closeTimeout = .seconds(100)
            $0.writeTimeout = .seconds(100)
            $0.unreachableCloseTimeout = .seconds(2)
        }
        let node = TestNode("a", driver: driver, configuration: short, recovery: RecoveryLimits())
        try await node.start()
        driver.refuse()
        try await eventually { node.node.health == .unreachable }
        driver.hang()
        let time = await end(node)
        driver.mend()
        #expect(time < .seconds(30), "\(time)")
    }

    @Test func `A backend that is well is left at once`() async throws {
        let node = TestNode("a", driver: InMemoryCluster().makeDriver(), configuration: configuration { $0.closeTimeout = .seconds(50) })
        try await node.start()
        #expect(await end(node) < .seconds(30))
    }

    @Test func `A node that never stops emitting stores its sessions, and their clients get everything once and in order`() async throws {
        let cluster = InMemoryCluster()
        let driver = HangingDriver(base: cluster.makeDriver())
        let (leaving, other, client, socket) = try await Self.departure(from: cluster, driver)
        let count = Mutex(0)
        let emit: @Sendable () async -> Void = {
            let number = count.withLock { count in
                count += 1
                return count
            }
            let offset = MessageID(seconds: 1, process: 1, counter: UInt64(number))
            let packet = BroadcastPacket(TestNode.packet("\(number)").encoded, offset: offset)
            try? await leaving.adapter.broadcast(packet, to: BroadcastOptions())
        }
        // Whenever a batch is written, the next one waits.
        driver.duringWrites {
            await emit()
            // The time that a backend takes for a write: without it, this loop would leave no processor for the rest.
            try? await Task.sleep(for: .milliseconds(2))
        }
        await emit()
        try await eventually { count.withLock { $0 } > 20 }
        let time = await ContinuousClock().measure { await leaving.adapter.close() }
        #expect(time < .seconds(5), "\(time)")
        #expect(await RecoveryTests.restore(client, socket.pid, at: other) != nil)
        let restored = count.withLock { $0 }
        try await eventually { count.withLock { $0 } > restored + 20 }
        driver.duringWrites {}
        await leaving.node.close()
        let expected = (1...count.withLock { $0 }).map(String.init)
        try await eventually { client.received.count >= expected.count }
        #expect(client.received == expected)
        await other.node.close()
    }

    @Test func `Whoever cancels the closing loses no session and hides no leave`() async throws {
        let cluster = InMemoryCluster()
        let (leaving, other, client, socket) = try await Self.departure(from: cluster, cluster.makeDriver())
        let end = Task {
            while !Task.isCancelled { await Task.yield() }
            await leaving.adapter.close()
            await leaving.node.close()
        }
        end.cancel()
        await end.value
        try await eventually { other.log.all.contains { $0.hasPrefix("left") } }
        #expect(await RecoveryTests.restore(client, socket.pid, at: other) != nil)
        await other.node.close()
    }
}
