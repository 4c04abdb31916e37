// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// Runs a node's state machine: gives it one input at a time, carries out the actions that follow, and resumes the callers that wait for a
/// fate or for answers.
final class MachineRunner: Sendable {
    typealias Action = ClusterStateMachine.Action
    typealias RequestResult = PendingRequestsStateMachine.RequestResult

    /// The sender of a message that waits for its fate.
    fileprivate enum Sender {
        /// It is about to wait.
        case arriving
        case waiting(CheckedContinuation<WriteFate, Never>)
        /// The fate was known before it waited.
        case late(WriteFate)
    }

    fileprivate struct State {
        var machine: ClusterStateMachine
        var isStarted = false
        var writes: [UInt64: Sender] = [:]
        var requests: [ClusterRequestID: CheckedContinuation<RequestResult, Never>] = [:]
        var streams: [ClusterRequestID: AcknowledgementCollector] = [:]
        /// Conditions of the machine that tasks wait for.
        var conditions: [(isMet: @Sendable (ClusterStateMachine) -> Bool, gate: Gate)] = []
    }

    private let state: Mutex<State>
    private let lanes: [Signal]
    private let reopen = Signal()
    private let clock: ClusterClock
    private let configuration: ClusterConfiguration
    private let metrics: ClusterMetrics
    private let events: EventReporter
    private let namespaces: NamespaceTable
    /// See ``Driver/messageCheck``.
    private let messageCheck: (@Sendable (ClusterBody, String) -> ClusterError?)?
    private let onUndelivered: @Sendable (UndeliveredOperation) -> Void

    init(
        _ machine: ClusterStateMachine,
        clock: ClusterClock,
        metrics: ClusterMetrics,
        events: EventReporter,
        namespaces: NamespaceTable,
        messageCheck: (@Sendable (ClusterBody, String) -> ClusterError?)?,
        onUndelivered: @escaping @Sendable (UndeliveredOperation) -> Void
    ) {
        self.configuration = machine.configuration
        self.lanes = (0..<machine.laneCount).map { _ in Signal() }
        self.state = Mutex(State(machine: machine))
        self.clock = clock
        self.metrics = metrics
        self.events = events
        self.namespaces = namespaces
        self.messageCheck = messageCheck
        self.onUndelivered = onUndelivered
    }

    /// From here on messages are accepted.
    func start() { state.withLock { $0.isStarted = true } }

    var laneCount: Int { lanes.count }

    /// Reads something from the machine.
    func read<Value: Sendable>(_ body: (ClusterStateMachine) -> Value) -> Value { state.withLock { body($0.machine) } }

    /// Changes something in the machine of which nothing follows.
    func change<Value: Sendable>(_ body: (inout ClusterStateMachine) -> Value) -> Value { state.withLock { body(&$0.machine) } }

    // MARK: Inputs and actions

    /// Gives the machine an input and carries out what follows.
    func perform(_ input: (inout ClusterStateMachine, NIODeadline) -> [Action]) { perform(step(input)) }

    /// Gives the machine an input. What follows must then be carried out by ``perform(_:)-([Action])``, outside of all locks.
    func step(_ input: (inout ClusterStateMachine, NIODeadline) -> [Action]) -> [Action] {
        stepState { state in input(&state.machine, clock.now) }
    }

    private func stepState(_ input: (inout State) -> [Action]) -> [Action] {
        state.withLock { state in
            let actions = input(&state)
            for case .report(let event) in actions { events.add(event) }
            if !state.conditions.isEmpty { state.openMetConditions() }
            return actions
        }
    }

    func perform(_ actions: [Action]) {
        var hasEvents = false
        for action in actions {
            switch action {
            case .wake(let lane): lanes[lane].raise()
            case .settle(let write): state.withLock { $0.settle(write) }?.resume(returning: write.fate)
            case .undelivered(let message):
                metrics.messageUndelivered(message.error)
                if let operation = message.operation { onUndelivered(operation) }
            case .dropped(let count): metrics.volatileDropped(count)
            case .started(let id, let nodes): stream(id)?.start(nodes)
            case .request(let action): perform(action)
            case .reopenStream:
                metrics.streamReopened()
                reopen.raise()
            case .report(let event):
                hasEvents = true
                // Recovery must know of it before anything else is done.
                namespaces.happened(event)
            }
        }
        if hasEvents { events.report() }
    }

    private func perform(_ action: PendingRequestsStateMachine.Action) {
        switch action {
        case .complete(let id, let result):
            if !result.missing.isEmpty { metrics.requestIncomplete() }
            state.withLock { $0.requests.removeValue(forKey: id) }?.resume(returning: result)
        case .expect(let id, let node, let count): stream(id)?.expect(count, from: node)
        case .acknowledge(let id, let node, let arguments): stream(id)?.receive(arguments, from: node)
        case .finish(let id, let node): stream(id)?.finish(node)
        case .fail(let id, let node): stream(id)?.fail(node)
        case .timeOut(let id): stream(id)?.timeOut()
        }
    }

    private func stream(_ id: ClusterRequestID) -> AcknowledgementCollector? { state.withLock { $0.streams[id] } }

    func report(_ event: ClusterEvent) { perform(step { _, _ in [.report(event)] }) }

    // MARK: Waiting

    /// Returns when a lane has something to write.
    func waitForWork(lane: Int) async { await lanes[lane].wait() }

    /// Returns when a lane has something to write, or after a time.
    func waitForWork(lane: Int, atMost duration: Duration) async {
        await withTimeLimit(duration, sleep: clock.sleep) { [lanes] in await lanes[lane].wait() }
    }

    /// Returns when the stream must be reopened.
    func waitForReopening() async { await reopen.wait() }

    /// Returns when the machine meets a condition, but not later than at a deadline.
    func wait(until limit: NIODeadline, for isMet: @escaping @Sendable (ClusterStateMachine) -> Bool) async {
        let gate = Gate()
        let isMetAlready = state.withLock { state in
            if isMet(state.machine) { return true }
            state.conditions.append((isMet, gate))
            return false
        }
        guard !isMetAlready else { return }
        await withTimeLimit(until: limit) { await gate.wait() }
        state.withLock { $0.conditions.removeAll { $0.gate === gate } }
    }

    // MARK: Writing

    /// Why a message can never be written; nil if nothing is known against it.
    func refusal(of body: ClusterBody, in namespace: String) -> ClusterError? {
        guard let messageCheck else { return nil }
        return messageCheck(body, namespace)
    }

    /// Sends a message. It waits for as long as `certainty` asks for: most often for nothing, since there is room in the lane.
    ///
    /// - Parameters:
    ///   - certainty: What to wait for.
    ///   - order: Calls the function that it is given, which queues the message, in one step with something else.
    /// - Throws: ``ClusterError`` with `notSent`, `unknown`, `tooLarge`, `unsupported` or `closed`.
    func send(
        _ body: ClusterBody,
        namespace: String,
        target: NodeID? = nil,
        id: MessageID? = nil,
        certainty: Outgoing.Certainty,
        inOrder order: @escaping (() -> Void) -> Void = { $0() }
    ) async throws {
        let refusal = refusal(of: body, in: namespace)
        let fate = await write(inOrder: order) { machine, ticket, now in
            let deadline = machine.writeDeadline(certainty, now: now)
            let message = Outgoing(
                namespace: namespace,
                target: target,
                body: body,
                id: id,
                ticket: ticket,
                certainty: certainty,
                deadline: deadline
            )
            if let refusal { return machine.refuse(message, refusal) }
            return machine.send(message)
        }
        if let error = fate.error { throw error }
    }

    /// Sends a message to all nodes without waiting for its fate.
    ///
    /// - Parameter order: Calls the function that it is given, which queues the message, in one step with something else.
    func sendWithoutWaiting(
        _ body: ClusterBody,
        namespace: String,
        id: MessageID? = nil,
        inOrder order: (() -> Void) -> Void = { $0() }
    ) {
        var actions: [Action] = []
        order {
            actions = step { machine, now in
                machine.send(Outgoing(namespace: namespace, body: body, id: id, deadline: machine.writeDeadline(now: now)))
            }
        }
        perform(actions)
    }

    /// Gives the machine an input with a ticket, and waits for the fate of the message with that ticket unless it is known at once.
    func write(
        inOrder order: @escaping (() -> Void) -> Void = { $0() },
        _ input: (inout ClusterStateMachine, _ ticket: UInt64, NIODeadline) -> [Action]
    ) async -> WriteFate {
        var actions: [Action] = []
        var ticket: UInt64 = 0
        var fate: WriteFate?
        order {
            actions = stepState { state in
                guard state.isStarted else {
                    fate = .notSent(Self.notStarted)
                    return []
                }
                ticket = state.machine.makeTicket()
                var actions = input(&state.machine, ticket, clock.now)
                fate = actions.takeFate(of: ticket)
                if fate == nil { state.writes[ticket] = .arriving }
                return actions
            }
        }
        perform(actions)
        if let fate { return fate }
        return await fateOfWaiting(ticket)
    }

    private func fateOfWaiting(_ ticket: UInt64) async -> WriteFate {
        await withCheckedContinuation { continuation in
            let fate: WriteFate? = state.withLock { state in
                if case .late(let fate) = state.writes[ticket] {
                    state.writes[ticket] = nil
                    return fate
                }
                state.writes[ticket] = .waiting(continuation)
                return nil
            }
            if let fate { continuation.resume(returning: fate) }
        }
    }

    private static var notStarted: ClusterError { ClusterError(.notSent, "the node has not been started; start the server first") }

    // MARK: Requests

    /// Sends a request and waits for its answers.
    func request(_ body: ClusterBody, namespace: String, target: NodeID?, timeout: Duration?) async -> RequestResult {
        let id = Self.makeRequestID()
        let timeout = timeout ?? configuration.requestTimeout
        if let refusal = refusal(of: body, in: namespace) { return RequestResult(error: refusal) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let actions = stepState { state in
                    state.requests[id] = continuation
                    guard state.isStarted else { return [.request(.complete(id, .init(error: Self.notStarted)))] }
                    return state.machine.request(
                        id,
                        .answers,
                        namespace: namespace,
                        target: target,
                        body: body,
                        timeout: timeout,
                        now: clock.now
                    )
                }
                perform(actions)
                // The handler may have been called before there was anything to cancel.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func cancel(_ id: ClusterRequestID) {
        var mayBeSent = false
        var continuation: CheckedContinuation<RequestResult, Never>?
        let actions = stepState { state in
            continuation = state.requests.removeValue(forKey: id)
            guard continuation != nil else { return [] }
            let result = state.machine.cancel(id)
            mayBeSent = result.mayBeSent
            return result.actions
        }
        perform(actions)
        let text = "the task that waits for the answers was cancelled"
        let error =
            mayBeSent
            ? ClusterError(.unknown, text + "; other nodes may have received the request")
            : ClusterError(.notSent, text + " before the request was sent")
        continuation?.resume(returning: .init(error: error))
    }

    /// Sends a request for acknowledgements, which go to the stream until it ends.
    func requestAcknowledgements(_ body: ClusterBody, options: BroadcastOptions, namespace: String, stream: BroadcastAcknowledgements) {
        let id = Self.makeRequestID()
        let actions = stepState { state in
            state.streams[id] = AcknowledgementCollector(stream)
            guard state.isStarted else { return [.started(id, nodes: []), .request(.timeOut(id))] }
            return state.machine.request(
                id,
                .acknowledgements(single: options.flags.expectSingleResponse),
                namespace: namespace,
                target: options.node,
                body: body,
                timeout: options.flags.timeout ?? configuration.requestTimeout,
                now: clock.now
            )
        }
        perform(actions)
        stream.onEnd { [weak self] in self?.forgetStream(id) }
    }

    private func forgetStream(_ id: ClusterRequestID) {
        let actions = stepState { state in
            state.streams[id] = nil
            return state.machine.cancel(id).actions
        }
        perform(actions)
    }

    private static func makeRequestID() -> ClusterRequestID {
        // 96 random bits, which is what all wire formats can carry.
        let (high, low) = RandomBits.next()
        return ClusterRequestID(high: high, low: UInt64(max(1, UInt32(truncatingIfNeeded: low))) << 32)
    }

    // MARK: Answers

    /// Answers a request without waiting.
    func answer(_ header: ClusterHeader, with body: ClusterBody) {
        perform { machine, now in machine.answer(header, with: body, now: now) }
    }

    /// Answers a request and waits for the fate of the answer.
    ///
    /// - Returns: Whether it may have been sent.
    func answerAndWait(_ header: ClusterHeader, with body: ClusterBody) async -> Bool {
        let fate = await write { machine, ticket, now in machine.answer(header, with: body, ticket: ticket, now: now) }
        if case .notSent = fate { return false }
        return true
    }
}

extension [ClusterStateMachine.Action] {
    /// Removes the fate of a message, if it is among the actions.
    fileprivate mutating func takeFate(of ticket: UInt64) -> WriteFate? {
        for (index, action) in enumerated() {
            guard case .settle(let write) = action, write.ticket == ticket else { continue }
            remove(at: index)
            return write.fate
        }
        return nil
    }
}

extension MachineRunner.State {
    /// The fate of a message is known.
    ///
    /// - Returns: Its sender, if it waits.
    fileprivate mutating func settle(_ write: SettledWrite) -> CheckedContinuation<WriteFate, Never>? {
        switch writes[write.ticket] {
        case nil, .late: return nil
        case .arriving:
            writes[write.ticket] = .late(write.fate)
            return nil
        case .waiting(let continuation):
            writes[write.ticket] = nil
            return continuation
        }
    }

    fileprivate mutating func openMetConditions() {
        let machine = machine
        conditions.removeAll { condition in
            guard condition.isMet(machine) else { return false }
            condition.gate.open()
            return true
        }
    }
}
