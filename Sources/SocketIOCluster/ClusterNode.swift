public import Logging
public import NIOCore
public import SocketIOCore
import Synchronization

/// This process as a node of a cluster: all its namespaces share one stream and one writer for each lane.
///
/// Give it to the server as its adapter. The server starts it, and closes it last: what waits is written, the others are told that
/// the node leaves, and all tasks have ended when ``close()`` returns.
public final class ClusterNode: AdapterFactory {
    /// What a node can be given besides its driver.
    public struct Options: Sendable {
        /// The node's id, unique among the nodes that are alive. Default: 16 random hexadecimal digits.
        public var id: NodeID
        /// How the node behaves.
        public var configuration: ClusterConfiguration
        /// Where it logs. Default: a logger labelled `socketio.cluster`.
        public var logger = Logger(label: "socketio.cluster")
        /// Its metrics.
        public var metrics = ClusterMetrics()
        /// Gets what happens in the cluster. Called from any thread; it must not wait.
        public var onEvent: @Sendable (ClusterEvent) -> Void = { _ in }
        /// The event loop that the node's tasks run on, and whose time the node lives by: for tests with a clock of their own.
        /// Default: nil, the global pool and the system's time.
        public var eventLoop: (any EventLoop)?

        /// The node's first epoch. Default: random.
        package var epoch = ClusterNode.makeEpoch()

        /// Creates options.
        public init(id: NodeID? = nil, configuration: ClusterConfiguration = .init()) {
            self.id = id ?? String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16)
            self.configuration = configuration
        }
    }

    struct State {
        var machine: ClusterStateMachine
        var writes: [UInt64: CheckedContinuation<WriteFate, Never>] = [:]
        var requests: [ClusterRequestID: CheckedContinuation<PendingRequestsStateMachine.RequestResult, Never>] = [:]
        var streams: [ClusterRequestID: AcknowledgementCollector] = [:]
        var adapters: [String: ClusterAdapter] = [:]
        var task: Task<Void, Never>?
    }

    /// The node's id.
    public let id: NodeID
    let configuration: ClusterConfiguration
    let options: Options
    package let driver: any Driver
    let state: Mutex<State>
    let lanes: [Signal]
    let reopen = Signal()
    let listening = Signal()
    let responders = JobQueue()
    private let ids = MessageIDGenerator(seed: UInt64.random(in: .min ... .max))

    /// Creates a node that has not started.
    ///
    /// - Parameters:
    ///   - driver: Carries the messages.
    ///   - options: Its id, behaviour and hooks.
    public init(driver: any Driver, options: Options = .init()) {
        self.id = options.id
        self.options = options
        self.configuration = options.configuration
        self.driver = driver
        let identity = NodeIdentity(id: options.id, epoch: options.epoch)
        let machine = ClusterStateMachine(
            configuration: options.configuration,
            identity: identity,
            messageLimit: driver.messageLimit,
            now: options.eventLoop?.now ?? .now()
        )
        self.lanes = (0..<machine.laneCount).map { _ in Signal() }
        self.state = Mutex(State(machine: machine))
    }

    /// A random epoch of 63 bits, for formats whose integers are signed.
    package static func makeEpoch() -> UInt64 { UInt64.random(in: 1...UInt64(Int64.max) - 1_000_000) }

    // MARK: What is known

    /// How well the node takes part. Ask it in a readiness probe: anything but ``SocketIOCore/ClusterHealth/healthy`` means that other
    /// nodes may not hear this one, or it them.
    public var health: ClusterHealth { state.withLock { $0.machine.health } }

    /// The other nodes that are there.
    public var nodes: [NodeIdentity] { state.withLock { $0.machine.members.map(\.identity) } }

    /// The number of nodes in a namespace, this one included.
    func nodeCount(in namespace: String) -> Int { 1 + state.withLock { $0.machine.nodes(in: namespace).count } }

    func makeID() -> MessageID { ids.next(seconds: WallClock.secondsSince1970()) }

    // MARK: AdapterFactory

    /// Prepares the backend and starts to take part. Returns when the node listens, or after ``ClusterConfiguration/settleLimit``.
    /// Requests that are made at once wait until the other nodes have answered.
    ///
    /// - Throws: What the driver throws, with advice in its message.
    public func start() async throws {
        try await driver.start()
        state.withLock { state in
            guard state.task == nil else { return }
            // Owned by the node: `close` ends it and waits for it.
            state.task = Task(executorPreference: executor) { await self.run() }
        }
        await listening.wait(atMost: configuration.settleLimit)
    }

    /// Tells the others that this node is going to leave. It is still counted and still answers. They keep from here on what the clients
    /// of this node may miss on their way to them.
    public func drain() async {
        perform { machine, now in machine.drain(now: now, id: self.makeID()) }
    }

    /// Waits until all others know that this node drains.
    ///
    /// - Returns: The life of this node that they know of; nil if it does not drain, or nothing comes back.
    func drained() async -> NodeIdentity? {
        let limit = NIODeadline.now() + TimeAmount(configuration.deafnessLimit)
        while NIODeadline.now() < limit {
            let (isDraining, life) = state.withLock { ($0.machine.isDraining, $0.machine.drainedAs) }
            if life != nil || !isDraining { return life }
            // It is the end of the process, and nobody waits for milliseconds.
            do { try await Task.sleep(for: .milliseconds(5)) } catch { return nil }
        }
        return nil
    }

    /// Writes what waits, tells the others that this node has left, and ends everything.
    ///
    /// It takes at most the write deadline and a little more.
    public func close() async {
        guard let task = state.withLock({ $0.task }) else { return }
        await drain()
        await flush()
        await leave()
        perform { machine, _ in machine.close() }
        task.cancel()
        await task.value
        await driver.close()
        state.withLock { $0.task = nil }
    }

    /// Makes the adapter of a namespace.
    public func makeAdapter(_ context: AdapterContext) -> any Adapter { ClusterAdapter(node: self, context: context) }

    private func flush() async {
        let limit = NIODeadline.now() + TimeAmount(configuration.writeDeadline)
        while !state.withLock({ $0.machine.isFlushed }), NIODeadline.now() < limit {
            // Messages end by their deadline, so this does; it is the end of the process, and nobody waits for milliseconds.
            do { try await Task.sleep(for: .milliseconds(10)) } catch { return }
        }
    }

    private func leave() async {
        guard state.withLock({ $0.machine.health }) == .healthy else { return }
        _ = await write { machine, ticket, now in machine.leave(ticket: ticket, now: now) }
    }

    // MARK: Namespaces

    func register(_ adapter: ClusterAdapter) {
        perform { machine, now in machine.register(adapter.namespace, now: now, makeID: self.makeID) }
        state.withLock { $0.adapters[adapter.namespace] = adapter }
    }

    func unregister(_ adapter: ClusterAdapter) {
        state.withLock { state in
            guard state.adapters[adapter.namespace] === adapter else { return }
            state.adapters[adapter.namespace] = nil
            state.machine.unregister(adapter.namespace)
        }
    }

    var recoveringAdapters: [ClusterAdapter] { state.withLock { $0.adapters.values.filter(\.local.recovers) } }
    private var allAdapters: [ClusterAdapter] { state.withLock { Array($0.adapters.values) } }

    func adapter(of namespace: String) -> ClusterAdapter? { state.withLock { $0.adapters[namespace] } }

    // MARK: Messages

    /// Sends a message and waits until it is known what became of it.
    ///
    /// - Throws: ``ClusterError`` with `notSent`, `unknown`, `tooLarge` or `closed`.
    ///
    /// - Parameter order: Calls what it is given, which puts the message into the queue, in one step with something else.
    func send(
        _ body: ClusterBody,
        namespace: String,
        target: NodeID? = nil,
        id: MessageID? = nil,
        inOrder order: @escaping (() -> Void) -> Void = { $0() }
    ) async throws {
        let fate = await write(inOrder: order) { machine, ticket, now in
            let deadline = machine.writeDeadline(now: now)
            return machine.send(
                Outgoing(namespace: namespace, target: target, body: body, id: id, ticket: ticket, deadline: deadline)
            )
        }
        switch fate {
        case .sent: return
        case .notSent(let error), .unknown(let error): throw error
        }
    }

    private func write(
        inOrder order: @escaping (() -> Void) -> Void = { $0() },
        _ input: (inout ClusterStateMachine, _ ticket: UInt64, NIODeadline) -> [ClusterStateMachine.Action]
    ) async -> WriteFate {
        await withCheckedContinuation { continuation in
            var actions: [ClusterStateMachine.Action] = []
            order {
                actions = state.withLock { state in
                    let ticket = state.machine.makeTicket()
                    state.writes[ticket] = continuation
                    return input(&state.machine, ticket, now)
                }
            }
            perform(actions)
        }
    }

    /// Makes a request and waits for its answers.
    func request(
        _ body: ClusterBody,
        namespace: String,
        target: NodeID?,
        timeout: Duration?
    ) async -> PendingRequestsStateMachine.RequestResult {
        let id = Self.makeRequestID()
        let timeout = timeout ?? configuration.requestTimeout
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let actions = state.withLock { state in
                    state.requests[id] = continuation
                    return state.machine.request(
                        id,
                        .answers,
                        namespace: namespace,
                        target: target,
                        body: body,
                        timeout: timeout,
                        now: now
                    )
                }
                perform(actions)
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func cancel(_ id: ClusterRequestID) {
        let continuation = state.withLock { state in
            state.machine.cancel(id)
            return state.requests.removeValue(forKey: id)
        }
        let error = ClusterError(.notSent, "the task that waits for the answers was cancelled")
        continuation?.resume(returning: .init(error: error))
    }

    /// Makes a request for acknowledgements, which go to the stream until it ends.
    func requestAcknowledgements(_ body: ClusterBody, options: BroadcastOptions, namespace: String, stream: BroadcastAcknowledgements) {
        let id = Self.makeRequestID()
        let actions = state.withLock { state in
            state.streams[id] = AcknowledgementCollector(stream)
            return state.machine.request(
                id,
                .acknowledgements(single: options.flags.expectSingleResponse),
                namespace: namespace,
                target: options.node,
                body: body,
                timeout: options.flags.timeout ?? configuration.requestTimeout,
                now: now
            )
        }
        perform(actions)
        stream.onEnd { [weak self] in
            self?.state.withLock { state in
                state.streams[id] = nil
                state.machine.cancel(id)
            }
        }
    }

    private static func makeRequestID() -> ClusterRequestID {
        // 96 random bits, which is what all wire formats can carry.
        ClusterRequestID(high: UInt64.random(in: .min ... .max), low: UInt64.random(in: 1...0xffff_ffff) << 32)
    }

    /// Answers a request without waiting.
    func answer(_ header: ClusterHeader, with body: ClusterBody) {
        perform { machine, now in machine.answer(header, with: body, now: now) }
    }

    // MARK: Actions

    func perform(_ input: (inout ClusterStateMachine, NIODeadline) -> [ClusterStateMachine.Action]) {
        perform(state.withLock { input(&$0.machine, now) })
    }

    func perform(_ actions: [ClusterStateMachine.Action]) {
        for action in actions {
            switch action {
            case .wake(let lane): lanes[lane].raise()
            case .settle(let write): state.withLock { $0.writes.removeValue(forKey: write.ticket) }?.resume(returning: write.fate)
            case .started(let id, let nodes): state.withLock { $0.streams[id] }?.start(nodes)
            case .request(let action): perform(action)
            case .perform(let header, let body): apply(header, body)
            case .reopenStream:
                options.metrics.streamReopened()
                reopen.raise()
            case .report(let event): report(event)
            }
        }
    }

    private func perform(_ action: PendingRequestsStateMachine.Action) {
        switch action {
        case .complete(let id, let result):
            if !result.missing.isEmpty { options.metrics.requestIncomplete() }
            state.withLock { $0.requests.removeValue(forKey: id) }?.resume(returning: result)
        case .expect(let id, let node, let count): stream(id)?.expect(count, from: node)
        case .acknowledge(let id, let node, let arguments): stream(id)?.receive(arguments, from: node)
        case .finish(let id, let node): stream(id)?.finish(node)
        case .fail(let id, let node): stream(id)?.fail(node)
        case .timeOut(let id): stream(id)?.timeOut()
        }
    }

    private func stream(_ id: ClusterRequestID) -> AcknowledgementCollector? { state.withLock { $0.streams[id] } }

    func report(_ event: ClusterEvent) {
        if case .gap = event {
            for adapter in allAdapters { adapter.somethingWasLost() }
        }
        if case .draining(let node) = event { for adapter in allAdapters { adapter.nodeIsDraining(node) } }
        if case .left(let node) = event { for adapter in allAdapters { adapter.nodeHasLeft(node) } }
        options.metrics.happened(event)
        log(event)
        options.onEvent(event)
    }
}
