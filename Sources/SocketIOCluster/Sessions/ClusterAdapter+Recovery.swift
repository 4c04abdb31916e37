// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

extension ClusterAdapter {
    /// The random characters and the id of this node.
    public func makeSessionID(_ random: String) -> String { "\(random).\(node.id)" }

    /// Whether a node of the cluster can have made a private session id: no other node is asked about anything else.
    private func isOurs(_ pid: String) -> Bool {
        guard let stop = pid.utf8.firstIndex(of: UInt8(ascii: ".")) else {
            return node.driver.sessionExchange != nil && SessionToken.isRandomPart(pid.utf8[...], length: 20)
        }
        // An id that is too long is no node's.
        return SessionToken.isRandomPart(pid.utf8[..<stop], length: 15) && (1...NodeIdentity.idLimit).contains(pid.utf8.count - 16)
    }

    private func maker(of pid: String) -> NodeID? {
        guard let dot = pid.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        let id = pid.utf8[pid.utf8.index(after: dot)...]
        return id.count <= NodeIdentity.idLimit ? String(id) : nil
    }

    func somethingWasLost() { recovery.withLock { $0.lost(now: node.now) } }

    /// Another node drains or has left. Called by the task that reads the stream.
    func nodeIsDraining(_ node: NodeIdentity) {
        guard local.recovers, self.node.driver.keepsSessions else { return }
        recovery.withLock { $0.draining(node, reached: self.node.reached(in: namespace), now: self.node.now) }
    }

    func nodeHasLeft(_ node: NodeIdentity) { recovery.withLock { $0.left(node, now: self.node.now) } }

    func nodeHasDied(_ node: NodeIdentity) { recovery.withLock { $0.died(node, now: self.node.now) } }

    /// A message of this node, perhaps of another namespace, has come back. Called by the task that reads the stream.
    func cameBack(_ id: MessageID) {
        let position = recovery.withLock { $0.cameBack(id) ? $0.advance(to: id, now: node.now) : nil }
        if let position { ownPositions.advance(to: position) }
    }

    /// The messages of a batch have got their numbers.
    func numbered(_ batch: [ClusterMessage]) {
        recovery.withLock { recovery in
            for message in batch where message.header.kind == .broadcast && message.header.namespace == namespace {
                recovery.numbered(message.header)
            }
        }
    }

    // MARK: Order

    /// Delivers and enqueues a packet of this node.
    func deliverInOrder(_ packet: BroadcastPacket, to options: BroadcastOptions, _ enqueue: () -> Void) {
        let here = recovery.withLock { recovery in
            recovery.emitted(packet, to: options, deliveredOn: local.currentLoop)
            let here = local.enqueueDelivery(packet, to: options)
            enqueue()
            return UncheckedCall(here)
        }
        here.call()
    }

    /// Delivers a packet of another node.
    func deliverInOrder(_ packet: BroadcastPacket, to options: BroadcastOptions, _ header: ClusterHeader) {
        let here = recovery.withLock { recovery in
            var options = options
            options.except += recovery.received(packet, to: options, header, deliveredOn: local.currentLoop)
            let isPlaced = header.target == nil && packet.offset != nil
            let position = isPlaced ? recovery.advance(to: header.id, now: node.now) : nil
            if position != nil { ownPositions.wasOvertaken() }
            return UncheckedCall(local.enqueueDelivery(packet, to: options, position: position))
        }
        here.call()
    }

    // MARK: The node that has the session

    /// Gives a session up, if it is here. Called by the task that reads the stream.
    func surrender(pid: String, offset: MessageID?, _ header: ClusterHeader) {
        guard local.recovers else { return node.answer(header, with: .sessionAnswer(nil)) }
        let taken = recovery.withLock { recovery -> Surrender? in
            guard recovery.isReliable(now: node.now) else { return nil }
            let (positions, unwritten) = node.position(in: namespace)
            return Surrender(positions: positions, unwritten: unwritten, session: local.beginClaim(pid: pid, offset: offset))
        }
        guard let taken else { return node.answer(header, with: .sessionAnswer(nil)) }
        let isAccepted = node.responders.add { [self, node] in
            var session = await taken.session().map { surrendered in
                ClaimedSession(
                    id: surrendered.session.id,
                    rooms: surrendered.session.rooms,
                    data: surrendered.session.data,
                    missed: surrendered.missed,
                    known: surrendered.session.buffer.known + taken.unwritten,
                    positions: taken.positions
                )
            }
            // A node that has just started cannot know what a stored session has missed.
            if session == nil, header.target == nil { session = await takeStored(pid: pid, offset: offset) }
            node.answer(header, with: .sessionAnswer(session))
        }
        if !isAccepted { node.answer(header, with: .sessionAnswer(nil)) }
    }

    private struct Surrender: Sendable {
        var positions: [ClaimedSession.OriginPosition]
        var unwritten: [MessageID]
        var session: @Sendable () async -> CoreLocalAdapter.SurrenderedSession?
    }

    // MARK: The node that the client has come to

    /// Gives a session to a client that has come back: from this process, or from the node that has it.
    ///
    /// What is not covered, such as a session of a node that is gone or messages that were lost, is not restored.
    public func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        guard SessionToken.isPlausible(pid), isOurs(pid) else { return false }
        let position = offset.flatMap { RecoveryOffset($0) }
        let now = node.now
        guard local.recovers, (offset == nil) == (position == nil), recovery.withLock({ $0.isReliable(now: now) }) else { return false }
        if await local.restoreSession(pid: pid, offset: offset, to: claimant) {
            forgetShared(pid: pid)
            return true
        }
        let mark = recovery.withLock { $0.beginClaim(reached: node.reached(in: namespace), now: node.now) }
        var isRestored = false
        if let found = await find(pid: pid, offset: position, mark: mark) {
            isRestored = await adopt(found, pid: pid, claimant)
            if isRestored { forgetShared(pid: pid) }
        } else if node.driver.sessionExchange != nil {
            isRestored = await restoreShared(pid: pid, offset: position?.id, claimant)
        }
        recovery.withLock { $0.endClaim(mark) }
        return isRestored
    }

    private func restoreShared(pid: String, offset: MessageID?, _ claimant: any SessionClaimant) async -> Bool {
        let mark = recovery.withLock { $0.beginTaking(now: node.now) }
        defer { recovery.withLock { $0.endClaim(mark) } }
        guard let session = await takeShared(pid: pid, offset: offset),
            recovery.withLock({ $0.give(session.missed, to: session.id, now: node.now) })
        else { return false }
        return await adopt(Found(session: session, mark: mark), pid: pid, claimant)
    }

    /// A session that was found elsewhere.
    struct Found {
        var session: ClaimedSession
        /// Since when what it missed besides is in the log.
        var mark: RecoveryLog.Mark
        /// How far its first node had come when the client connected, if that is known.
        var start: MessageID?
    }

    /// Asks the node that made the session. It may be gone and have stored it, or the session may have moved; so then all of them.
    private func find(pid: String, offset: RecoveryOffset?, mark: RecoveryLog.Mark) async -> Found? {
        let body = ClusterBody.claimSession(pid: pid, offset: offset?.id)
        if let maker = maker(of: pid), maker != node.id {
            let result = await node.request(body, namespace: namespace, target: maker, timeout: patience)
            if let session = result.session { return Found(session: session, mark: mark) }
            // It is there and says nothing: nobody else may give its session away, and the client has waited long enough.
            if snapshots != nil, !result.missing.isEmpty, node.nodes.contains(where: { $0.id == maker }) { return nil }
        }
        if let stored = await takeStored(pid: pid) {
            guard let session = stored.content.session(after: offset?.id) else { return nil }
            return Found(session: session, mark: stored.mark)
        }
        if snapshots != nil { return await findCopy(pid: pid, offset: offset, mark: mark) }
        let result = await node.request(body, namespace: namespace, target: nil, timeout: nil)
        return result.session.map { Found(session: $0, mark: mark) }
    }

    private func adopt(_ found: Found, pid: String, _ claimant: any SessionClaimant) async -> Bool {
        let session = understood(found.session)
        return await withCheckedContinuation { continuation in
            let isCovered = recovery.withLock { recovery in
                let (own, _) = node.position(in: namespace)
                guard recovery.isReliable(now: node.now),
                    let (missed, until) = recovery.adopt(session, since: found.mark, own: own, now: node.now)
                else {
                    return false
                }
                claimant.eventLoop.execute { [self] in
                    let late = self.recovery.withLock { $0.overtook(session, since: until, on: claimant.eventLoop) }
                    guard let late else { return continuation.resume(returning: false) }
                    let packets = session.missed + missed + late
                    let isAdopted = local.adopt(session.recoverable(pid: pid), missed: packets, by: claimant)
                    if isAdopted { snapshots?.adopted(pid: pid, start: found.start) }
                    continuation.resume(returning: isAdopted)
                }
                return true
            }
            if !isCovered { continuation.resume(returning: false) }
        }
    }
}

/// A call that does not leave the thread that made it: out of a lock and no further.
private struct UncheckedCall: @unchecked Sendable {  // It is called where it was made.
    private let body: (() -> Void)?

    init(_ body: (() -> Void)?) { self.body = body }

    func call() { body?() }
}

extension PendingRequestsStateMachine.RequestResult {
    /// The session, if a node had it.
    var session: ClaimedSession? {
        for case .sessionAnswer(let session?) in answers { return session }
        return nil
    }
}

extension ClusterNode {
    /// How far this node has come with the messages of others.
    func reached(in namespace: String) -> [ClaimedSession.OriginPosition] { state.withLock { $0.machine.reached(in: namespace) } }

    /// How far this node has come with the messages of others, and what of its own is still under way.
    func position(in namespace: String) -> (positions: [ClaimedSession.OriginPosition], unwritten: [MessageID]) {
        state.withLock { state in
            (state.machine.positions(in: namespace), state.machine.unwrittenBroadcasts(of: namespace))
        }
    }
}
