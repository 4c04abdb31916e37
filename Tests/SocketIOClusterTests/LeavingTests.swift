// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import SocketIOCluster
import SocketIOCore
import SocketIOTesting
import Synchronization
import Testing

/// A bus whose messages take their time to be decoded, if they are to.
private final class StallingDriver: Driver {
    private let base: InMemoryDriver
    /// Shut while messages are not to be decoded.
    private let gate = ConditionLock(value: true)
    private let stalled = Mutex(false)

    init(base: InMemoryDriver) { self.base = base }

    var messageLimit: Int { base.messageLimit }
    /// Whether a message is being decoded.
    var hasStalled: Bool { stalled.withLock { $0 } }
    func stall(_ isStalling: Bool) {
        stalled.withLock { $0 = false }
        gate.lock()
        gate.unlock(withValue: !isStalling)
    }

    func watch(as node: NodeID) async throws -> AsyncMapSequence<AsyncStream<DriverItem>, DriverItem> {
        try await base.watch(as: node).map { [self] item in
            guard case .message(let header, let payload) = item, header.kind == .broadcast else { return item }
            return .message(header, .deferred { [self] in try decode(payload, header) })
        }
    }

    private func decode(_ payload: ClusterPayload, _ header: ClusterHeader) throws -> ClusterBody {
        stalled.withLock { $0 = true }
        // Decoding does not suspend, so it blocks.
        gate.lock(whenValue: true)
        gate.unlock()
        return try payload.body(for: header)
    }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome { await base.emit(batch) }

    var keepsSessions: Bool { true }
    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try await base.storeSessions(sessions, for: duration)
    }
    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? { try await base.takeSession(pid, in: namespace) }
}

@Suite("A node that leaves while it reads", .timeLimit(.minutes(1)))
struct LeavingTests {
    @Test
    func `A message that counts as read when the sessions are stored is in them`() async throws {
        let cluster = InMemoryCluster()
        let driver = StallingDriver(base: cluster.makeDriver())
        let (leaving, other, client, socket) = try await ClosingTests.departure(from: cluster, driver)
        driver.stall(true)
        var packet = TestNode.packet("just read")
        packet.offset = MessageID(seconds: 1, process: 2, counter: 3)
        try await other.adapter.broadcast(packet, to: BroadcastOptions())
        try await eventually { driver.hasStalled }
        async let end: Void = leaving.adapter.close()
        // Time for it to store what it should not store yet: that it waits instead is nothing that could be awaited.
        try await Task.sleep(for: .milliseconds(200))
        driver.stall(false)
        await end
        await leaving.node.close()
        #expect(await RecoveryTests.restore(client, socket.pid, at: other) != nil)
        try await eventually { client.received == ["just read"] }
        await other.node.close()
    }
}
