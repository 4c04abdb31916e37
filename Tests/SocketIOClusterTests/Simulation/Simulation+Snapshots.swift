// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore

/// Snapshots of sessions, kept for the case that their node crashes.
extension Simulation {
    // MARK: The node that has a session

    func snapshot(_ socket: SimulatedSocket, of node: SimulatedNode) throws {
        guard node.isRunning, node.sockets.contains(where: { $0 === socket }) else { return }
        guard !isDown, isolation == nil else { return events.add(.snapshot(node, socket), at: now + 300_000_000) }
        let snapshot = SessionSnapshot(
            owner: node.machine.identity,
            state: SessionState(id: socket.id, rooms: socket.rooms, data: EncodedObject.empty),
            start: socket.start,
            isMoved: socket.isMoved
        )
        snapshots[socket.pid] = try ClusterPayloadCoder.encode(snapshot)
        store[socket.pid] = nil
    }

    /// The session is gone from the node.
    func discardSnapshot(_ pid: String, of node: SimulatedNode) {
        if keepsSnapshots { events.add(.removeSnapshot(node, pid: pid), at: now + random.delay(10...300)) }
    }

    func removeSnapshot(_ pid: String, of node: SimulatedNode) throws {
        guard node.isRunning, !node.sockets.contains(where: { $0.pid == pid }) else { return }
        guard !isDown, isolation == nil else { return events.add(.removeSnapshot(node, pid: pid), at: now + 300_000_000) }
        guard let payload = snapshots[pid], try ClusterPayloadCoder.decodeSnapshot(payload).owner.id == node.id else { return }
        snapshots[pid] = nil
    }

    // MARK: The node that the client has come to

    func takeSnapshot(
        _ node: SimulatedNode,
        _ claim: SimulatedClaim,
        missing: [NodeID]
    ) throws -> (session: ClaimedSession, mark: RecoveryLog.Mark, start: MessageID?)? {
        let living = Set(node.machine.members.map(\.identity) + [node.machine.identity])
        guard missing.allSatisfy({ id in !claim.asked.contains { $0.id == id && living.contains($0) } }), !isDown else { return nil }
        let time = node.time(now)
        let offset = claim.offset.map { RecoveryOffset(id: $0, position: positions[$0]) }
        if let payload = store.removeValue(forKey: claim.pid) {
            let content = try ClusterPayloadCoder.decodeSession(payload)
            guard let mark = node.recovery.mark(for: content.owner, age: content.age, now: time) else { return nil }
            return content.session(after: claim.offset).map { ($0, mark, nil) }
        }
        guard node.recovery.mayCover(offset, now: time), let payload = snapshots[claim.pid] else { return nil }
        let snapshot = try ClusterPayloadCoder.decodeSnapshot(payload)
        guard !living.contains(snapshot.owner) else { return nil }
        snapshots[claim.pid] = nil
        if claim.asked.isEmpty { try tellAll(.claimSession(pid: claim.pid, offset: claim.offset), node) }
        guard let mark = node.recovery.mark(for: snapshot, after: offset, now: time) else { return nil }
        let session = ClaimedSession(state: snapshot.state, known: claim.offset.map { [$0] } ?? [])
        return (session, mark, snapshot.start)
    }

    private func tellAll(_ body: ClusterBody, _ node: SimulatedNode) throws {
        let deadline = node.machine.writeDeadline(now: node.time(now))
        try perform(node, node.machine.send(Outgoing(namespace: Self.namespace, body: body, deadline: deadline)))
    }
}
