// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
package import SocketIOCore
package import SocketIOText

/// A session that a node has stored, to be taken over by the node to which its client comes back.
public struct StoredSession: Sendable {
    /// The namespace.
    public var namespace: String
    /// The private session id. Whoever knows it has the session: it must not be logged.
    public var pid: String
    /// The session in the native encoding, whatever the format of the messages.
    public var payload: ByteBuffer
    /// Whether it is a copy of a session that its node still had when it stored it; see ``SnapshotStore``.
    public var isSnapshot: Bool

    /// Creates a session.
    public init(namespace: String, pid: String, payload: ByteBuffer, isSnapshot: Bool = false) {
        self.namespace = namespace
        self.pid = pid
        self.payload = payload
        self.isSnapshot = isSnapshot
    }
}

/// Where nodes keep copies of the sessions of clients that are connected, in case they crash; see
/// ``ClusterConfiguration/snapshotsSessions``.
///
/// Under one namespace and private id there is one session, whether a copy or one that its node has given up
/// (``Driver/storeSessions(_:for:)``): the later replaces the earlier. ``Driver/takeSession(_:in:)`` does not give copies.
///
/// Everything must return within a bounded time.
public protocol SnapshotStore: Sendable {
    /// Stores copies. What cannot be stored, because it is too large, is left out.
    ///
    /// - Parameters:
    ///   - sessions: At most ``ClusterConfiguration/maximumBatchMessages`` and ``ClusterConfiguration/maximumBatchBytes``.
    ///   - owner: The node that has the sessions.
    ///   - duration: For how long they are wanted; they may be deleted some time after that.
    /// - Throws: An error if some may not be stored; they are stored again then.
    func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws

    /// Removes copies, unless another node has stored the session since, or this one has given it up.
    ///
    /// - Parameters:
    ///   - pids: The private ids, at most ``ClusterConfiguration/maximumBatchMessages``.
    ///   - namespace: The namespace.
    ///   - owner: The id of the node that has stored them, in whichever of its lives.
    /// - Throws: An error if some may still be there; they are removed again then.
    func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws

    /// Finds a session and removes it in one step, so that of any number of callers, on any nodes, exactly one gets it.
    ///
    /// - Parameters:
    ///   - pid: The private session id that a client has presented: any text, to be compared as a whole.
    ///   - namespace: The namespace.
    ///   - owners: Nodes that are alive: their copies stay where they are.
    /// - Returns: A session that was given up, or a copy of a node that is not among `owners`; nil if there is none.
    /// - Throws: An error if it cannot be told; the session counts as lost.
    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession?
}

/// What is in the payload of a ``StoredSession`` that is a copy.
package struct SessionSnapshot: Sendable {
    /// The node that has the session.
    package var owner: NodeIdentity
    /// The socket's id.
    package var id: SocketID
    /// The rooms that the socket is in, its own included.
    package var rooms: NameSet
    /// The socket's data.
    package var data: EncodedValue
    /// How far the node had come with the stream when the client connected; nil if that is not known.
    package var start: MessageID?
    /// Whether other nodes had the session before.
    package var isMoved: Bool

    package init(owner: NodeIdentity, id: SocketID, rooms: NameSet, data: EncodedValue, start: MessageID?, isMoved: Bool) {
        self.owner = owner
        self.id = id
        self.rooms = rooms
        self.data = data
        self.start = start
        self.isMoved = isMoved
    }
}

/// What is in the payload of a ``StoredSession``.
package struct StoredSessionContent: Sendable {
    /// The node that stored it, in the life that its `draining` announced.
    package var owner: NodeIdentity
    /// How long its client had been away when it was stored.
    package var age: TimeAmount
    /// The last packet that the client is known to have got; nil if it got none.
    package var base: MessageID?
    /// The session; `missed` are the packets after `base`.
    package var session: ClaimedSession

    package init(owner: NodeIdentity, age: TimeAmount, base: MessageID?, session: ClaimedSession) {
        self.owner = owner
        self.age = age
        self.base = base
        self.session = session
    }

    /// The session for a client that has come so far; nil if what it has missed cannot be told.
    package func session(after offset: MessageID?) -> ClaimedSession? {
        if offset == base { return session }
        guard let offset, let index = session.missed.lastIndex(where: { $0.offset == offset }) else { return nil }
        var result = session
        result.missed.removeFirst(index + 1)
        return result
    }
}
