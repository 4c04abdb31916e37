// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOText

/// Clients in the main namespace, whose sessions move between nodes.
extension Simulation {
    static let namespace = "/"
    private static let retention: Int64 = 4_000_000_000

    static var recoveryLimits: RecoveryStateMachine.Limits {
        var limits = RecoveryStateMachine.Limits(retention: .nanoseconds(retention))
        limits.notice = .seconds(3)
        return limits
    }

    func addClients() {
        for index in 0..<clientCount {
            let rooms = [["a"], ["b"], ["a", "b"], []].randomElement(using: &random) ?? []
            let client = SimulatedClient(index: index, rooms: NameSet(rooms))
            clients.append(client)
            events.add(.connect(client, attempt: 0), at: random.delay(500...1_500))
        }
    }

    // MARK: What sockets get

    /// Hands a packet to the selected sockets of a node.
    func hand(_ packet: BroadcastPacket, to options: BroadcastOptions, of node: SimulatedNode) throws {
        for socket in node.sockets where socket.isSelected(options) { try give(packet, to: socket) }
    }

    private func give(_ packet: BroadcastPacket, to socket: SimulatedSocket) throws {
        socket.ring.append(packet, pings: socket.pings)
        guard socket.isLinked, let id = packet.offset, let index = emitIndex[id] else { return }
        let client = socket.client
        note("client \(client.index) gets \(id)")
        client.offset = id
        guard client.received.insert(id).inserted else {
            if index < client.mayRepeat { return }
            throw BrokenPromise(description: "P2: client \(client.index) got \(id) twice")
        }
        let origin = emits[index].origin
        // What its first node lost, and said so, comes late with the copy of its session.
        if client.isExcused, index < client.mayRepeat { return }
        guard client.lastOrder[origin].map({ $0 < index }) ?? true else {
            throw BrokenPromise(description: "P1: client \(client.index) got \(id) of \(nodes[origin].id) after a later one")
        }
        client.lastOrder[origin] = index
    }

    /// The node asks its clients whether they are there.
    func ping(_ node: SimulatedNode) {
        for socket in node.sockets {
            socket.pings += 1
            if socket.isLinked { socket.ring.pongReceived(for: socket.pings) }
        }
    }

    // MARK: Clients that go

    func cut(_ client: SimulatedClient, attempt: Int) {
        guard client.attempt == attempt, let socket = client.socket, socket.isLinked, now < Self.active else { return }
        leave(socket)
    }

    private func leave(_ socket: SimulatedSocket) {
        let client = socket.client
        note("client \(client.index) is cut off")
        socket.isLinked = false
        client.attempt += 1
        events.add(.connect(client, attempt: client.attempt), at: now + random.delay(5...1_500))
        let noticed = now + random.delay(1...2_000)
        events.add(.away(socket), at: noticed)
        events.add(.expire(socket), at: noticed + Self.retention)
    }

    /// Its node notices.
    func isAway(_ socket: SimulatedSocket) {
        for node in nodes where node.sockets.contains(where: { $0 === socket }) { socket.awaySince = node.time(now) }
    }

    func expire(_ socket: SimulatedSocket) {
        for node in nodes where node.sockets.contains(where: { $0 === socket }) {
            node.sockets.removeAll { $0 === socket }
            discardSnapshot(socket.pid, of: node)
        }
    }

    /// The connections of a node end with it.
    func dropClients(of node: SimulatedNode) {
        for socket in node.sockets where socket.isLinked { leave(socket) }
    }

    /// A node lost something: those who are connected to it have lost it, those who are away must not come back.
    func lost(_ node: SimulatedNode) {
        node.recovery.lost(now: node.time(now))
        for socket in node.sockets where socket.isLinked { socket.client.isExcused = true }
    }

    // MARK: Clients that come

    func connect(_ client: SimulatedClient, attempt: Int) throws {
        guard client.attempt == attempt, !client.isConnected else { return }
        let open = nodes.filter { $0.isRunning && !$0.isLeaving && $0.isOpen && $0.pausedUntil <= now }
        guard let node = open.randomElement(using: &random) else {
            return events.add(.connect(client, attempt: attempt), at: now + 200_000_000)
        }
        client.attempt += 1
        // Whoever gets no answer tries again somewhere else.
        events.add(.connect(client, attempt: client.attempt), at: now + random.delay(100...4_000))
        guard let old = client.socket else { return start(client, at: node) }
        note("client \(client.index) comes to \(node.id)")
        guard node.recovery.isReliable(now: node.time(now)) else { return start(client, at: node) }
        if let kept = node.sockets.first(where: { $0.pid == old.pid }) {
            guard let session = handOver(old.pid, client.offset, of: node) else { return start(client, at: node) }
            counts.local += 1
            try resume(client, session, pid: old.pid, missed: [], at: node)
            client.socket?.isMoved = kept.isMoved
            client.socket?.start = kept.start
            return
        }
        let (reached, members) = (node.machine.reached(in: Self.namespace), node.machine.members.map(\.identity))
        let mark = node.recovery.beginClaim(reached: reached, members: members, now: node.time(now))
        let claim = SimulatedClaim(client: client, attempt: client.attempt, pid: old.pid, offset: client.offset, mark: mark)
        let maker = old.pid.split(separator: ".").last.map(String.init)
        if let maker, maker != node.id { try ask(node, claim, maker) } else { try unanswered(node, claim) }
    }

    private func ask(_ node: SimulatedNode, _ claim: SimulatedClaim, _ target: NodeID?) throws {
        let id = ClusterRequestID(high: random.next(), low: random.next())
        claims[id] = claim
        let actions = node.machine.request(
            id,
            .answers,
            namespace: Self.namespace,
            target: target,
            body: .claimSession(pid: claim.pid, offset: claim.offset),
            timeout: keepsSnapshots ? configuration.heartbeatTimeout + configuration.heartbeatInterval * 2 : .seconds(1),
            now: node.time(now)
        )
        try perform(node, actions)
    }

    func answered(_ node: SimulatedNode, _ claim: SimulatedClaim, _ result: PendingRequestsStateMachine.RequestResult) throws {
        for case .sessionAnswer(let session?) in result.answers { return try restore(node, claim, session, mark: claim.mark, \.claimed) }
        if claim.stage == .maker { return try unanswered(node, claim) }
        guard keepsSnapshots, result.error == nil, let found = try takeSnapshot(node, claim, missing: result.missing) else {
            return giveUp(node, claim)
        }
        claim.client.mayRepeat = emits.count
        try restore(node, claim, found.session, mark: found.mark, \.fromSnapshot, start: found.start)
    }

    /// The maker has no session: it may have stored it, or another node has it.
    private func unanswered(_ node: SimulatedNode, _ claim: SimulatedClaim) throws {
        if !keepsSnapshots, node.recovery.mayHaveStored, let payload = store.removeValue(forKey: claim.pid) {
            let content = try ClusterPayloadCoder.decodeSession(payload)
            let mark = node.recovery.mark(for: content.owner, age: content.age, now: node.time(now))
            guard let mark, let session = content.session(after: claim.offset) else { return giveUp(node, claim) }
            return try restore(node, claim, session, mark: mark, \.stored)
        }
        var claim = claim
        claim.stage = .all
        claim.asked = node.machine.members.map(\.identity)
        try ask(node, claim, nil)
    }

    func giveUp(_ node: SimulatedNode, _ claim: SimulatedClaim) {
        node.recovery.endClaim(claim.mark)
        if node.isRunning, claim.client.attempt == claim.attempt, !claim.client.isConnected { start(claim.client, at: node) }
    }

    private func restore(
        _ node: SimulatedNode,
        _ claim: SimulatedClaim,
        _ session: ClaimedSession,
        mark: RecoveryLog.Mark,
        _ count: WritableKeyPath<SimulationCounts, Int>,
        start: MessageID? = nil
    ) throws {
        let client = claim.client
        guard node.isRunning, client.attempt == claim.attempt, !client.isConnected else { return node.recovery.endClaim(claim.mark) }
        let own = node.machine.positions(in: Self.namespace)
        guard node.recovery.isReliable(now: node.time(now)),
            let (missed, _) = node.recovery.restore(session, since: mark, own: own, now: node.time(now))
        else { return giveUp(node, claim) }
        node.recovery.endClaim(claim.mark)
        counts[keyPath: count] += 1
        try resume(client, session, pid: claim.pid, missed: missed, at: node)
        client.socket?.isMoved = true
        client.socket?.start = start
    }

    private func resume(
        _ client: SimulatedClient,
        _ session: ClaimedSession,
        pid: String,
        missed: [BroadcastPacket],
        at node: SimulatedNode
    ) throws {
        note("client \(client.index) is restored by \(node.id) and has missed \(session.missed.count) + \(missed.count)")
        // A node that was only taken for dead gives its session up when it reads on; see `checkClients`.
        if !keepsSnapshots, let other = nodes.first(where: { $0.isRunning && $0.sockets.contains { $0.pid == pid } }) {
            throw BrokenPromise(description: "the session of client \(client.index) is in \(node.id) and in \(other.id)")
        }
        add(client, SimulatedSocket(id: session.state.id, pid: pid, client: client, base: client.offset), to: node)
        for packet in session.missed + missed { if let socket = client.socket { try give(packet, to: socket) } }
    }

    /// A new session.
    private func start(_ client: SimulatedClient, at node: SimulatedNode) {
        if client.socket != nil { counts.fresh += 1 }
        note("client \(client.index) starts at \(node.id)")
        client.received = []
        client.lastOrder = [:]
        client.offset = nil
        client.firstEmit = emits.count
        client.isExcused = false
        client.mayRepeat = 0
        nextID += 1
        add(client, SimulatedSocket(id: "s\(nextID)", pid: "p\(nextID).\(node.id)", client: client, base: nil), to: node)
    }

    private func add(_ client: SimulatedClient, _ socket: SimulatedSocket, to node: SimulatedNode) {
        client.attempt += 1
        client.socket = socket
        socket.start = node.recovery.position
        node.sockets.append(socket)
        if keepsSnapshots { events.add(.snapshot(node, socket), at: now + random.delay(10...300)) }
        events.add(.cut(client, attempt: client.attempt), at: now + random.delay(100...3_000))
    }

    // MARK: The node that has a session

    func handOver(_ pid: String, _ offset: MessageID?, of node: SimulatedNode) -> ClaimedSession? {
        guard node.recovery.isReliable(now: node.time(now)), let index = node.sockets.firstIndex(where: { $0.pid == pid }) else {
            return nil
        }
        let socket = node.sockets.remove(at: index)
        note("\(node.id) gives up the session of client \(socket.client.index)")
        // A claim that its client has given up may come so late that the client is here again: it is closed.
        if socket.isLinked { leave(socket) }
        discardSnapshot(pid, of: node)
        return socket.ring.packets(after: offset).map { session(of: socket, missed: $0, node) }
    }

    private func session(of socket: SimulatedSocket, missed: [BroadcastPacket], _ node: SimulatedNode) -> ClaimedSession {
        ClaimedSession(
            state: SessionState(id: socket.id, rooms: socket.rooms, data: EncodedObject.empty),
            missed: missed,
            known: socket.ring.known + node.machine.unwrittenBroadcasts(of: Self.namespace),
            positions: node.machine.positions(in: Self.namespace)
        )
    }

    /// The sessions of a node that leaves may end some time before they are stored, while it goes on emitting.
    func freezeSometimes(_ node: SimulatedNode) {
        guard node.frozen == nil, node.machine.drainedAs != nil, random.happens(0.3) else { return }
        freeze(node)
    }

    private func freeze(_ node: SimulatedNode) {
        dropClients(of: node)
        guard let mark = node.machine.mark(in: Self.namespace) else { return }
        let time = node.time(now)
        let sessions = node.sockets.map { socket in
            var session = session(of: socket, missed: socket.ring.packets(after: socket.ring.base) ?? [], node)
            session.known = socket.ring.known
            return SimulatedSession(
                pid: socket.pid,
                age: socket.awaySince.map { time - $0 } ?? .zero,
                base: socket.ring.base,
                session: session
            )
        }
        node.frozen = (mark, sessions)
        node.sockets = []
    }

    /// A node that leaves stores its sessions, if the others know that it leaves.
    func storeSessions(of node: SimulatedNode) throws {
        if node.frozen == nil { freeze(node) }
        dropClients(of: node)
        guard let owner = node.machine.drainedAs, node.recovery.isReliable(now: node.time(now)), let frozen = node.frozen,
            let positions = node.machine.positions(at: frozen.mark)
        else { return }
        for frozen in frozen.sessions {
            var session = frozen.session
            session.positions = positions
            let content = StoredSessionContent(owner: owner, age: frozen.age, base: frozen.base, session: session)
            store[frozen.pid] = try ClusterPayloadCoder.encode(content)
            snapshots[frozen.pid] = nil
        }
    }

    // MARK: The end

    func checkClients() throws {
        var owners: [String: NodeID] = [:]
        for node in nodes where node.isRunning {
            for socket in node.sockets {
                guard let other = owners.updateValue(node.id, forKey: socket.pid) else { continue }
                throw BrokenPromise(description: "\(node.id) and \(other) have the same session at the end")
            }
        }
        for client in clients {
            guard client.isConnected else { throw BrokenPromise(description: "client \(client.index) is not connected at the end") }
            guard let socket = client.socket, !client.isExcused else { continue }
            for emit in emits[client.firstEmit...] where emit.namespace == Self.namespace && emit.target == nil {
                guard isCarried(emit), socket.isSelected(emit.options), !client.received.contains(emit.id) else { continue }
                throw BrokenPromise(
                    description:
                        "P2: client \(client.index) lost \(emit.id) of \(nodes[emit.origin].id), emitted at \(emit.at / 1_000_000) ms"
                )
            }
        }
    }
}
