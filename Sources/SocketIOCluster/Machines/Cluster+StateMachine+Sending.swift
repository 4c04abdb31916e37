// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import SocketIOCore
import SocketIOText

extension ClusterStateMachine {
    // MARK: Messages

    /// A message is to be sent.
    package mutating func send(_ message: Outgoing) -> [Action] {
        if isClosed { return refuse(message, ClusterError(.closed, "the node is closed")) }
        // What is emitted after a broadcast that wants acknowledgements must not be written before it. Nor must a session that has got it.
        let kind = message.body.kind
        guard held.holdsMessages(of: message.namespace), !kind.isAnswer || kind == .sessionAnswer else {
            return enqueue(message, lane: lane(of: message.namespace))
        }
        return hold(message)
    }

    private mutating func hold(_ message: Outgoing) -> [Action] {
        let bytes = message.body.estimatedByteCount
        if let error = lanes[lane(of: message.namespace)].refusal(of: bytes) { return refuse(message, error) }
        let hasRoom = held.fits(bytes, message.certainty)
        if !hasRoom, message.certainty == .volatile { return drop(message) }
        var message = message
        let accepted = hasRoom ? message.accept() : nil
        held.add(message)
        return accepted.map { [.settle($0)] } ?? []
    }

    private func drop(_ message: Outgoing) -> [Action] {
        var message = message
        return (message.accept().map { [.settle($0)] } ?? []) + [.dropped(1)]
    }

    /// The deadline of a message that is sent now. What is volatile is worth nothing a few seconds later.
    package func writeDeadline(_ certainty: Outgoing.Certainty = .accepted, now: NIODeadline) -> NIODeadline {
        let timeout = TimeAmount(configuration.writeTimeout)
        return now + (certainty == .volatile ? min(timeout, Self.volatileTimeout) : timeout)
    }

    /// Answers a request. If the answer cannot be sent, an error answer is sent instead, and no further answers to the request.
    ///
    /// - Parameters:
    ///   - header: The request.
    ///   - body: The answer.
    ///   - ticket: By which the caller learns its fate; nil if it does not wait.
    ///   - now: The time.
    package mutating func answer(
        _ header: ClusterHeader,
        with body: ClusterBody,
        ticket: UInt64? = nil,
        now: NIODeadline
    ) -> [Action] {
        guard let request = header.request, !failedAnswers.contains(request) else {
            let error = ClusterError(.notSent, "nothing more is sent of what belongs to this request")
            return ticket.map { [.settle(SettledWrite(ticket: $0, fate: .notSent(error)))] } ?? []
        }
        var answer = Outgoing(
            namespace: header.namespace,
            target: header.origin.id,
            request: request,
            body: body,
            deadline: writeDeadline(now: now)
        )
        if body.kind != .errorAnswer {
            let number = ticket ?? makeTicket()
            ownWrites[number] = .answer(
                namespace: header.namespace,
                target: header.origin.id,
                request: request,
                isAwaited: ticket != nil
            )
            answer.ticket = number
        }
        return send(answer)
    }

    mutating func enqueue(_ message: Outgoing, lane: Int) -> [Action] {
        switch lanes[lane].send(message) {
        case .place(let wakesWriter):
            var message = message
            let accepted = message.accept()
            if let accepted { return wakesWriter ? [.settle(accepted), .wake(lane: lane)] : [.settle(accepted)] }
            return wakesWriter ? [.wake(lane: lane)] : []
        case .wait: return []
        case .refuse(let error): return refuse(message, error)
        case .drop: return drop(message)
        }
    }

    /// A message is not going to be sent.
    mutating func refuse(_ message: Outgoing, _ error: ClusterError) -> [Action] {
        switch message.audience {
        case .sender(let ticket): return settle(SettledWrite(ticket: ticket, fate: .notSent(error)), now: lastInput)
        case .application:
            return undelivered([UndeliveredMessage(namespace: message.namespace, body: message.body, id: message.id, error: error)])
        case .count: return [.dropped(1)]
        case .none: return []
        }
    }

    /// Messages that were accepted have failed.
    mutating func undelivered(_ messages: [UndeliveredMessage]) -> [Action] {
        guard !messages.isEmpty else { return [] }
        // A message that cannot be expressed says nothing about the backend.
        if messages.contains(where: { !$0.error.isOfMessage }) { lastLoss = lastInput }
        return messages.map { .undelivered($0) }
    }

    mutating func settle(_ write: SettledWrite, now: NIODeadline) -> [Action] {
        guard let own = ownWrites.removeValue(forKey: write.ticket) else { return [.settle(write)] }
        switch own {
        case .request(let id, _):
            unwrittenRequests[id] = nil
            guard case .notSent(let error) = write.fate else { return [] }
            return pending.cannotSend(id, error).map { .request($0) }
        case .answer(let namespace, let target, let request, let isAwaited):
            let told: [Action] = isAwaited ? [.settle(write)] : []
            // A format that cannot say it cannot say either why.
            guard case .notSent(let error) = write.fate, error.code != .unsupported, !isClosed, failedAnswers.insert(request) else {
                return told
            }
            let text = String(decoding: error.description.utf8.prefix(1_000), as: UTF8.self)
            // Later than that nobody waits for it, most often.
            let deadline = now + min(TimeAmount(configuration.requestTimeout), TimeAmount(configuration.writeTimeout))
            let answer = Outgoing(namespace: namespace, target: target, request: request, body: .errorAnswer(text), deadline: deadline)
            return told + [.report(.answerFailed(identity.id, text))] + send(answer)
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

    /// The lanes whose positions a heartbeat reports: the first and all that have been used; all lanes for nodes that know no positions
    /// yet.
    private func reportingLanes(all: Bool) -> [Int] {
        lanes.indices.filter { all || $0 == 0 || lanes[$0].hasNumbers(in: identity.epoch) }
    }

    private mutating func makeHeartbeat() -> ClusterHeartbeat {
        beat += 1
        return ClusterHeartbeat(beat: beat, isDraining: isDraining)
    }

    /// - Parameter namespace: The only namespace that is announced, in formats that announce them; nil for all.
    /// - Parameter id: The id of the first; nil for one of its own.
    mutating func sendHeartbeats(target: NodeID? = nil, in namespace: String? = nil, id: MessageID? = nil, now: NIODeadline) -> [Action] {
        let deadline = now + TimeAmount(configuration.heartbeatTimeout)
        if configuration.announcesNamespaces {
            let announced = namespace.map { namespaces.contains(Name($0)) ? [$0] : [] } ?? namespaces.sorted().map(\.text)
            return announced.enumerated().flatMap { index, name in
                let id = index == 0 ? id : nil
                return sendMembership(.heartbeat(makeHeartbeat()), target: target, namespace: name, id: id, now: now)
            }
        }
        return reportingLanes(all: target != nil).flatMap { lane -> [Action] in
            // One is enough, whatever keeps it from being written; an answer to a newcomer is another matter.
            guard target != nil || !lanes[lane].hasWaitingMembership else { return [] }
            let body = ClusterBody.heartbeat(makeHeartbeat())
            let id = lane == 0 ? id : nil
            return enqueue(Outgoing(namespace: "", target: target, body: body, id: id, deadline: deadline), lane: lane)
        }
    }

    /// Asks all nodes for a heartbeat. Requests wait for it.
    mutating func announceAll(now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        let names = configuration.announcesNamespaces ? namespaces.sorted().map(\.text) : [""]
        nextHeartbeat = now + TimeAmount(configuration.heartbeatInterval)
        settling = [:]
        return names.flatMap { announce($0, now: now, id: makeID()) }
    }

    mutating func announce(_ namespace: String, now: NIODeadline, id: MessageID) -> [Action] {
        settling[Name(namespace)] = .waiting(announcement: id, limit: now + TimeAmount(configuration.settleTimeout))
        let deadline = now + TimeAmount(configuration.writeTimeout)
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

    /// Sends a request: now, or as soon as the other nodes are known.
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
        if isClosed { return fail(id, kind, ClusterError(.closed, "the node is closed")) }
        guard pendingCount < configuration.maximumPendingRequests else {
            let text = "\(configuration.maximumPendingRequests) requests wait for answers already"
            return fail(id, kind, ClusterError(.tooManyRequests, text))
        }
        let deadline = now + TimeAmount(timeout)
        // However patient the caller is: a request that cannot be written must not hold up what waits behind it.
        let written = min(deadline, writeDeadline(now: now))
        let message = Outgoing(namespace: namespace, target: target, request: id, body: body, deadline: written)
        let request = HeldCalls.Request(kind: kind, message: message, deadline: deadline)
        if isSettled(namespace) { return start(id, request, now: now) }
        held.add(request, as: id)
        return []
    }

    /// The caller of the request no longer waits. If the request is not written yet, it will not be.
    ///
    /// - Returns: Whether other nodes may get the request, and what follows.
    package mutating func cancel(_ id: ClusterRequestID) -> (mayBeSent: Bool, actions: [Action]) {
        pending.cancel(id)
        if let request = held.remove(id) { return (false, release(request.message.namespace)) }
        return (!withdraw(id), [])
    }

    /// Removes a request from its lane.
    ///
    /// - Returns: Whether it certainly will not be written.
    @discardableResult
    mutating func withdraw(_ id: ClusterRequestID) -> Bool {
        guard let ticket = unwrittenRequests[id], case .request(_, let lane) = ownWrites[ticket], lanes[lane].withdraw(ticket) else {
            return false
        }
        ownWrites[ticket] = nil
        unwrittenRequests[id] = nil
        return true
    }

    /// The answers to a request have changed. A request that is complete is no longer written.
    mutating func requests(_ actions: [PendingRequestsStateMachine.Action]) -> [Action] {
        for case .complete(let id, _) in actions { withdraw(id) }
        return actions.map { .request($0) }
    }

    /// Sends what no request of the namespace holds any longer.
    private mutating func release(_ namespace: String) -> [Action] {
        held.released(in: namespace).flatMap { enqueue($0, lane: lane(of: namespace)) }
    }

    func isSettled(_ namespace: String) -> Bool { settling.isEmpty || (settling[""] == nil && settling[Name(namespace)] == nil) }

    /// Releases what waited for the other nodes of a namespace, or of all namespaces.
    mutating func startHeld(_ namespace: String, now: NIODeadline) -> [Action] {
        let settling = settling
        let calls = held.take { namespace.isEmpty ? settling[Name($0)] == nil : $0 == namespace }
        return calls.flatMap { call -> [Action] in
            switch call {
            case .request(let id, let request): start(id, request, now: now)
            case .message(let message): enqueue(message, lane: lane(of: message.namespace))
            }
        }
    }

    private mutating func start(_ id: ClusterRequestID, _ request: HeldCalls.Request, now: NIODeadline) -> [Action] {
        var message = request.message
        var all = membership.nodes(in: message.namespace)
        if case .claimSession = message.body { all.removeAll(where: \.isForeign) }
        let target = message.target
        let nodes = target.map { id in all.filter { $0.id == id } } ?? all
        if nodes.isEmpty, target == nil, !echo.hasHeard {
            let text = "nothing is known of the other nodes, since no message of this node has come back yet"
            return fail(id, request.kind, ClusterError(.unreachable, text))
        }
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
        let lane = lane(of: message.namespace)
        message.ticket = ticket
        ownWrites[ticket] = .request(id, lane: lane)
        unwrittenRequests[id] = ticket
        return actions + enqueue(message, lane: lane)
    }

    /// A request to a node that is not alive lacks the answer of that node.
    private func complete(_ action: PendingRequestsStateMachine.Action, missing target: NodeID?) -> Action {
        guard case .complete(let id, var result) = action, let target else { return .request(action) }
        result.missing.append(target)
        return .request(.complete(id, result))
    }

    /// A held request fails.
    mutating func failHeld(_ id: ClusterRequestID, _ error: ClusterError) -> [Action] {
        guard let request = held.remove(id) else { return [] }
        return fail(id, request.kind, error) + release(request.message.namespace)
    }

    func fail(_ id: ClusterRequestID, _ kind: PendingRequestsStateMachine.Kind, _ error: ClusterError) -> [Action] {
        switch kind {
        case .answers: [.request(.complete(id, .init(error: error)))]
        case .acknowledgements: [.started(id, nodes: []), .request(.timeOut(id))]
        }
    }
}
