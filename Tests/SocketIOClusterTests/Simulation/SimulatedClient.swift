// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOText

/// A client that is cut off and comes back, to any node, and what it has got in its present session.
final class SimulatedClient {
    let index: Int
    let rooms: NameSet
    /// Where it is connected, or was last.
    var socket: SimulatedSocket?
    /// Counts its connections and their ends, so that what was meant for an earlier one is recognised.
    var attempt = 0

    var received: Set<MessageID> = []
    var lastOrder: [Int: Int] = [:]
    var offset: MessageID?
    /// The first emit that it must get.
    var firstEmit = 0
    /// Whether it was connected to a node that lost something, which the node has reported.
    var isExcused = false
    /// What was emitted before this may come again: the client comes from a node that has crashed.
    var mayRepeat = 0

    init(index: Int, rooms: NameSet) {
        self.index = index
        self.rooms = rooms
    }

    var isConnected: Bool { socket?.isLinked ?? false }
}

/// A client's socket in a node, which may stay there when the client is gone.
final class SimulatedSocket {
    let id: SocketID
    let pid: String
    let client: SimulatedClient
    let rooms: NameSet
    /// Whether the client still gets what the socket is given.
    var isLinked = true
    var ring: RecoveryBuffer
    var pings = 0
    /// When the node noticed that the client is away.
    var awaySince: NIODeadline?
    /// How far its first node had come when the client connected.
    var start: MessageID?
    var isMoved = false

    init(id: SocketID, pid: String, client: SimulatedClient, base: MessageID?) {
        self.id = id
        self.pid = pid
        self.client = client
        self.rooms = client.rooms
        self.ring = RecoveryBuffer(limit: .init(packets: 200), base: base)
    }

    func isSelected(_ options: BroadcastOptions) -> Bool {
        func isIn(_ room: Room) -> Bool { room == id || rooms.contains(room) }
        return (options.rooms.isEmpty || options.rooms.contains(where: isIn)) && !options.except.contains(where: isIn)
    }
}

/// A client that waits for its session at a node.
struct SimulatedClaim {
    enum Stage {
        case maker
        case all
    }

    var client: SimulatedClient
    var attempt: Int
    var pid: String
    var offset: MessageID?
    var mark: RecoveryLog.Mark
    var stage = Stage.maker
    /// The other nodes when all were asked.
    var asked: [NodeIdentity] = []
}

/// How often what has happened, to see that a run of many schedules has tried everything.
struct SimulationCounts {
    var local = 0
    var claimed = 0
    var stored = 0
    var fromSnapshot = 0
    var fresh = 0
    var floored = 0
    var rolledBack = 0
    var withdrawn = 0
    var reported = 0
    var dropped = 0

    static func + (left: SimulationCounts, right: SimulationCounts) -> SimulationCounts {
        SimulationCounts(
            local: left.local + right.local,
            claimed: left.claimed + right.claimed,
            stored: left.stored + right.stored,
            fromSnapshot: left.fromSnapshot + right.fromSnapshot,
            fresh: left.fresh + right.fresh,
            floored: left.floored + right.floored,
            rolledBack: left.rolledBack + right.rolledBack,
            withdrawn: left.withdrawn + right.withdrawn,
            reported: left.reported + right.reported,
            dropped: left.dropped + right.dropped
        )
    }
}
