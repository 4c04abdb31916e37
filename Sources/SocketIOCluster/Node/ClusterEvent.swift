// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Something that an operator should know of, or a test wants to see.
public enum ClusterEvent: Sendable {
    /// A node is there.
    case joined(NodeIdentity)
    /// A node is going to leave.
    case draining(NodeIdentity)
    /// A node has left.
    case left(NodeIdentity)
    /// A node has not been heard for too long, or is back in another life.
    case died(NodeIdentity)
    /// Messages were lost.
    ///
    /// - Parameters:
    ///   - origin: Who sent them; nil if the backend reports the loss, which then cannot be told.
    ///   - count: How many; nil if it is not known.
    case gap(origin: NodeIdentity?, count: UInt64?)
    /// A document of the collection could not be understood and was skipped.
    case skipped(String)
    /// A node, which may be this one, could not answer a request.
    case answerFailed(NodeID, String)
    /// Something that a node has written, or that was written in its name, contradicts what was read before: numbers that it has not given,
    /// a leave or another life of a node that goes on to speak. Somebody else writes to the backend, or two processes have one id. The node
    /// is listened to, and the numbers of its next heartbeat count.
    case contradiction(NodeIdentity, String)
    /// A document is not signed, or not with one of the keys, and was skipped.
    case untrusted(String)
    /// Another process uses this node's id.
    case duplicateNodeID(NodeIdentity)
    /// This node was stopped for so long that others took it for dead; it goes on in another epoch.
    case wasPaused(NodeIdentity)
    /// The state of this node has changed.
    case health(ClusterHealth)
}

/// How well a node takes part in its cluster.
public enum ClusterHealth: Sendable, Hashable {
    /// The node has not yet seen a message of its own come back.
    case starting
    /// Messages go out and come back.
    case healthy
    /// Messages go out and come back, and within the last minute some were read that contradict others, or are not signed: somebody else
    /// writes to the backend, or two processes have one id. All nodes read the same, so taking this one out of service does not help.
    case contested
    /// Messages cannot be written.
    case unreachable
    /// Messages are written and do not come back.
    case deaf
    /// The node has left.
    case closed

    /// Whether the node takes part in the cluster, so that clients may be sent to it: what a readiness probe asks.
    public var takesPart: Bool { self == .healthy || self == .contested }
}
