package import NIOCore

extension ClusterStateMachine {
    // MARK: Messages

    /// A message is to be sent.
    package mutating func send(_ message: Outgoing) -> [Action] {
        if isClosed {
            let error = ClusterError(.closed, "the node is closed")
            return message.ticket.map { [.settle(SettledWrite(ticket: $0, fate: .notSent(error)))] } ?? []
        }
        return enqueue(message, lane: lane(of: message.namespace))
    }

    /// When a message that is sent now is given up.
    package func writeDeadline(now: NIODeadline) -> NIODeadline { now + TimeAmount(configuration.writeDeadline) }

    /// Answers a request. If the answer cannot be sent, an error answer is.
    package mutating func answer(_ header: ClusterHeader, with body: ClusterBody, now: NIODeadline) -> [Action] {
        guard let request = header.request else { return [] }
        let ticket = makeTicket()
        if body.kind != .errorAnswer {
            ownWrites[ticket] = .answer(namespace: header.namespace, target: header.origin.id, request: request)
        }
        return send(
            Outgoing(
                namespace: header.namespace,
                target: header.origin.id,
                request: request,
                body: body,
                ticket: ticket,
                deadline: writeDeadline(now: now)
            )
        )
    }

    mutating func enqueue(_ message: Outgoing, lane: Int) -> [Action] {
        switch lanes[lane].send(message) {
        case .wake: return [.wake(lane: lane)]
        case .none: return []
        case .refuse(let error):
            return message.ticket.map { settle(SettledWrite(ticket: $0, fate: .notSent(error)), now: lastInput) } ?? []
        }
    }

    mutating func settle(_ write: SettledWrite, now: NIODeadline) -> [Action] {
        guard let own = ownWrites.removeValue(forKey: write.ticket) else { return [.settle(write)] }
        guard case .notSent(let error) = write.fate else { return [] }
        switch own {
        case .request(let id): return pending.cannotSend(id, error).map { .request($0) }
        case .answer(let namespace, let target, let request):
            guard !isClosed else { return [] }
            let body = ClusterBody.errorAnswer(error.description)
            let deadline = writeDeadline(now: now)
            return send(Outgoing(namespace: namespace, target: target, request: request, body: body, deadline: deadline))
        }
    }

    // MARK: Membership

    mutating func sendMembership(
        _ body: ClusterBody,
        target: NodeID? = nil,
        namespace: String = "",
        id: MessageID? = nil,
        now: NIODeadline
    ) -> [Action] {
        let deadline = now + TimeAmount(configuration.heartbeatTimeout)
        return enqueue(Outgoing(namespace: namespace, target: target, body: body, id: id, deadline: deadline), lane: lane(of: namespace))
    }

    /// The lanes in which a heartbeat tells positions: the first and all that have been used; all for those who know nothing yet.
    private func reportingLanes(all: Bool) -> [Int] {
        lanes.indices.filter { all || $0 == 0 || lanes[$0].hasNumbers(in: identity.epoch) }
    }

    private mutating func makeHeartbeat() -> Heartbeat {
        beat += 1
        return Heartbeat(beat: beat, isDraining: isDraining)
    }

    /// - Parameter namespace: The only namespace that is announced, in formats that announce them; nil for all.
    mutating func sendHeartbeats(target: NodeID? = nil, in namespace: String? = nil, now: NIODeadline) -> [Action] {
        let deadline = now + TimeAmount(configuration.heartbeatTimeout)
        if configuration.announcesNamespaces {
            let announced = namespace.map { namespaces.contains($0) ? [$0] : [] } ?? namespaces.sorted()
            return announced.flatMap { sendMembership(.heartbeat(makeHeartbeat()), target: target, namespace: $0, now: now) }
        }
        return reportingLanes(all: target != nil).flatMap { lane -> [Action] in
            // One is enough, whatever keeps it from being written; an answer to a newcomer is another matter.
            guard target != nil || !lanes[lane].hasWaitingMembership else { return [] }
            let body = ClusterBody.heartbeat(makeHeartbeat())
            return enqueue(Outgoing(namespace: "", target: target, body: body, deadline: deadline), lane: lane)
        }
    }

    /// Asks all nodes to say that they are there. Requests wait for it.
    mutating func announceAll(now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        let names = configuration.announcesNamespaces ? namespaces.sorted() : [""]
        nextHeartbeat = now + TimeAmount(configuration.heartbeatInterval)
        return names.flatMap { announce($0, now: now, id: makeID()) }
    }

    mutating func announce(_ namespace: String, now: NIODeadline, id: MessageID) -> [Action] {
        settling = .waiting(announcement: id, limit: now + TimeAmount(configuration.settleLimit))
        let deadline = now + TimeAmount(configuration.writeDeadline)
        let body = ClusterBody.initialHeartbeat(makeHeartbeat())
        var actions = enqueue(Outgoing(namespace: namespace, body: body, id: id, deadline: deadline), lane: lane(of: namespace))
        guard !configuration.announcesNamespaces else { return actions }
        // The positions in the other lanes, so that all know them from the start.
        for lane in lanes.indices.dropFirst() {
            let body = ClusterBody.heartbeat(makeHeartbeat())
            actions += enqueue(Outgoing(namespace: "", body: body, deadline: deadline), lane: lane)
        }
        return actions
    }

    // MARK: Requests

    /// A request is to be made: now, or as soon as the other nodes are known.
    ///
    /// - Parameters:
    ///   - id: The request's random id.
    ///   - kind: What it collects.
    ///   - namespace: The namespace.
    ///   - target: The only node that is asked; nil for all.
    ///   - body: The request.
    ///   - timeout: How long to wait for answers.
    ///   - now: The time.
    package mutating func request(
        _ id: ClusterRequestID,
        _ kind: PendingRequestsStateMachine.Kind,
        namespace: String,
        target: NodeID?,
        body: ClusterBody,
        timeout: Duration,
        now: NIODeadline
    ) -> [Action] {
        let deadline = now + TimeAmount(timeout)
        // However patient the caller is: a request that cannot be written must not hold up what waits behind it.
        let written = min(deadline, writeDeadline(now: now))
        let message = Outgoing(namespace: namespace, target: target, request: id, body: body, deadline: written)
        requestCount += 1
        held[id] = HeldRequest(kind: kind, message: message, deadline: deadline, order: requestCount)
        if isClosed { return failHeld(id, ClusterError(.closed, "the node is closed")) }
        guard pendingCount <= configuration.maximumPendingRequests else {
            let text = "\(configuration.maximumPendingRequests) requests wait for answers already"
            return failHeld(id, ClusterError(.tooManyRequests, text))
        }
        guard case .settled = settling else { return [] }
        return start(id, now: now)
    }

    /// Nobody waits for the request any more.
    package mutating func cancel(_ id: ClusterRequestID) {
        held[id] = nil
        pending.cancel(id)
    }

    mutating func startHeld(now: NIODeadline) -> [Action] {
        held.sorted { $0.value.order < $1.value.order }.flatMap { start($0.key, now: now) }
    }

    private mutating func start(_ id: ClusterRequestID, now: NIODeadline) -> [Action] {
        guard var request = held[id] else { return [] }
        var all = membership.nodes(in: request.message.namespace)
        if case .claimSession = request.message.body { all.removeAll(where: \.isForeign) }
        let target = request.message.target
        let nodes = target.map { id in all.filter { $0.id == id } } ?? all
        if nodes.isEmpty, target == nil, !echo.hasHeard {
            let text = "nothing is known of the other nodes, since no message of this node has come back yet"
            return failHeld(id, ClusterError(.unreachable, text))
        }
        held[id] = nil
        var actions: [Action] = []
        if case .acknowledgements = request.kind {
            actions.append(.started(id, nodes: nodes.isEmpty ? (target.map { [$0] } ?? []) : nodes.map(\.id)))
        }
        actions += pending.start(id, request.kind, nodes: nodes, deadline: request.deadline).map { complete($0, missing: target) }
        guard !nodes.isEmpty else {
            if case .acknowledgements = request.kind, let target { actions.append(.request(.fail(id, node: target))) }
            return actions
        }
        let ticket = makeTicket()
        request.message.ticket = ticket
        ownWrites[ticket] = .request(id)
        return actions + enqueue(request.message, lane: lane(of: request.message.namespace))
    }

    /// A request to one node that is not there lacks that node.
    private func complete(_ action: PendingRequestsStateMachine.Action, missing target: NodeID?) -> Action {
        guard case .complete(let id, var result) = action, let target else { return .request(action) }
        result.missing.append(target)
        return .request(.complete(id, result))
    }

    mutating func failHeld(_ id: ClusterRequestID, _ error: ClusterError) -> [Action] {
        guard let request = held.removeValue(forKey: id) else { return [] }
        switch request.kind {
        case .answers: return [.request(.complete(id, .init(error: error)))]
        case .acknowledgements: return [.started(id, nodes: []), .request(.timeOut(id))]
        }
    }
}
