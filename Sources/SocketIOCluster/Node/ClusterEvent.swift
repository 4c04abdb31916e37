// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An event of the cluster, for operators and tests.
public enum ClusterEvent: Sendable {
    /// A node has joined.
    case joined(NodeIdentity)
    /// A node is going to leave.
    case draining(NodeIdentity)
    /// A node has left.
    case left(NodeIdentity)
    /// A node is considered dead, because it has been silent for too long or is back with another epoch.
    case died(NodeIdentity)
    /// Messages were lost.
    ///
    /// - Parameters:
    ///   - origin: The sender; nil if it is unknown, because the backend reports the loss.
    ///   - count: The number of messages; nil if it is unknown.
    case gap(origin: NodeIdentity?, count: UInt64?)
    /// A document could not be decoded and was skipped; with the reason.
    case skipped(String)
    /// A node, which may be this one, could not answer a request.
    case answerFailed(NodeID, String)
    /// A message of a node contradicts earlier ones: it has numbers that the node cannot have given, or the node continues after its leave
    /// or with a previous epoch. Another program writes to the backend, or two processes have the same id. Messages of the node are still
    /// processed, and the numbers of its next heartbeat count.
    case contradiction(NodeIdentity, String)
    /// A document was skipped because it is not signed with a known key; with the reason.
    case untrusted(String)
    /// Another process uses this node's id.
    case duplicateNodeID(NodeIdentity)
    /// This node was suspended past the heartbeat timeout, so that others consider it dead; it rejoins with a new epoch.
    case wasPaused(NodeIdentity)
    /// The health of this node has changed.
    case health(ClusterHealth)
}

/// How well a node takes part in its cluster; more kinds may be added.
public struct ClusterHealth: Hashable, Sendable, CustomStringConvertible {
    private enum Value {
        case starting, healthy, contested, lossy, unreachable, deaf, mismatched, closed
    }
    private let value: Value

    /// No message of the node has returned yet.
    public static let starting = ClusterHealth(value: .starting)
    /// Messages are written and return.
    public static let healthy = ClusterHealth(value: .healthy)
    /// Messages are written and return, but within the last minute some were read that contradict others, or are not signed: another
    /// program writes to the backend, or two processes have the same id. All nodes read the same messages, so taking this one out of
    /// service does not help.
    public static let contested = ClusterHealth(value: .contested)
    /// Messages are written and return, but within the last minute at least one that had been accepted failed: the write timeout passed,
    /// or the backend refused it. Other nodes may not have received it; `onError` of the server has named it.
    public static let lossy = ClusterHealth(value: .lossy)
    /// Messages cannot be written.
    public static let unreachable = ClusterHealth(value: .unreachable)
    /// Messages are written but do not return.
    public static let deaf = ClusterHealth(value: .deaf)
    /// The backend is not as configured, because another program has changed it: messages are neither written nor read until that is
    /// corrected. With MongoDB: the collection was recreated as a capped one instead of one with a TTL, or the reverse.
    public static let mismatched = ClusterHealth(value: .mismatched)
    /// The node has left.
    public static let closed = ClusterHealth(value: .closed)

    /// The name.
    public var description: String { "\(value)" }

    /// Whether the node takes part in the cluster, so that clients may be routed to it: the value for a readiness probe.
    public var takesPart: Bool { if case nil = problem { true } else { false } }

    /// Why no clients should be routed to the node; nil if it takes part.
    package var problem: String? {
        switch value {
        case .healthy, .contested, .lossy: nil
        case .starting: "the cluster: no message of this node has returned yet"
        case .unreachable: "the cluster: messages cannot be written"
        case .deaf: "the cluster: messages of this node do not return"
        case .mismatched: "the cluster: another program has changed the backend, which is not as configured"
        case .closed: "the cluster: this node has left"
        }
    }
}
