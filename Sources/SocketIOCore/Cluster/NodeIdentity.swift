/// The id of a node: one process of a cluster. Unique among the nodes that are alive.
public typealias NodeID = String

/// A node in one of its lives.
///
/// A node that starts again under the same id, or that was paused for so long that others took it for dead, has another epoch.
public struct NodeIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The node's id.
    public var id: NodeID
    /// A random number that tells this life of the node from others.
    public var epoch: UInt64

    /// Creates an identity.
    public init(id: NodeID, epoch: UInt64) {
        self.id = id
        self.epoch = epoch
    }

    /// Whether the node runs another implementation, whose messages tell no epoch: it then is 0. Such nodes know nothing of sessions of
    /// this one.
    public var isForeign: Bool { epoch == 0 }

    /// Whether it is an earlier life of the same process: epochs count up with each pause, and are random otherwise.
    func isBefore(_ other: NodeIdentity) -> Bool {
        id == other.id && epoch != other.epoch && other.epoch &- epoch < 1 << 20
    }

    /// The id and the epoch in hexadecimal digits.
    public var description: String { "\(id)#\(String(epoch, radix: 16))" }
}

/// Ties answers to the request that they belong to. Random, so that it is unique in the cluster.
public struct ClusterRequestID: Hashable, Comparable, Sendable {
    /// The first eight bytes.
    public var high: UInt64
    /// The last eight bytes; zero in formats whose ids are shorter.
    public var low: UInt64

    /// Creates an id.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Whether the bytes of the first come before those of the second.
    public static func < (left: ClusterRequestID, right: ClusterRequestID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
