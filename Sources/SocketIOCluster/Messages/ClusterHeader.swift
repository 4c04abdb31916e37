// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import SocketIOText

/// What a cluster message is about. The raw values are those of the native wire format.
public enum ClusterMessageKind: UInt8, Sendable, Hashable, CaseIterable {
    /// A packet for the selected sockets.
    case broadcast = 0
    /// A packet for the selected sockets, whose acknowledgements are wanted.
    case broadcastWithAck = 1
    /// End the selected sockets.
    case disconnectSockets = 2
    /// Which rooms are the selected sockets in?
    case rooms = 3
    /// Make the selected sockets join rooms.
    case addSockets = 4
    /// Make the selected sockets leave rooms.
    case removeSockets = 5
    /// Describe the selected sockets.
    case fetchSockets = 6
    /// An event for the other servers themselves.
    case serverSideEmit = 7
    /// An event for the other servers themselves, whose answers are wanted.
    case serverSideEmitWithAck = 8
    /// Give up the session of a client that has come back elsewhere.
    case claimSession = 9

    /// The sender is alive.
    case heartbeat = 20
    /// The sender has just started to listen: whoever is there, say so.
    case initialHeartbeat = 21
    /// The sender is going to leave, and still answers.
    case draining = 22
    /// The sender has left.
    case leave = 23

    /// How many clients the sender has asked.
    case acknowledgementCount = 40
    /// What one client answered.
    case acknowledgement = 41
    /// The other clients that the sender has asked will not answer.
    case acknowledgementsEnd = 42
    /// Rooms.
    case roomsAnswer = 43
    /// Descriptions of sockets.
    case fetchSocketsAnswer = 44
    /// What a server answered to an event.
    case serverSideEmitAnswer = 45
    /// A session, or that it cannot be had.
    case sessionAnswer = 46
    /// The request could not be answered.
    case errorAnswer = 47

    /// Whether the message belongs to a request that another node made.
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

/// Where a message stands among all messages of its sender.
///
/// The numbers of one origin, epoch, lane and target (or all) start at 1 and have no holes other than the void ones.
public struct NumberStamp: Sendable, Hashable {
    /// The lane that the message was written through.
    public var lane: UInt8
    /// The message's number, from 1.
    public var number: UInt64
    /// Lower numbers that no receiver should miss: their messages were given up.
    public var void: [ClosedRange<UInt64>]

    /// Creates a stamp.
    public init(lane: UInt8, number: UInt64, void: [ClosedRange<UInt64>] = []) {
        self.lane = lane
        self.number = number
        self.void = void
    }
}

/// What routes a message: a receiver can tell from it whether it needs the payload at all.
public struct ClusterHeader: Sendable, Hashable {
    /// The id of the message, which is also the offset by which clients tell how far they came.
    public var id: MessageID
    /// What the message is about.
    public var kind: ClusterMessageKind
    /// The namespace, with its leading slash; empty if the message concerns the node as a whole.
    public var namespace: String
    /// Who sent it.
    public var origin: NodeIdentity
    /// The only node that it is for; nil if it is for all.
    public var target: NodeID?
    /// The request that it makes or answers.
    public var request: ClusterRequestID?
    /// Its place in the sequence; nil for messages about membership, and in formats that have no numbers.
    public var stamp: NumberStamp?

    /// The longest name of a namespace in bytes: messages of longer ones are not read.
    public static let namespaceLimit = NamespaceName.limit
    /// The largest number of lanes: messages of higher ones are not read.
    public static let laneLimit: UInt8 = 64

    /// What in it is longer than it may be; nil if nothing is. Nothing that is longer is compared with anything, or kept.
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
