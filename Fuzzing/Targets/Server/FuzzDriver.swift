// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import Synchronization

/// The backend of a node that is fuzzed: nothing is written, and what is read is what the fuzzer says.
final class FuzzDriver: Driver, SnapshotStore {
    private struct State {
        var stream: AsyncStream<DriverItem>.Continuation?
        var lastRequest: ClusterRequestID?
        var stored: [String: StoredSession] = [:]
    }

    private let state = Mutex(State())

    var messageLimit: Int { 1 << 20 }
    var keepsSessions: Bool { true }
    var snapshotStore: (any SnapshotStore)? { self }

    /// The id of the request that the node made last.
    var lastRequest: ClusterRequestID? { state.withLock { $0.lastRequest } }

    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> {
        let (stream, continuation) = AsyncStream.makeStream(of: DriverItem.self)
        continuation.yield(.opened(lost: false))
        state.withLock { $0.stream = continuation }
        return stream
    }

    /// Lets the node read something.
    func deliver(_ item: DriverItem) { _ = state.withLock { $0.stream }?.yield(item) }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        for message in batch {
            if message.header.kind.isRequest, let request = message.header.request { state.withLock { $0.lastRequest = request } }
            deliver(.own(message.header.id, origin: message.header.origin))
        }
        return .written
    }

    // MARK: Sessions

    /// A session, or a copy of one, as some node has stored it.
    func put(_ session: StoredSession) { state.withLock { $0.stored = [session.pid: session] } }

    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {}
    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? {
        state.withLock { $0.stored.removeValue(forKey: pid) }
    }

    func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws {}
    func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws {}
    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession? {
        state.withLock { $0.stored.removeValue(forKey: pid) }
    }
}
