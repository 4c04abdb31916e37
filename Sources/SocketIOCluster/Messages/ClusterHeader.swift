// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import SocketIOText

/// The kind of a cluster message. The raw values are those of the native wire format.
public enum ClusterMessageKind: UInt8, Sendable, Hashable, CaseIterable {
    /// A packet for the selected sockets.
    case broadcast = 0
    /// A packet for the selected sockets, whose clients acknowledge it.
    case broadcastWithAck = 1
    /// Disconnect the selected sockets.
    case disconnectSockets = 2
    /// Return the rooms of the selected sockets.
    case rooms = 3
    /// Make the selected sockets join rooms.
    case addSockets = 4
    /// Make the selected sockets leave rooms.
    case removeSockets = 5
    /// Describe the selected sockets.
    case fetchSockets = 6
    /// An event for the other servers themselves.
    case serverSideEmit = 7
    /// An event for the other servers themselves, which answer it.
    case serverSideEmitWithAck = 8
    /// Hand over the session of a client that has returned to another node.
    case claimSession = 9

    /// The sender is alive.
    case heartbeat = 20
    /// The sender has just started: all other nodes answer with a heartbeat.
    case initialHeartbeat = 21
    /// The sender is going to leave, but still answers.
    case draining = 22
    /// The sender has left.
    case leave = 23

    /// The number of clients that the sender has asked.
    case acknowledgementCount = 40
    /// The acknowledgement of one client.
    case acknowledgement = 41
    /// The sender will send no more acknowledgements.
    case acknowledgementsEnd = 42
    /// Rooms.
    case roomsAnswer = 43
    /// Descriptions of sockets.
    case fetchSocketsAnswer = 44
    /// The answer of a server to an event.
    case serverSideEmitAnswer = 45
    /// The answer to a claim: a session, or none.
    case sessionAnswer = 46
    /// The request could not be answered.
    case errorAnswer = 47

    /// Whether the message answers a request of another node.
    public var isAnswer: Bool { rawValue >= 40 }
    /// Whether the receivers owe an answer.
    public var isRequest: Bool {
        switch self {
        case .broadcastWithAck, .rooms, .fetchSockets, .serverSideEmitWithAck, .claimSession: true
        default: false
        }
    }
    /// Whether the message is about the membership of its sender and has no number.
    public var isMembership: Bool { (20..<40).contains(rawValue) }
}

/// The position of a message among all messages of its sender.
///
/// The numbers of one origin, epoch, lane and target (or all nodes) start at 1 and have no gaps except the void ones.
public struct NumberStamp: Sendable, Hashable {
    /// The lane that the message was written through.
    public var lane: UInt8
    /// The message's number, from 1.
    public var number: UInt64
    /// Lower numbers that receivers must not count as missed: their messages were never written.
    public var void: [ClosedRange<UInt64>]

    /// Creates a stamp.
    public init(lane: UInt8, number: UInt64, void: [ClosedRange<UInt64>] = []) {
        self.lane = lane
        self.number = number
        self.void = void
    }
}

/// The routing information of a message: it suffices to decide whether the payload is needed.
public struct ClusterHeader: Sendable, Hashable {
    /// The id of the message, which is also the offset that clients present as their position.
    public var id: MessageID
    /// The kind of the message.
    public var kind: ClusterMessageKind
    /// The namespace, with its leading slash; empty if the message concerns the node as a whole.
    public var namespace: String
    /// The sender.
    public var origin: NodeIdentity
    /// The only recipient; nil if it is for all nodes.
    public var target: NodeID?
    /// The request that it sends or answers.
    public var request: ClusterRequestID?
    /// Its number; nil for messages about membership, and in wire formats without numbers.
    public var stamp: NumberStamp?

    /// The maximum length of a namespace's name in bytes: messages of longer ones are ignored.
    public static let namespaceLimit = NamespaceName.limit
    /// The maximum number of lanes: messages of higher ones are ignored.
    public static let laneLimit: UInt8 = 64

    /// The name of a field that exceeds its maximum length; nil if there is none. Such a message is neither compared nor kept.
    package var excess: String? {
        if origin.id.utf8.count > NodeIdentity.idLimit { return "the id of the origin has \(origin.id.utf8.count) bytes" }
        if namespace.utf8.count > Self.namespaceLimit { return "the name of the namespace has \(namespace.utf8.count) bytes" }
        if let target, target.utf8.count > NodeIdentity.idLimit { return "the id of the target has \(target.utf8.count) bytes" }
        if let stamp, stamp.lane >= Self.laneLimit { return "the lane is \(stamp.lane)" }
        return nil
    }

    /// Whether both are the same. Names are compared by their bytes.
    public static func == (left: ClusterHeader, right: ClusterHeader) -> Bool {
        left.id == right.id && left.kind == right.kind && left.request == right.request && left.stamp == right.stamp
            && left.origin == right.origin && left.namespace == right.namespace && left.target == right.target
    }

    /// Hashes the id, which is unique.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// Creates a header.
    public init(
        id: MessageID,
        kind: ClusterMessageKind,
        namespace: String,
        origin: NodeIdentity,
        target: NodeID? = nil,
        request: ClusterRequestID? = nil,
        stamp: NumberStamp? = nil
    ) {
        self.id = id
        self.kind = kind
        self.namespace = namespace
        self.origin = origin
        self.target = target
        self.request = request
        self.stamp = stamp
    }
}
