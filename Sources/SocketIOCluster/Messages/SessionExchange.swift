// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
public import SocketIOText

/// Sessions of clients that are away, where nodes of other kinds find them too. What a node of this package has, others of it get from
/// itself; this is for the rest.
public protocol SessionExchange: Sendable {
    /// Writes the session of a client that has just gone.
    ///
    /// - Parameters:
    ///   - session: The session; its `missed` is empty.
    ///   - node: The id of this node.
    /// - Throws: An error if it may not be written; the client then starts anew elsewhere.
    func persist(_ session: SharedSession, by node: NodeID) async throws

    /// Takes a session, so that of any number of callers one gets it, with what its client has missed.
    ///
    /// - Parameters:
    ///   - pid: The private session id that a client has presented: any text, to be compared as a whole.
    ///   - offset: The offset of the last packet that the client got.
    ///   - namespace: The namespace.
    ///   - retention: How old the session may be.
    ///   - node: The id of this node.
    /// - Returns: The session; nil if there is none, or if what was missed cannot be told.
    func take(
        _ pid: String,
        after offset: MessageID,
        in namespace: String,
        retention: Duration,
        by node: NodeID
    ) async throws -> SharedSession?

    /// A session that was written is not away any more: nobody else may take it.
    func forget(_ pid: String, in namespace: String, by node: NodeID) async throws
}

/// A session as nodes of all kinds know it.
public struct SharedSession: Sendable {
    /// The namespace.
    public var namespace: String
    /// The private session id. Whoever knows it has the session: it must not be logged.
    public var pid: String
    /// The socket's id.
    public var id: SocketID
    /// The rooms that the socket was in, its own included.
    public var rooms: NameSet
    /// The socket's data, as an encoded object with string keys.
    public var data: EncodedValue
    /// The packets after the client's offset, in order, each with its own offset.
    public var missed: [BroadcastPacket]

    /// Creates a session.
    public init(namespace: String, pid: String, id: SocketID, rooms: NameSet, data: EncodedValue, missed: [BroadcastPacket] = []) {
        self.namespace = namespace
        self.pid = pid
        self.id = id
        self.rooms = rooms
        self.data = data
        self.missed = missed
    }
}
