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
    /// Messages cannot be written.
    case unreachable
    /// Messages are written and do not come back.
    case deaf
    /// The node has left.
    case closed
}
