// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// A session that moves to the node where its client has returned.
public struct ClaimedSession: Sendable {
    /// The state of the session.
    public var state: SessionState
    /// The packets after the client's offset, in order.
    public var missed: [BroadcastPacket]
    /// The ids of packets that the socket has been given, or is given by `missed`: the new node must not deliver them again.
    public var known: [MessageID]
    /// The old node's position in the messages of each origin in the namespace's lane.
    public var positions: [OriginPosition]

    /// The position of a node in the messages of another.
    public struct OriginPosition: Sendable, Hashable {
        /// The sender.
        public var origin: NodeIdentity
        /// The last number of its messages for all nodes.
        public var number: UInt64

        /// Creates a position.
        public init(origin: NodeIdentity, number: UInt64) {
            self.origin = origin
            self.number = number
        }
    }

    /// Creates a session.
    public init(state: SessionState, missed: [BroadcastPacket] = [], known: [MessageID] = [], positions: [OriginPosition] = []) {
        self.state = state
        self.missed = missed
        self.known = known
        self.positions = positions
    }
}
