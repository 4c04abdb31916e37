// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore

/// One life of a node in the simulation: a state machine, and what a process around it would hold.
final class SimulatedNode {
    let index: Int
    let clock: SimulatedClock
    var machine: ClusterStateMachine
    var isAlive = true
    var pausedUntil: Int64 = 0
    var pausedTime: Int64 = 0
    var isLeaving = false
    var hasLeft = false
    var sockets: [SimulatedSocket] = []
    var recovery: RecoveryStateMachine
    /// The sessions of a node that leaves, and the mark up to which they have got everything.
    var frozen: (mark: ClusterStateMachine.Mark, sessions: [SimulatedSession])?

    // The stream.
    var isOpen = false
    var isDeaf = false
    var position = 0
    var start = 0
    var isPumping = false
    var openedAt: Int64?
    var lastDelivery: Int64 = 0

    // What the checks need.
    var delivered: Set<MessageID> = []
    var lastOrder: [OrderKey: Int] = [:]
    /// Since when the positions of an origin are known in all lanes.
    var heardFirst: [NodeIdentity: Int64] = [:]
    private var heardLanes: [NodeIdentity: Set<UInt8>] = [:]
    var firstLoss: Int64?
    /// What its stream has skipped in losses that were reported to it.
    var skipped: Set<MessageID> = []
    /// What it has skipped and was rolled back after that: if it is written again, it may come after later messages for this node alone,
    /// since their numbers do not tell their place among those for all.
    var mayBeLate: Set<MessageID> = []
    var reportedGaps: [NodeIdentity: UInt64] = [:]
    var lives: Set<UInt64>
    var openStreams: [ClusterRequestID] = []
    var lastDisturbance: Int64 = 0
    /// What a driver remembers of messages without numbers.
    var seen: Set<MessageID> = []
    /// The latest answer that could not be sent.
    var lastFailedAnswer: Int64 = -1
    var leaveTicket: UInt64?
    /// Whether nothing has happened to it since it started.
    var hasOnlyStarted = true

    struct OrderKey: Hashable {
        var origin: Int
        var namespace: String
    }

    init(index: Int, clock: SimulatedClock, machine: ClusterStateMachine, keepsLog: Bool) {
        self.index = index
        self.clock = clock
        self.machine = machine
        self.recovery = RecoveryStateMachine(node: machine.identity.id, Simulation.recoveryLimits, keepsLog: keepsLog)
        self.lives = [machine.identity.epoch]
    }

    func heard(_ message: ClusterMessage, at now: Int64, lanes: Int) {
        let heartbeat: ClusterHeartbeat
        switch message.body {
        case .heartbeat(let beat), .initialHeartbeat(let beat): heartbeat = beat
        default: return
        }
        guard message.header.target == nil || message.header.target == id, let lane = heartbeat.positions.first?.stamp.lane else { return }
        let origin = message.header.origin
        heardLanes[origin, default: []].insert(lane)
        if heardLanes[origin]?.count == lanes, heardFirst[origin] == nil { heardFirst[origin] = now }
    }

    var id: NodeID { machine.identity.id }
    var isRunning: Bool { isAlive && !hasLeft }
    /// Whether it has ended without reporting the fate of its messages.
    var hasCrashed: Bool { !isAlive && !hasLeft }

    func time(_ now: Int64) -> NIODeadline { clock.time(at: now) }
}

/// A session that gets nothing more and is going to be stored.
struct SimulatedSession {
    var pid: String
    var age: TimeAmount
    var base: MessageID?
    var session: ClaimedSession
}

/// A message that was emitted, and what is known of it.
struct SimulatedEmit {
    var id: MessageID
    var origin: Int
    var namespace: String
    var target: NodeID?
    var options: BroadcastOptions
    /// Its place among all calls.
    var order: Int
    var at: Int64
    var certainty = Outgoing.Certainty.confirmed
    /// What its sender was told last.
    var fate: WriteFate?
    var isRefused: Bool

    var hasFailed: Bool { fate?.error != nil }
}

/// A request that was made, and what came of it.
struct SimulatedRequest {
    var origin: Int
    var at: Int64
    var timeout: Int64
    /// Its place among all calls.
    var order = 0
    var namespace = "/"
    var isEnded = false
    /// Whether it was cancelled while it certainly had not been written.
    var isWithdrawn = false
    var expectedAcks: [NodeID: Int] = [:]
    var receivedAcks: [NodeID: Int] = [:]
    var stream: BroadcastAcknowledgements?
    var parts: [NodeID: BroadcastAcknowledgements.PartID] = [:]
}
