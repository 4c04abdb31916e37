// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The id of a node: one process of a cluster. Unique among the nodes that are alive.
public typealias NodeID = String

/// A node in one of its epochs.
///
/// A node that restarts under the same id, or that was suspended for so long that others consider it dead, has a new epoch.
public struct NodeIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The node's id.
    public var id: NodeID
    /// A number that distinguishes this run of the node from others.
    public var epoch: UInt64

    /// Creates an identity.
    public init(id: NodeID, epoch: UInt64) {
        self.id = id
        self.epoch = epoch
    }

    /// The maximum length of an id in bytes: messages of nodes with longer ids are ignored.
    public static let idLimit = 256

    /// Whether both are the same epoch of the same node. Ids are compared by their bytes.
    public static func == (left: NodeIdentity, right: NodeIdentity) -> Bool {
        left.epoch == right.epoch && Bytewise.equal(left.id, right.id)
    }

    /// Hashes the bytes of the id, and the epoch.
    public func hash(into hasher: inout Hasher) {
        Bytewise.hash(id, into: &hasher)
        hasher.combine(epoch)
    }

    /// Whether the node runs another implementation, whose messages contain no epoch: it then is 0. Such nodes do not know the sessions of
    /// this implementation.
    public var isForeign: Bool { epoch == 0 }

    /// Whether it is an earlier epoch of the same process: the epoch is incremented after each suspension, and random otherwise.
    func isBefore(_ other: NodeIdentity) -> Bool {
        epoch != other.epoch && other.epoch &- epoch < 1 << 20 && id == other.id
    }

    /// The id and the epoch in hexadecimal digits.
    public var description: String { "\(Self.shown(id))#\(String(epoch, radix: 16))" }

    /// The id of a node as it may appear in a log: in quotes if it is not a plain word.
    package static func shown(_ id: NodeID) -> String {
        let isPlain = id.utf8.count <= 128 && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
        return isPlain ? id : QuotedText(id).description
    }
}

/// Identifies a request, and its answers. Random, so that it is unique in the cluster.
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
