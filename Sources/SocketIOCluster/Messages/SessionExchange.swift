// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// Where nodes of another implementation find parked sessions, and leave theirs. Nodes of this package hand sessions over to each other
/// without it.
public protocol SessionExchange: Sendable {
    /// Writes the session of a client that has just lost its connection.
    ///
    /// - Parameters:
    ///   - state: The state of the session.
    ///   - pid: The private session id. Knowing it is enough to claim the session: it must not be logged.
    ///   - namespace: The namespace.
    ///   - node: The id of this node.
    /// - Throws: An error if it may not be written; the client then starts anew on other nodes.
    func park(_ state: SessionState, pid: String, in namespace: String, by node: NodeID) async throws

    /// Claims a session, so that of any number of callers one gets it.
    ///
    /// - Parameters:
    ///   - pid: The private session id that a client has presented: arbitrary text, to be compared as a whole.
    ///   - offset: The offset of the last packet that the client has received.
    ///   - namespace: The namespace.
    ///   - retention: The maximum age of the session.
    ///   - node: The id of this node.
    /// - Returns: The session with the packets after the client's offset, in order, each with its own offset. nil if there is none, or if
    ///   the offset is not covered.
    func claim(
        _ pid: String,
        after offset: MessageID,
        in namespace: String,
        retention: Duration,
        by node: NodeID
    ) async throws -> ClaimedSession?

    /// Discards a session that was parked here, because its client has returned: no other node may claim it.
    func discard(_ pid: String, in namespace: String, by node: NodeID) async throws
}
