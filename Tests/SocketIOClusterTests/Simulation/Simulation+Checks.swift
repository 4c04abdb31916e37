// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore

extension Simulation {
    /// P6, at any time.
    func checkBounds(_ node: SimulatedNode) throws {
        guard node.machine.remembered < 200, node.machine.pendingCount < 1_000 else {
            throw BrokenPromise(description: "P6: \(node.id) remembers \(node.machine.remembered) origins and lives")
        }
    }

    /// What must hold when everything is healed and all times have passed.
    func checkEnd() throws {
        for node in nodes where node.isRunning {
            try checkDeliveries(node)
            try checkMembership(node)
            // A heartbeat may be under way, and is one for each namespace in foreign formats.
            let heartbeats = isForeign ? Self.namespaces.count : node.machine.laneCount
            guard node.machine.waitingCount <= heartbeats, node.machine.pendingCount == 0 else {
                throw BrokenPromise(description: "\(node.id) still has something to do: \(node.machine.waitingCount) messages")
            }
            let hasFailed = emits.contains { $0.origin == node.index && $0.certainty == .accepted && $0.hasFailed }
            let isLossy = node.machine.health == .lossy && hasFailed
            guard node.machine.health == .healthy || isLossy else {
                throw BrokenPromise(description: "P5: \(node.id) is \(node.machine.health) at the end")
            }
        }
        try checkClients()
        for emit in emits where emit.fate == nil && nodes[emit.origin].isRunning {
            throw BrokenPromise(description: "P3: \(emit.id) has no fate")
        }
        for request in requests.values where !request.isEnded && nodes[request.origin].isRunning {
            throw BrokenPromise(description: "P4: a request has not ended")
        }
    }

    /// Whether the message must have arrived: its sender was told that it was written, or that it was accepted and nothing else.
    func isCarried(_ emit: SimulatedEmit) -> Bool {
        switch emit.fate {
        case .sent: true
        case .accepted: emit.certainty == .accepted && !nodes[emit.origin].hasCrashed
        default: false
        }
    }

    private func checkMembership(_ node: SimulatedNode) throws {
        let members = Set(node.machine.members.map { known($0.identity) })
        let real = Set(nodes.filter { $0.isRunning && $0.index != node.index }.map { known($0.machine.identity) })
        guard members == real else {
            throw BrokenPromise(description: "P4: \(node.machine.identity) knows \(members) instead of \(real)")
        }
    }

    /// An identity as the format can tell it.
    private func known(_ identity: NodeIdentity) -> NodeIdentity { isForeign ? NodeIdentity(id: identity.id, epoch: 0) : identity }

    private func checkDeliveries(_ node: SimulatedNode) throws {
        guard let opened = node.openedAt else { return }
        var missing: [Int: UInt64] = [:]
        for emit in emits where nodes[emit.origin].id != node.id && emit.at >= opened && !node.delivered.contains(emit.id) {
            guard isCarried(emit), emit.target == nil || emit.target == node.id else { continue }
            guard node.firstLoss != nil else {
                throw BrokenPromise(
                    description: "P2: \(node.id) lost \(emit.id) of \(nodes[emit.origin].id), emitted at \(emit.at / 1_000_000) ms"
                )
            }
            missing[emit.origin, default: 0] += 1
        }
        for (origin, count) in missing { try checkReported(node, nodes[origin], count) }
    }

    /// What was lost with the history must be counted, if it can be: if the origin was known before, and told its number afterwards.
    private func checkReported(_ node: SimulatedNode, _ origin: SimulatedNode, _ count: UInt64) throws {
        guard !isForeign, origin.isRunning, origin.lives.count == 1, let loss = node.firstLoss,
            let heard = node.heardFirst[origin.machine.identity],
            heard < loss
        else { return }
        let reported = node.reportedGaps[origin.machine.identity] ?? 0
        guard reported >= count else {
            throw BrokenPromise(description: "P2: \(node.id) lost \(count) messages of \(origin.id) and reports \(reported)")
        }
    }
}
