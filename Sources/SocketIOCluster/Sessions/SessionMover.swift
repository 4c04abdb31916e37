// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// Moves the sessions of a namespace: from this node to others, and from others, the session store or a crashed node to this one.
///
/// Sessions are only moved correctly if all deliveries of the namespace go through ``emit(_:to:_:)`` and ``receive(_:to:_:)``; see
/// ``RecoveryStateMachine`` for the order that they establish.
final class SessionMover: Sendable {
    /// A session that was claimed elsewhere.
    private struct Found {
        var session: ClaimedSession
        /// From where on the log has what the session has missed in addition.
        var mark: RecoveryLog.Mark
        /// The position of its first node when the client connected, if it is known.
        var start: MessageID?
    }

    /// A stored session, and from where on the log has what it has missed in addition.
    private struct Stored {
        var content: StoredSessionContent
        var mark: RecoveryLog.Mark
    }

    private let node: ClusterNode
    private let namespace: String
    private let local: CoreLocalAdapter
    /// Orders the packets of this node, those of other nodes and the moves of sessions.
    private let recovery: Mutex<RecoveryStateMachine>
    /// nil unless ``ClusterConfiguration/snapshotsSessions`` is on.
    private let snapshots: SnapshotKeeper?
    private let storage: SessionStorage?
    private let foreign: ForeignSessions?
    private let ownPositions: PositionFeed

    /// nil if the server recovers no sessions.
    init?(node: ClusterNode, context: AdapterContext) {
        let local = context.local
        guard local.recovers else { return nil }
        self.node = node
        self.namespace = context.namespace
        self.local = local
        self.snapshots = SnapshotKeeper(node: node, namespace: namespace, local: local)
        self.storage = SessionStorage(node: node, namespace: namespace, retention: local.sessionRetention)
        self.foreign = ForeignSessions(node: node, namespace: namespace, retention: local.sessionRetention)
        self.ownPositions = PositionFeed(local: local)
        let limits = RecoveryStateMachine.Limits(retention: TimeAmount(local.sessionRetention))
        let machine = RecoveryStateMachine(node: node.id, limits, keepsUnseen: storage != nil, keepsLog: snapshots != nil)
        self.recovery = Mutex(machine)
    }

    // MARK: Life

    /// Starts to keep snapshots, if that is on. A broadcast without recipients gives this node its first position in the stream, which all
    /// other nodes learn. Returns when it has returned, so that every client has a position, or after the time that a start may take.
    func start() async {
        guard let snapshots else { return }
        snapshots.start()
        let id = node.makeID()
        let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(), isBinary: local.format == .messagePack), offset: id)
        let options = BroadcastOptions(rooms: [id.description])
        node.runner.sendWithoutWaiting(.broadcast(packet, options), namespace: namespace, id: id) { enqueue in
            emit(packet, to: options, enqueue)
        }
        await ownPositions.firstArrival(atMost: node.configuration.settleTimeout)
    }

    /// If the node is going to leave, hands the parked sessions over to the session store.
    func close() async {
        // A snapshot that is being written must not replace what is stored now.
        await snapshots?.stop()
        await storeParkedSessions()
        await snapshots?.close()
    }

    /// Reacts to an event of the cluster, before it is reported. Called by the task that reads the stream.
    func happened(_ event: ClusterEvent) {
        let now = node.clock.now
        switch event {
        case .gap: recovery.withLock { $0.lost(now: now) }
        case .draining(let other) where storage != nil:
            recovery.withLock { $0.draining(other, reached: node.reached(in: namespace), members: node.nodes, now: now) }
        case .left(let other): recovery.withLock { $0.left(other, now: now) }
        case .died(let other): recovery.withLock { $0.died(other, now: now) }
        // Snapshots name the epoch that has ended, and would be taken for those of a dead node.
        case .wasPaused: snapshots?.renew()
        default: break
        }
    }

    /// Called about once a second.
    func tick() { snapshots?.renewIfDue() }

    // MARK: Offsets

    /// The id and, with snapshots, the position of the calling event loop.
    func makeOffset(_ id: MessageID) -> String {
        guard snapshots != nil else { return id.description }
        let position = local.positionOfCurrentLoop ?? recovery.withLock { $0.position }
        return RecoveryOffset(id: id, position: position).description
    }

    // MARK: Order

    /// Delivers and enqueues a packet of this node.
    func emit(_ packet: BroadcastPacket, to options: BroadcastOptions, _ enqueue: () -> Void) {
        let here = recovery.withLock { recovery in
            recovery.emitted(packet, to: options, deliveredOn: local.currentLoop)
            let here = local.enqueueDelivery(packet, to: options)
            enqueue()
            return UncheckedCall(here)
        }
        here.call()
    }

    /// Delivers a packet of another node.
    func receive(_ packet: BroadcastPacket, to options: BroadcastOptions, _ header: ClusterHeader) {
        let here = recovery.withLock { recovery in
            var options = options
            options.except += recovery.received(packet, to: options, header, deliveredOn: local.currentLoop)
            let isPlaced = header.target == nil && packet.offset != nil
            let position = isPlaced ? recovery.advance(to: header.id, now: node.clock.now) : nil
            if position != nil { ownPositions.wasOvertaken() }
            return UncheckedCall(local.enqueueDelivery(packet, to: options, position: position))
        }
        here.call()
    }

    /// Records the first position of another node in the stream. No client gets the packet.
    func receivePlaceMarker(_ packet: BroadcastPacket, _ header: ClusterHeader) {
        let room = header.id.description
        receive(packet, to: BroadcastOptions(rooms: [room], except: [room]), header)
    }

    /// A message of this node, perhaps of another namespace, has returned. Called by the task that reads the stream.
    func cameBack(_ id: MessageID) {
        let position = recovery.withLock { $0.cameBack(id) ? $0.advance(to: id, now: node.clock.now) : nil }
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

    // MARK: Parking and discarding

    /// Parks the session in this process, and for nodes of other implementations.
    func park(_ session: RecoverableSession, of socket: any LocalSocket) -> Bool {
        let isParked = local.parkSession(of: socket, session)
        if isParked { foreign?.park(session) }
        return isParked
    }

    /// Writes a packet that was given to a single socket of this process, for a node of another implementation to which its client may
    /// move.
    func emitted(_ packet: BroadcastPacket, to id: SocketID) { if packet.offset != nil { foreign?.record(packet, to: id) } }

    /// Discards a session that a node of another implementation has now, or had later than this one.
    func discard(pid: String) { local.discardSession(pid: pid) }

    // MARK: Handing over

    /// Hands a session over to the node that claims it, if it is here. Called by the task that reads the stream.
    func handOver(pid: String, offset: MessageID?, _ header: ClusterHeader) {
        let taken = recovery.withLock { recovery -> Handover? in
            guard recovery.isReliable(now: node.clock.now) else { return nil }
            let (positions, unwritten) = node.position(in: namespace)
            return Handover(positions: positions, unwritten: unwritten, session: local.beginHandover(pid: pid, offset: offset))
        }
        guard let taken else { return node.runner.answer(header, with: .sessionAnswer(nil)) }
        let isAccepted = node.responders.add { [self] in
            var session = await taken.session().map { handedOver in
                ClaimedSession(
                    state: handedOver.session.state,
                    missed: handedOver.missed,
                    known: handedOver.session.buffer.known + taken.unwritten,
                    positions: taken.positions
                )
            }
            // A node that has just started cannot know what a stored session has missed.
            if session == nil, header.target == nil { session = await forwardStored(pid: pid, offset: offset) }
            node.runner.answer(header, with: .sessionAnswer(session))
        }
        if !isAccepted { node.runner.answer(header, with: .sessionAnswer(nil)) }
    }

    private struct Handover: Sendable {
        var positions: [ClaimedSession.OriginPosition]
        var unwritten: [MessageID]
        var session: @Sendable () async -> CoreLocalAdapter.HandedOverSession?
    }

    /// Takes a session from the store for the node that claims it, with all that it has missed until now, as if it had been here.
    private func forwardStored(pid: String, offset: MessageID?) async -> ClaimedSession? {
        guard let stored = await takeStored(pid: pid), let session = stored.content.session(after: offset) else { return nil }
        return recovery.withLock { recovery in
            let (positions, unwritten) = node.position(in: namespace)
            guard recovery.isReliable(now: node.clock.now) else { return nil }
            return recovery.forward(session, since: stored.mark, positions: positions, unwritten: unwritten)
        }
    }

    /// Stores the parked sessions, if the node is going to leave and the other nodes know it.
    private func storeParkedSessions() async {
        guard let storage, let owner = await node.drained() else { return }
        // While the backend is slow, the sessions stay here, where they can be claimed.
        guard await node.waitUntilWritten(in: namespace) else { return logNotStored() }
        // From here on they get nothing more, so only what was emitted until now has to be written, whatever else is emitted.
        let end = await node.betweenMessages { [self] in
            recovery.withLock { _ in (mark: node.mark(in: namespace), handingOver: local.beginHandingOverParkedSessions()) }
        }
        let sessions = await end.handingOver()
        guard recovery.withLock({ $0.isReliable(now: node.clock.now) }) else { return }
        guard let mark = end.mark, let positions = await node.positions(at: mark) else { return logNotStored() }
        var batches = storage.makeBatches()
        for parked in sessions {
            let buffer = parked.session.buffer
            let session = ClaimedSession(
                state: parked.session.state,
                missed: buffer.packets(after: buffer.base) ?? [],
                known: buffer.known,
                positions: positions
            )
            let content = StoredSessionContent(owner: owner, age: parked.age, base: buffer.base, session: session)
            guard let payload = try? ClusterPayloadCoder.encode(content) else { continue }
            batches.add(StoredSession(namespace: namespace, pid: parked.session.pid, payload: payload))
        }
        await storage.store(batches)
    }

    private func logNotStored() {
        node.log.session(
            "sessions were not stored, because messages that they had already received could not be written",
            namespace: namespace
        )
    }

    // MARK: Claiming and restoring

    /// Restores the session of a client that has returned: from this process, or by claiming it from the node that has it.
    ///
    /// A session that is not covered, for instance because messages were lost, is not restored.
    func restore(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        guard let id = ClusterSessionID(pid), id.maker != nil || foreign != nil, let offset = RecoveryOffset.parse(offset) else {
            return false
        }
        let now = node.clock.now
        guard recovery.withLock({ $0.isReliable(now: now) }) else { return false }
        if await local.restoreSession(pid: pid, after: offset?.id, to: claimant) {
            foreign?.discard(pid: pid)
            return true
        }
        let mark = recovery.withLock { $0.beginClaim(reached: node.reached(in: namespace), members: node.nodes, now: node.clock.now) }
        defer { recovery.withLock { $0.endClaim(mark) } }
        if let found = await claim(id, offset: offset, mark: mark) {
            guard await restore(found, pid: pid, after: offset?.id, to: claimant) else { return false }
            foreign?.discard(pid: pid)
            return true
        }
        return await restoreForeign(pid: pid, after: offset?.id, to: claimant)
    }

    private func restoreForeign(pid: String, after offset: MessageID?, to claimant: any SessionClaimant) async -> Bool {
        guard let foreign else { return false }
        let mark = recovery.withLock { $0.beginClaimFromBackend(now: node.clock.now) }
        defer { recovery.withLock { $0.endClaim(mark) } }
        guard let offset, let session = await foreign.claim(pid: pid, after: offset),
            recovery.withLock({ $0.give(session.missed, to: session.state.id, now: node.clock.now) })
        else { return false }
        return await restore(Found(session: session, mark: mark), pid: pid, after: offset, to: claimant)
    }

    /// Claims the session from the node that made it. That node may have left and stored it, or the session may have moved: then from the
    /// store, and then from all nodes.
    private func claim(_ id: ClusterSessionID, offset: RecoveryOffset?, mark: RecoveryLog.Mark) async -> Found? {
        let body = ClusterBody.claimSession(pid: id.pid, offset: offset?.id)
        if let maker = id.maker, maker != node.id {
            let result = await node.runner.request(body, namespace: namespace, target: maker, timeout: patience)
            if let session = result.session { return Found(session: session, mark: mark) }
            // It is alive and does not answer: no other node may hand its session over, and the client has waited long enough.
            if snapshots != nil, !result.missing.isEmpty, node.nodes.contains(where: { $0.id == maker }) { return nil }
        }
        if let stored = await takeStored(pid: id.pid) {
            guard let session = stored.content.session(after: offset?.id) else { return nil }
            return Found(session: session, mark: stored.mark)
        }
        if snapshots != nil { return await claimFromAllOrSnapshot(id.pid, offset: offset, mark: mark) }
        let result = await node.runner.request(body, namespace: namespace, target: nil, timeout: nil)
        return result.session.map { Found(session: $0, mark: mark) }
    }

    private func restore(_ found: Found, pid: String, after offset: MessageID?, to claimant: any SessionClaimant) async -> Bool {
        let session = withoutInvalidPackets(found.session)
        return await withCheckedContinuation { continuation in
            let isCovered = recovery.withLock { recovery in
                let (own, _) = node.position(in: namespace)
                guard recovery.isReliable(now: node.clock.now),
                    let (missed, until) = recovery.restore(session, since: found.mark, own: own, now: node.clock.now)
                else {
                    return false
                }
                claimant.eventLoop.execute { [self] in
                    let late = self.recovery.withLock { $0.overtook(session, since: until, on: claimant.eventLoop) }
                    guard let late else { return continuation.resume(returning: false) }
                    let packets = session.missed + missed + late
                    let isRestored = local.restore(session.state, pid: pid, missed: packets, after: offset, to: claimant)
                    if isRestored { snapshots?.restored(pid: pid, start: found.start) }
                    continuation.resume(returning: isRestored)
                }
                return true
            }
            if !isCovered { continuation.resume(returning: false) }
        }
    }

    /// A session from elsewhere, without packets that must not be given to a client.
    private func withoutInvalidPackets(_ session: ClaimedSession) -> ClaimedSession {
        var result = session
        result.missed.removeAll { !$0.encoded.isEvent(for: local.format, in: namespace) }
        let skipped = session.missed.count - result.missed.count
        if skipped > 0 { node.runner.report(.skipped("\(skipped) packet(s) of a session from another node are not events")) }
        return result
    }

    // MARK: The session store

    /// Takes a session from the store. It is then nowhere else, so if it is not covered it is lost.
    ///
    /// Sessions of nodes that this one has never known could not be restored, so the store is not asked if no known node has left.
    private func takeStored(pid: String) async -> Stored? {
        guard let storage, recovery.withLock({ $0.mayHaveStored }) else { return nil }
        do { return try await storage.take(pid: pid).flatMap(read) } catch {
            node.log.sessionUnreadable(error)
            return nil
        }
    }

    /// Decodes a session that its node has stored; nil if it is not covered.
    private func read(_ stored: StoredSession) throws -> Stored? {
        let content = try ClusterPayloadCoder.decodeSession(stored.payload)
        return recovery.withLock { recovery in
            recovery.mark(for: content.owner, age: content.age, now: node.clock.now).map { Stored(content: content, mark: $0) }
        }
    }

    // MARK: Snapshots

    /// How long to wait for the answers of nodes that may have crashed: until a crash is detected; nil for the default.
    private var patience: Duration? {
        snapshots == nil ? nil : node.configuration.heartbeatTimeout + node.configuration.heartbeatInterval * 2
    }

    /// Claims the session from all nodes. If all that are alive have declined, looks for the snapshot of a dead node.
    ///
    /// Claiming it from all first also makes a node that is wrongly considered dead discard its session, when it reads on.
    private func claimFromAllOrSnapshot(_ pid: String, offset: RecoveryOffset?, mark: RecoveryLog.Mark) async -> Found? {
        let before = node.nodes
        let body = ClusterBody.claimSession(pid: pid, offset: offset?.id)
        let result = await node.runner.request(body, namespace: namespace, target: nil, timeout: patience)
        if let session = result.session { return Found(session: session, mark: mark) }
        let after = Set(node.nodes)
        let areGone = result.missing.allSatisfy { id in !before.contains { $0.id == id && after.contains($0) } }
        guard result.error == nil, areGone else { return nil }
        let found = await takeSnapshot(pid, offset: offset)
        // No node was known that could have been asked, but one may be alive that is wrongly considered dead.
        if found != nil, before.isEmpty { node.runner.sendWithoutWaiting(body, namespace: namespace) }
        return found
    }

    private func takeSnapshot(_ pid: String, offset: RecoveryOffset?) async -> Found? {
        guard let store = node.driver.snapshotStore else { return nil }
        let mayTake = recovery.withLock { $0.mayHaveStored || $0.mayCover(offset, now: node.clock.now) }
        guard mayTake else { return nil }
        do {
            guard let stored = try await store.take(pid, in: namespace, sparing: Set(node.nodes + [node.identity])) else { return nil }
            return stored.isSnapshot ? try found(inSnapshot: stored, offset: offset) : try found(inStore: stored, offset: offset?.id)
        } catch {
            node.log.sessionUnreadable(error)
            return nil
        }
    }

    /// A session that its node had until it crashed. All that it has missed is in the log.
    private func found(inSnapshot stored: StoredSession, offset: RecoveryOffset?) throws -> Found? {
        let snapshot = try ClusterPayloadCoder.decodeSnapshot(stored.payload)
        guard let mark = recovery.withLock({ $0.mark(for: snapshot, after: offset, now: node.clock.now) }) else { return nil }
        let session = ClaimedSession(state: snapshot.state, known: offset.map { [$0.id] } ?? [])
        return Found(session: session, mark: mark, start: snapshot.start)
    }

    /// A session that its node has handed over when it left.
    private func found(inStore stored: StoredSession, offset: MessageID?) throws -> Found? {
        guard let stored = try read(stored), let session = stored.content.session(after: offset) else { return nil }
        return Found(session: session, mark: stored.mark)
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
    fileprivate var session: ClaimedSession? {
        for case .sessionAnswer(let session?) in answers { return session }
        return nil
    }
}
