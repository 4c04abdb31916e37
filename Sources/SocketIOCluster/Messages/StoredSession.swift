// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// A session that a node has stored in the backend, to be taken by the node where its client returns.
public struct StoredSession: Sendable {
    /// The namespace.
    public var namespace: String
    /// The private session id. Knowing it is enough to claim the session: it must not be logged.
    public var pid: String
    /// The session in the native encoding, whatever the wire format of messages is.
    public var payload: ByteBuffer
    /// Whether it is a snapshot of a session that its node still had when it stored it; see ``SnapshotStore``.
    public var isSnapshot: Bool

    /// Creates a session.
    public init(namespace: String, pid: String, payload: ByteBuffer, isSnapshot: Bool = false) {
        self.namespace = namespace
        self.pid = pid
        self.payload = payload
        self.isSnapshot = isSnapshot
    }
}

/// Where nodes keep snapshots of the sessions of connected clients, in case a node crashes; see
/// ``ClusterConfiguration/snapshotsSessions``.
///
/// Under a namespace and private id there is one session: either a snapshot or a session that its node has handed over
/// (``Driver/storeSessions(_:for:)``). The later replaces the earlier. ``Driver/takeSession(_:in:)`` does not return snapshots.
///
/// All methods must return within a bounded time.
public protocol SnapshotStore: Sendable {
    /// Stores snapshots. Those that are too large are left out.
    ///
    /// - Parameters:
    ///   - sessions: At most ``ClusterConfiguration/maximumBatchMessages`` and ``ClusterConfiguration/maximumBatchBytes``.
    ///   - owner: The node that has the sessions.
    ///   - duration: How long they are needed; they may be deleted some time after that.
    /// - Throws: An error if some may not be stored; the node then stores them again.
    func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws

    /// Removes snapshots, unless another node has stored the session since, or this node has handed it over.
    ///
    /// - Parameters:
    ///   - pids: The private ids, at most ``ClusterConfiguration/maximumBatchMessages``.
    ///   - namespace: The namespace.
    ///   - owner: The id of the node that has stored them, in any epoch.
    /// - Throws: An error if some may still be there; the node then removes them again.
    func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws

    /// Finds a session and removes it in one atomic step, so that of any number of callers, on any nodes, exactly one gets it.
    ///
    /// - Parameters:
    ///   - pid: The private session id that a client has presented: arbitrary text, to be compared as a whole.
    ///   - namespace: The namespace.
    ///   - owners: Nodes that are alive: their snapshots are left alone.
    /// - Returns: A session that was handed over, or a snapshot of a node that is not among `owners`; nil if there is none.
    /// - Throws: An error if the outcome is unknown; the session counts as lost.
    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession?
}
