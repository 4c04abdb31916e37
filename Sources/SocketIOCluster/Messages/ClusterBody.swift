// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
public import SocketIOText

/// A message between the nodes of a cluster.
public struct ClusterMessage: Sendable {
    /// The routing information.
    public var header: ClusterHeader
    /// The content.
    public var body: ClusterBody

    /// Creates a message.
    public init(header: ClusterHeader, body: ClusterBody) {
        self.header = header
        self.body = body
    }
}

/// The content of a cluster message. Timeouts of requests are in the flags of their options.
public enum ClusterBody: Sendable {
    /// A packet for the selected sockets. Its offset, if it has one, is the message's id.
    case broadcast(BroadcastPacket, BroadcastOptions)
    /// A packet without acknowledgement id; each node adds its own. It is answered with a count, then acknowledgements.
    case broadcastWithAck(BroadcastPacket, BroadcastOptions)
    /// Disconnect the selected sockets.
    case disconnectSockets(BroadcastOptions, closeConnection: Bool)
    /// Return the rooms of the selected sockets.
    case rooms(BroadcastOptions)
    /// Make the selected sockets join rooms.
    case addSockets(BroadcastOptions, rooms: [Room])
    /// Make the selected sockets leave rooms.
    case removeSockets(BroadcastOptions, rooms: [Room])
    /// Describe the selected sockets.
    case fetchSockets(BroadcastOptions)
    /// An event for the other servers.
    case serverSideEmit(EventArguments)
    /// An event for the other servers, which answer it within a time limit.
    case serverSideEmitWithAck(EventArguments, timeout: Duration)
    /// The client of this session has returned to the sender: hand the session over.
    case claimSession(pid: String, offset: MessageID?)

    /// The sender is alive.
    case heartbeat(ClusterHeartbeat)
    /// The sender has just started.
    case initialHeartbeat(ClusterHeartbeat)
    /// The sender is going to leave.
    case draining
    /// The sender has left.
    case leave

    /// The number of clients that were asked.
    case acknowledgementCount(Int)
    /// The acknowledgement of one client.
    case acknowledgement(EventArguments)
    /// No more acknowledgements will follow.
    case acknowledgementsEnd
    /// The rooms.
    case roomsAnswer(NameSet)
    /// Descriptions of sockets, and whether more follow in another message.
    case fetchSocketsAnswer([SocketDescription], hasMore: Bool)
    /// The answer of the server.
    case serverSideEmitAnswer(EventArguments)
    /// The session; nil if the node does not have it, or if it is not covered.
    case sessionAnswer(ClaimedSession?)
    /// The reason why the request cannot be answered.
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

/// The periodic message of a node.
public struct ClusterHeartbeat: Sendable, Hashable {
    /// The last number that a node gave to a message, so that receivers detect the loss of the last messages, and new receivers know
    /// their position.
    public struct Position: Sendable, Hashable {
        /// The node that the numbered messages are for; nil if they are for all.
        public var target: NodeID?
        /// The lane, the last number, and the void ones among those before.
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

    /// The maximum number of positions in a heartbeat. If there are fewer, no messages were sent to nodes that are not listed, except those
    /// for all nodes.
    public static let positionLimit = 512

    /// The number of the heartbeat in its epoch, from 1, so that a heartbeat that is read twice counts once.
    public var beat: UInt64
    /// Whether the node is draining.
    public var isDraining: Bool
    /// The positions in the lane through which the heartbeat was written, exact at its own place in that lane.
    public var positions: [Position]

    /// Creates a heartbeat.
    public init(beat: UInt64, isDraining: Bool = false, positions: [Position] = []) {
        self.beat = beat
        self.isDraining = isDraining
        self.positions = positions
    }
}
