// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOText

extension Simulation {
    // MARK: What nodes do

    func act(_ node: SimulatedNode) throws {
        guard now < Self.active, node.isRunning else { return }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: try ask(node)
        case 1: try askForAcknowledgements(node)
        default: for _ in 0..<Int.random(in: 1...busyness, using: &random) { try emit(node) }
        }
        if random.happens(0.2) { ping(node) }
        events.add(.act(node), at: now + random.delay(5...700))
    }

    private func emit(_ node: SimulatedNode) throws {
        let namespace = Self.namespaces[Int.random(in: 0..<Self.namespaces.count, using: &random)]
        let others = nodes.filter { $0.isRunning && $0.index != node.index }
        let target = random.happens(0.15) ? others.randomElement(using: &random)?.id : nil
        let id = makeID()
        let isRefused = random.happens(faults.refusals)
        let certainty = Self.certainties.randomElement(using: &random) ?? .accepted
        let packet = BroadcastPacket(Self.packet.encoded, offset: certainty == .volatile ? nil : id)
        let options = Self.selections.randomElement(using: &random) ?? BroadcastOptions()
        emitIndex[id] = emits.count
        positions[id] = node.recovery.position
        let ticket = node.machine.makeTicket()
        tickets[ticket, default: [:]][node.index] = emits.count
        calls += 1
        emits.append(
            SimulatedEmit(
                id: id,
                origin: node.index,
                namespace: namespace,
                target: target,
                options: options,
                order: calls,
                at: now,
                certainty: certainty,
                isRefused: isRefused
            )
        )
        let message = Outgoing(
            namespace: namespace,
            target: target,
            body: .broadcast(packet, options),
            id: id,
            ticket: ticket,
            certainty: certainty,
            deadline: node.machine.writeDeadline(now: node.time(now))
        )
        note("\(node.id) emits \(id) (\(certainty)) to \(target ?? "all") in \(namespace)")
        if namespace == Self.namespace, target == nil {
            node.recovery.emitted(packet, to: options)
            try hand(packet, to: options, of: node)
        }
        let hasRoom = node.machine.waitingCount < configuration.maximumQueuedMessages
        try perform(node, node.machine.send(message))
        guard certainty == .volatile || (certainty == .accepted && hasRoom) else { return }
        guard emits.last?.fate != nil else { throw BrokenPromise(description: "P3: emitting \(id) waits although there is room") }
    }

    private static let certainties: [Outgoing.Certainty] = [.accepted, .accepted, .accepted, .confirmed, .volatile]

    private static let selections = [
        BroadcastOptions(), BroadcastOptions(), BroadcastOptions(rooms: ["a"]), BroadcastOptions(rooms: ["a", "b"]),
        BroadcastOptions(except: ["b"]), BroadcastOptions(rooms: ["b"], except: ["a"]),
    ]

    static let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(string: "2[\"x\"]"), isBinary: false))

    private func ask(_ node: SimulatedNode) throws {
        let id = ClusterRequestID(high: random.next(), low: random.next())
        let timeout = random.delay(500...3_000)
        calls += 1
        requests[id] = SimulatedRequest(origin: node.index, at: now, timeout: timeout, order: calls)
        note("\(node.id) asks \(id.high)")
        cancelSometimes(node, id)
        let actions = node.machine.request(
            id,
            .answers,
            namespace: "/",
            target: nil,
            body: .rooms(BroadcastOptions()),
            timeout: .nanoseconds(timeout),
            now: node.time(now)
        )
        try perform(node, actions)
    }

    private func askForAcknowledgements(_ node: SimulatedNode) throws {
        let id = ClusterRequestID(high: random.next(), low: random.next())
        let timeout = random.delay(500...3_000)
        calls += 1
        let namespace = random.happens(0.5) ? "/chat" : Self.namespace
        var request = SimulatedRequest(origin: node.index, at: now, timeout: timeout, order: calls, namespace: namespace)
        request.stream = BroadcastAcknowledgements()
        note("\(node.id) asks \(id.high) for acknowledgements")
        cancelSometimes(node, id)
        requests[id] = request
        node.openStreams.append(id)
        let actions = node.machine.request(
            id,
            .acknowledgements(single: false),
            namespace: namespace,
            target: nil,
            body: .broadcastWithAck(Self.packet, BroadcastOptions()),
            timeout: .nanoseconds(timeout),
            now: node.time(now)
        )
        try perform(node, actions)
    }

    private func cancelSometimes(_ node: SimulatedNode, _ id: ClusterRequestID) {
        if random.happens(faults.cancellations) { events.add(.cancel(node, id), at: now + random.delay(0...1_500)) }
    }

    /// Whoever made the request does not wait for it.
    func cancel(_ node: SimulatedNode, _ id: ClusterRequestID) throws {
        guard let request = requests[id], !request.isEnded, !node.hasLeft else { return }
        let (mayBeSent, actions) = node.machine.cancel(id)
        note("\(node.id) cancels \(id.high)\(mayBeSent ? "" : ", which was not sent")")
        requests[id]?.isEnded = true
        requests[id]?.isWithdrawn = !mayBeSent
        if !mayBeSent { counts.withdrawn += 1 }
        node.openStreams.removeAll { $0 == id }
        try perform(node, actions)
    }

    // MARK: What nodes do with messages

    func apply(_ node: SimulatedNode, _ header: ClusterHeader, _ body: ClusterBody) throws {
        if let id = header.request, let request = requests[id], request.isWithdrawn {
            throw BrokenPromise(description: "P2: \(node.id) got a request that was cancelled before it was sent")
        }
        switch body {
        case .broadcast(let packet, let options):
            try deliver(node, header)
            guard header.namespace == Self.namespace else { return }
            var options = options
            let elsewhere = node.recovery.received(packet, to: options, header)
            counts.floored += elsewhere.count
            options.except += elsewhere
            try hand(packet, to: options, of: node)
            if header.target == nil { _ = node.recovery.advance(to: header.id, now: node.time(now)) }
        case .claimSession(let pid, let offset):
            let session = handOver(pid, offset, of: node)
            guard header.request != nil else { return }
            events.add(.answer(node, header, .sessionAnswer(session)), at: now + random.delay(0...30))
        case .rooms:
            events.add(.answer(node, header, .roomsAnswer(["\(node.id)"])), at: now + random.delay(0...30))
        case .broadcastWithAck:
            if let id = header.request, let request = requests[id] {
                note("\(node.id) gets \(id.high) of \(header.origin)")
                try checkOrder(node, header, origin: request.origin, namespace: request.namespace, request.order)
            }
            let count = Int.random(in: 0...3, using: &random)
            let answers = random.happens(0.8) ? count : Int.random(in: 0...count, using: &random)
            if let request = header.request { requests[request]?.expectedAcks[node.id, default: 0] += answers }
            var time = now + random.delay(0...30)
            events.add(.answer(node, header, .acknowledgementCount(count)), at: time)
            for _ in 0..<answers {
                time += random.delay(0...100)
                events.add(.answer(node, header, .acknowledgement(.empty(.json))), at: time)
            }
            if answers < count { events.add(.answer(node, header, .acknowledgementsEnd), at: time) }
        default: throw BrokenPromise(description: "\(node.id) got a \(header.kind) that nobody sent")
        }
    }

    private func deliver(_ node: SimulatedNode, _ header: ClusterHeader) throws {
        guard let index = emitIndex[header.id] else { throw BrokenPromise(description: "P2: \(node.id) got a message that nobody emitted") }
        let emit = emits[index]
        note("\(node.id) gets \(header.id) of \(header.origin)")
        guard node.delivered.insert(header.id).inserted else {
            throw BrokenPromise(description: "P2: \(node.id) got \(header.id) of \(header.origin) twice")
        }
        guard emit.target == nil || emit.target == node.id else {
            throw BrokenPromise(description: "\(node.id) got a message for \(emit.target ?? "")")
        }
        if case .notSent = emit.fate { throw BrokenPromise(description: "P2: \(node.id) got \(header.id), which was not sent") }
        try checkOrder(node, header, origin: emit.origin, namespace: emit.namespace, emit.order)
    }

    private func checkOrder(_ node: SimulatedNode, _ header: ClusterHeader, origin: Int, namespace: String, _ order: Int) throws {
        let key = SimulatedNode.OrderKey(origin: origin, namespace: namespace)
        guard node.lastOrder[key].map({ $0 < order }) ?? true else {
            if node.mayBeLate.contains(header.id) { return }
            throw BrokenPromise(description: "P1: \(node.id) got the \(header.kind) \(header.id) of \(header.origin) after a later one")
        }
        node.lastOrder[key] = order
    }

    // MARK: What machines ask for

    func perform(_ node: SimulatedNode, _ actions: [ClusterStateMachine.Action]) throws {
        node.lives.insert(node.machine.identity.epoch)
        for action in actions {
            switch action {
            case .wake(let lane): events.add(.writer(node, lane: lane), at: now)
            case .settle(let write): try settle(node, write)
            case .undelivered(let message): try failed(node, message)
            case .dropped(let count): counts.dropped += count
            case .started(let id, let parts):
                for part in parts { _ = self.part(id, part) }
                requests[id]?.stream?.seal()
            case .request(let action): try perform(node, action)
            case .reopenStream:
                note("\(node.id) is deaf")
                closeStream(node)
            case .report(let event): try report(node, event)
            }
        }
    }

    private func settle(_ node: SimulatedNode, _ write: SettledWrite) throws {
        guard let index = tickets[write.ticket]?[node.index] else {
            if write.ticket == node.leaveTicket {
                node.isAlive = false
                return try perform(node, node.machine.close())
            }
            throw BrokenPromise(description: "a fate without a message")
        }
        guard emits[index].fate == nil else { throw BrokenPromise(description: "a message had two fates") }
        if case .accepted = write.fate, emits[index].certainty == .confirmed {
            throw BrokenPromise(description: "P2: \(emits[index].id) was accepted instead of confirmed")
        }
        try learn(node, index, write.fate)
    }

    /// A message that was accepted has failed.
    private func failed(_ node: SimulatedNode, _ message: UndeliveredMessage) throws {
        guard let index = message.id.flatMap({ emitIndex[$0] }), case .accepted = emits[index].fate,
            emits[index].certainty == .accepted
        else {
            throw BrokenPromise(description: "P2: \(node.id) reports a message that it had not accepted, or twice")
        }
        counts.reported += 1
        try learn(node, index, message.error.code == .unknown ? .unknown(message.error) : .notSent(message.error))
    }

    private func learn(_ node: SimulatedNode, _ index: Int, _ fate: WriteFate) throws {
        emits[index].fate = fate
        note("\(node.id): \(emits[index].id) is \(fate)")
        let limit = 4_000_000_000 * 103 / 100 + 400_000_000 + node.pausedTime
        guard now - emits[index].at <= limit else {
            throw BrokenPromise(
                description: "P3: \(node.id) learned the fate of \(emits[index].id) after \((now - emits[index].at) / 1_000_000) ms"
            )
        }
        guard case .notSent = fate, let receiver = nodes.first(where: { $0.delivered.contains(emits[index].id) }) else { return }
        throw BrokenPromise(description: "P2: \(receiver.id) had got \(emits[index].id), which was not sent")
    }

    private func part(_ id: ClusterRequestID, _ node: NodeID) -> BroadcastAcknowledgements.PartID? {
        if let part = requests[id]?.parts[node] { return part }
        let part = requests[id]?.stream?.addPart(node: node)
        requests[id]?.parts[node] = part
        return part
    }

    private func perform(_ node: SimulatedNode, _ action: PendingRequestsStateMachine.Action) throws {
        switch action {
        case .complete(let id, let result): try complete(node, id, result)
        case .expect(let id, let from, let count):
            if let part = part(id, from) { requests[id]?.stream?.expect(count, from: part) }
        case .acknowledge(let id, let from, let arguments):
            requests[id]?.receivedAcks[from, default: 0] += 1
            if let part = part(id, from) { requests[id]?.stream?.receive(arguments, from: part) }
        case .finish(let id, let from): if let part = part(id, from) { requests[id]?.stream?.finish(part) }
        case .fail(let id, let from): if let part = part(id, from) { requests[id]?.stream?.fail(part) }
        case .timeOut(let id): requests[id]?.stream?.timeOut()
        }
        try checkStreams(node)
    }

    private func checkStreams(_ node: SimulatedNode) throws {
        for id in node.openStreams {
            guard let request = requests[id], let stream = request.stream, stream.isFinished else { continue }
            node.openStreams.removeAll { $0 == id }
            requests[id]?.isEnded = true
            try perform(node, node.machine.cancel(id).actions)
            guard !node.hasLeft else { continue }
            try checkTime(node, request)
            for (from, count) in request.receivedAcks where count > request.expectedAcks[from] ?? 0 {
                throw BrokenPromise(description: "an acknowledgement of \(from) came twice")
            }
            guard faults.isCalm, request.at > 1_500_000_000, nodes.allSatisfy({ $0.lastFailedAnswer < request.at }) else { continue }
            let summary = stream.summary
            let expected = request.expectedAcks.values.reduce(0, +)
            guard summary.missingNodes.isEmpty, summary.timedOut || summary.answered == expected else {
                throw BrokenPromise(description: "P4: in a calm schedule \(summary) instead of \(expected) acknowledgements")
            }
        }
    }

    private func checkTime(_ node: SimulatedNode, _ request: SimulatedRequest) throws {
        guard now - request.at <= request.timeout * 103 / 100 + 400_000_000 + node.pausedTime else {
            throw BrokenPromise(description: "P4: a request took \((now - request.at) / 1_000_000) ms")
        }
    }

    private func complete(_ node: SimulatedNode, _ id: ClusterRequestID, _ result: PendingRequestsStateMachine.RequestResult) throws {
        if let claim = claims.removeValue(forKey: id) { return try answered(node, claim, result) }
        guard let request = requests[id], !request.isEnded else { throw BrokenPromise(description: "a request ended twice") }
        requests[id]?.isEnded = true
        guard !node.hasLeft else { return }
        try checkTime(node, request)
        var answered: Set<NodeID> = []
        for case .roomsAnswer(let rooms) in result.answers {
            for room in rooms where !answered.insert(room).inserted { throw BrokenPromise(description: "P4: \(room) answered twice") }
        }
        note(
            "\(node.id)'s request \(id.high) ends: \(answered.sorted()), missing \(result.missing), \(result.error.map(\.description) ?? "")"
        )
        guard answered.isDisjoint(with: result.missing) else { throw BrokenPromise(description: "P4: a node answered and is missing") }
        guard result.error == nil else { return }
        for other in nodes where other.isRunning && other.index != node.index && isSteady(other, node, request) {
            guard answered.contains(other.id) || result.missing.contains(other.id) else {
                throw BrokenPromise(description: "P4: \(node.id) did not ask \(other.id), which was there")
            }
            guard !faults.isCalm || request.timeout < 1_000_000_000 || other.lastFailedAnswer >= request.at || answered.contains(other.id)
            else {
                throw BrokenPromise(description: "P4: in a calm schedule \(other.id) did not answer \(node.id)")
            }
        }
    }

    /// Whether nothing could keep a node from being known to the one that asks.
    private func isSteady(_ other: SimulatedNode, _ node: SimulatedNode, _ request: SimulatedRequest) -> Bool {
        let quiet = request.at - 3_000_000_000
        guard let opened = other.openedAt, opened + 200_000_000 <= request.at else { return false }
        if faults.isCalm { return true }
        // A node that has just started settles, which is what is to be shown, unless others are in trouble.
        let ownQuiet = node.lastDisturbance < quiet || node.hasOnlyStarted
        return opened < quiet && other.lastDisturbance < quiet && ownQuiet && lastOutage < quiet
    }

    private func report(_ node: SimulatedNode, _ event: ClusterEvent) throws {
        note("\(node.id) reports \(event)")
        switch event {
        case .gap: lost(node)
        case .draining(let other):
            let (reached, members) = (node.machine.reached(in: Self.namespace), node.machine.members.map(\.identity))
            node.recovery.draining(other, reached: reached, members: members, now: node.time(now))
        case .left(let other): node.recovery.left(other, now: node.time(now))
        case .died(let other): node.recovery.died(other, now: node.time(now))
        case .answerFailed(node.id, _): node.lastFailedAnswer = now
        default: break
        }
        guard case .gap(let origin, let count) = event else { return }
        guard node.firstLoss != nil else {
            throw BrokenPromise(description: "\(node.id) reports a loss of \(count ?? 0) of \(origin?.description ?? "all") that was none")
        }
        if let origin, let count { node.reportedGaps[origin, default: 0] += count }
    }
}
