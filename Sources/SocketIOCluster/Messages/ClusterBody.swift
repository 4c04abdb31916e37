// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
public import SocketIOText

/// A message between the nodes of a cluster.
public struct ClusterMessage: Sendable {
    /// What routes it.
    public var header: ClusterHeader
    /// What it says.
    public var body: ClusterBody

    /// Creates a message.
    public init(header: ClusterHeader, body: ClusterBody) {
        self.header = header
        self.body = body
    }
}

/// What a cluster message says. Timeouts of requests travel in the flags of their options.
public enum ClusterBody: Sendable {
    /// A packet for the selected sockets. Its offset, if it has one, is the message's id.
    case broadcast(BroadcastPacket, BroadcastOptions)
    /// A packet without acknowledgement id; each node adds its own. The answers are a count, then acknowledgements.
    case broadcastWithAck(BroadcastPacket, BroadcastOptions)
    /// End the selected sockets.
    case disconnectSockets(BroadcastOptions, closeConnection: Bool)
    /// Which rooms are the selected sockets in?
    case rooms(BroadcastOptions)
    /// Make the selected sockets join rooms.
    case addSockets(BroadcastOptions, rooms: [Room])
    /// Make the selected sockets leave rooms.
    case removeSockets(BroadcastOptions, rooms: [Room])
    /// Describe the selected sockets.
    case fetchSockets(BroadcastOptions)
    /// An event for the other servers.
    case serverSideEmit(EventArguments)
    /// An event for the other servers, whose answers are wanted within a time.
    case serverSideEmitWithAck(EventArguments, timeout: Duration)
    /// A client that owned this session has come to the sender.
    case claimSession(pid: String, offset: MessageID?)

    /// The sender is alive.
    case heartbeat(ClusterHeartbeat)
    /// The sender has just started to listen.
    case initialHeartbeat(ClusterHeartbeat)
    /// The sender is going to leave.
    case draining
    /// The sender has left.
    case leave

    /// How many clients were asked.
    case acknowledgementCount(Int)
    /// What one client answered.
    case acknowledgement(EventArguments)
    /// Nothing more will come of the clients that were asked.
    case acknowledgementsEnd
    /// Rooms.
    case roomsAnswer(NameSet)
    /// Descriptions of sockets, and whether another message brings more of them.
    case fetchSocketsAnswer([SocketDescription], hasMore: Bool)
    /// What the server answered.
    case serverSideEmitAnswer(EventArguments)
    /// The session; nil if it cannot be recovered here.
    case sessionAnswer(ClaimedSession?)
    /// Why there is no answer.
    case errorAnswer(String)

    /// The kind of the message.
    public var kind: ClusterMessageKind {
        switch self {
        case .broadcast: .broadcast
        case .broadcastWithAck: .broadcastWithAck
        case .disconnectSockets: .disconnectSockets
        case .rooms: .rooms
        case .addSockets: .addSockets
        case .removeSockets: .removeSockets
        case .fetchSockets: .fetchSockets
        case .serverSideEmit: .serverSideEmit
        case .serverSideEmitWithAck: .serverSideEmitWithAck
        case .claimSession: .claimSession
        case .heartbeat: .heartbeat
        case .initialHeartbeat: .initialHeartbeat
        case .draining: .draining
        case .leave: .leave
        case .acknowledgementCount: .acknowledgementCount
        case .acknowledgement: .acknowledgement
        case .acknowledgementsEnd: .acknowledgementsEnd
        case .roomsAnswer: .roomsAnswer
        case .fetchSocketsAnswer: .fetchSocketsAnswer
        case .serverSideEmitAnswer: .serverSideEmitAnswer
        case .sessionAnswer: .sessionAnswer
        case .errorAnswer: .errorAnswer
        }
    }
}

/// What a node says of itself at intervals.
public struct ClusterHeartbeat: Sendable, Hashable {
    /// The last number that a node gave to a message, so that receivers notice the loss of the last ones, and new receivers know
    /// where they stand.
    public struct Position: Sendable, Hashable {
        /// The node that the numbered messages are for; nil if they are for all.
        public var target: NodeID?
        /// The lane, the last number, and what is void among those before.
        public var stamp: NumberStamp

        /// Whether both are the same. Ids are compared by their bytes.
        public static func == (left: Position, right: Position) -> Bool { left.target == right.target && left.stamp == right.stamp }

        /// Hashes the numbers.
        public func hash(into hasher: inout Hasher) { hasher.combine(stamp) }

        /// Creates a position.
        public init(target: NodeID?, stamp: NumberStamp) {
            self.target = target
            self.stamp = stamp
        }
    }

    /// The largest number of positions in a heartbeat. With fewer, nodes that are not listed were sent nothing for them only.
    public static let positionLimit = 512

    /// Counts the heartbeats of an epoch, from 1, so that one which is read twice counts once.
    public var beat: UInt64
    /// Whether the node is draining.
    public var isDraining: Bool
    /// The positions in the lane that the heartbeat was written through, exact at its own place in that lane.
    public var positions: [Position]

    /// Creates a heartbeat.
    public init(beat: UInt64, isDraining: Bool = false, positions: [Position] = []) {
        self.beat = beat
        self.isDraining = isDraining
        self.positions = positions
    }
}
