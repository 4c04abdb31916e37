import NIOCore
public import SocketIOCore
import Synchronization

/// What a namespace keeps for sessions that move between nodes.
///
/// All that matters to them happens under one lock, each in one step: an emit of this node (into the log, to the loops, into the
/// queue), a broadcast of another node (into the log, to the loops), the surrender of a session (its node's numbers, its end on the
/// loop) and its arrival (what it has missed, its start on the loop). So each packet is either in what the session brings along, or in
/// the log after its claim, or delivered live.
struct Recovery {
    /// A socket that came from a node which had read further than this one: what it had been given there must not come again.
    struct Floor {
        var socket: SocketID
        var numbers: [NodeIdentity: UInt64]
        var until: NIODeadline
    }

    var log = RecoveryLog()
    var floors: [Floor] = []
    var lastLoss: NIODeadline?

    /// For how long after a loss no session is restored: those that were away may have missed what cannot be told.
    static var caution: TimeAmount { .seconds(120) }

    func isReliable(now: NIODeadline) -> Bool { lastLoss.map { now - $0 > Self.caution } ?? true }

    /// The sockets that have got a message elsewhere.
    mutating func sockets(that got: NodeIdentity, number: UInt64, now: NIODeadline) -> [SocketID] {
        guard !floors.isEmpty, number > 0 else { return [] }
        var result: [SocketID] = []
        for index in floors.indices {
            guard let floor = floors[index].numbers[got] else { continue }
            if number <= floor { result.append(floors[index].socket) }
            if number >= floor { floors[index].numbers[got] = nil }
        }
        floors.removeAll { $0.numbers.isEmpty || $0.until < now }
        return result
    }
}

extension ClusterAdapter {
    /// The random characters and the id of this node.
    public func makeSessionID(_ random: String) -> String { "\(random).\(node.id)" }

    private func maker(of pid: String) -> NodeID? {
        pid.firstIndex(of: ".").map { String(pid[pid.index(after: $0)...]) }
    }

    func somethingWasLost() {
        recovery.withLock { recovery in
            recovery.log.invalidate()
            recovery.lastLoss = .now()
        }
    }

    // MARK: Order

    /// Delivers and enqueues a packet of this node.
    func deliverInOrder(_ packet: BroadcastPacket, to options: BroadcastOptions, _ enqueue: () -> Void) {
        let here = recovery.withLock { recovery in
            recovery.log.append(packet, to: options, deliveredOn: local.currentLoop)
            let here = local.enqueueDelivery(packet, to: options)
            enqueue()
            return UncheckedCall(here)
        }
        here.call()
    }

    /// Delivers a packet of another node.
    func deliverInOrder(_ packet: BroadcastPacket, to options: BroadcastOptions, _ header: ClusterHeader) {
        let here = recovery.withLock { recovery in
            // What is for this node only has numbers of its own, and no other node can have delivered it.
            let number = header.target == nil ? header.stamp?.number ?? 0 : 0
            recovery.log.append(packet, to: options, origin: header.origin, number: number, deliveredOn: local.currentLoop)
            var options = options
            options.except += recovery.sockets(that: header.origin, number: number, now: .now())
            return UncheckedCall(local.enqueueDelivery(packet, to: options))
        }
        here.call()
    }

    // MARK: The node that has the session

    /// Gives a session up, if it is here. Called by the task that reads the stream.
    func surrender(pid: String, offset: MessageID?, _ header: ClusterHeader) {
        guard local.recovers else { return node.answer(header, with: .sessionAnswer(nil)) }
        let taken = recovery.withLock { recovery -> Surrender? in
            guard recovery.isReliable(now: .now()) else { return nil }
            let (positions, unwritten) = node.position(in: namespace)
            return Surrender(positions: positions, unwritten: unwritten, session: local.beginClaim(pid: pid, offset: offset))
        }
        guard let taken else { return node.answer(header, with: .sessionAnswer(nil)) }
        let isAccepted = node.responders.add { [node] in
            let session = await taken.session().map { surrendered in
                ClaimedSession(
                    id: surrendered.session.id,
                    rooms: surrendered.session.rooms,
                    data: surrendered.session.data,
                    missed: surrendered.missed,
                    known: surrendered.session.buffer.offsets + taken.unwritten,
                    positions: taken.positions
                )
            }
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
        let position = offset.flatMap { MessageID($0) }
        guard local.recovers, (offset == nil) == (position == nil), recovery.withLock({ $0.isReliable(now: .now()) }) else { return false }
        if await local.restoreSession(pid: pid, offset: offset, to: claimant) { return true }
        let mark = recovery.withLock { $0.log.begin() }
        guard let session = await claim(pid: pid, offset: position) else {
            recovery.withLock { $0.log.end(mark) }
            return false
        }
        return await adopt(session, pid: pid, mark: mark, claimant)
    }

    /// Asks the node that made the session; it may have moved since, so then all of them.
    private func claim(pid: String, offset: MessageID?) async -> ClaimedSession? {
        let body = ClusterBody.claimSession(pid: pid, offset: offset)
        if let maker = maker(of: pid), maker != node.id {
            let result = await node.request(body, namespace: namespace, target: maker, timeout: nil)
            if let session = result.session { return session }
        }
        return await node.request(body, namespace: namespace, target: nil, timeout: nil).session
    }

    private func adopt(_ session: ClaimedSession, pid: String, mark: RecoveryLog.Mark, _ claimant: any SessionClaimant) async -> Bool {
        await withCheckedContinuation { continuation in
            recovery.withLock { recovery in
                guard let (missed, until) = recovery.log.missed(by: session, since: mark) else {
                    recovery.log.end(mark)
                    return continuation.resume(returning: false)
                }
                setFloor(of: session, &recovery)
                claimant.eventLoop.execute { [self] in
                    let late = self.recovery.withLock { recovery in
                        defer { recovery.log.end(mark) }
                        return recovery.log.overtook(session, since: until, on: claimant.eventLoop)
                    }
                    guard let late else { return continuation.resume(returning: false) }
                    let packets = session.missed + missed + late
                    continuation.resume(returning: local.adopt(session, pid: pid, missed: packets, by: claimant))
                }
            }
        }
    }

    private func setFloor(of session: ClaimedSession, _ recovery: inout Recovery) {
        let (positions, _) = node.position(in: namespace)
        let own = Dictionary(positions.map { ($0.origin, $0.number) }) { first, _ in first }
        var numbers: [NodeIdentity: UInt64] = [:]
        for position in session.positions where position.origin.id != node.id && position.number > own[position.origin] ?? 0 {
            numbers[position.origin] = position.number
        }
        guard !numbers.isEmpty, recovery.floors.count < 10_000 else { return }
        recovery.floors.append(Recovery.Floor(socket: session.id, numbers: numbers, until: .now() + .seconds(60)))
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

extension ClusterNode {
    /// How far this node has come with the messages of others, and what of its own is still under way.
    func position(in namespace: String) -> (positions: [ClaimedSession.OriginPosition], unwritten: [MessageID]) {
        state.withLock { state in
            (state.machine.positions(in: namespace), state.machine.unwrittenBroadcasts(of: namespace))
        }
    }
}
