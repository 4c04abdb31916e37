// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import Synchronization

/// A bus whose writes wait while they are told to, or fail.
final class PausedDriver: Driver {
    private struct State {
        var isStalling = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var failure: BatchOutcome?
        var health: ClusterHealth?
        var counts: [ClusterMessageKind: Int] = [:]
    }

    private let base: InMemoryDriver
    private let state = Mutex(State())

    let messageCheck: (@Sendable (ClusterBody, String) -> ClusterError?)?

    /// - Parameter messageCheck: Tells what can never be written.
    init(_ cluster: InMemoryCluster, messageCheck: (@Sendable (ClusterBody, String) -> ClusterError?)? = nil) {
        base = cluster.makeDriver()
        self.messageCheck = messageCheck
    }

    var messageLimit: Int { 10_000 }
    var backendHealth: ClusterHealth? { state.withLock { $0.health } }

    /// From here on this is wrong with the backend.
    func report(_ health: ClusterHealth?) { state.withLock { $0.health = health } }

    /// The number of writes that wait.
    var stalled: Int { state.withLock { $0.waiting.count } }

    /// How many messages of a kind were written.
    func count(of kind: ClusterMessageKind) -> Int { state.withLock { $0.counts[kind] ?? 0 } }

    /// From here on writes wait.
    func stall() { state.withLock { $0.isStalling = true } }

    /// Lets all writes go on.
    func release() {
        let waiting = state.withLock { state in
            state.isStalling = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// From here on all writes end so; nil for the truth.
    func fail(with outcome: BatchOutcome?) { state.withLock { $0.failure = outcome } }

    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { try await base.watch(as: node) }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if state.isStalling { state.waiting.append(continuation) }
                return state.isStalling
            }
            if !waits { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { return failure }
        state.withLock { state in
            for message in batch { state.counts[message.header.kind, default: 0] += 1 }
        }
        return await base.emit(batch)
    }
}
