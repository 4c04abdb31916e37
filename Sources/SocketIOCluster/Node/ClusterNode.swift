// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
public import Logging
public import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
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
        var adapters: [Name: ClusterAdapter] = [:]
        var task: Task<Void, Never>?
        var isStarted = false
        var isEnded = false
        /// When the end must be over, once it has begun.
        var closingDeadline: NIODeadline?
        /// What has happened and was not told yet, in order.
        var events: Deque<ClusterEvent> = []
        var isTelling = false
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
    /// Answer requests of other nodes: quick ones, and those that wait for clients, so that these do not keep those waiting.
    let responders = JobQueue(concurrency: 1_024)
    let relays = JobQueue(concurrency: 4_096)
    /// Keep copies of sessions, one job for each namespace that has something to write.
    let keepers = JobQueue(concurrency: 1_024)
    /// Odd while the task that reads the stream applies a message whose number counts already.
    let reading = Atomic<UInt64>(0)
    let log: ClusterLog
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
        self.log = ClusterLog(options.logger)
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

    /// How well the node takes part. A readiness probe asks for ``ClusterHealth/takesPart``: if that is false, other nodes may
    /// not hear this one, or it them.
    public var health: ClusterHealth { state.withLock { $0.machine.health } }

    /// The other nodes that are there.
    public var nodes: [NodeIdentity] { state.withLock { $0.machine.members.map(\.identity) } }

    /// The number of nodes in a namespace, this one included.
    func nodeCount(in namespace: String) -> Int { 1 + state.withLock { $0.machine.nodes(in: namespace).count } }

    func makeID() -> MessageID { ids.next(seconds: WallClock.secondsSince1970()) }

    // MARK: AdapterFactory

    /// Prepares the backend and starts to take part. Returns when the node listens, or after ``ClusterConfiguration/settleTimeout``.
    /// Requests that are made at once wait until the other nodes have answered.
    ///
    /// - Throws: What the driver throws, with advice in its message; ``ClusterError`` with `unsupported` if it cannot do
    ///   what the configuration wants.
    public func start() async throws {
        guard id.utf8.count <= NodeIdentity.idLimit else {
            let text = "the id of the node has \(id.utf8.count) bytes: use \(NodeIdentity.idLimit) at most"
            throw ClusterError(.unsupported, text)
        }
        guard !configuration.snapshotsSessions || driver.snapshotStore != nil else {
            throw ClusterError(.unsupported, "the driver keeps no copies of sessions: turn snapshotsSessions off, or use another driver")
        }
        try await driver.start()
        let isEnded = state.withLock { state in
            guard state.task == nil, !state.isEnded else { return state.isEnded }
            state.isStarted = true
            // Owned by the node: `close` ends it and waits for it.
            state.task = Task(executorPreference: executor) { await self.run() }
            return false
        }
        guard !isEnded else {
            await driver.close()
            throw ClusterError(.closed, "the node was closed while it started")
        }
        await listening.wait(atMost: configuration.settleTimeout)
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
        let limit = min(NIODeadline.now() + TimeAmount(configuration.deafnessTimeout), beginClosingNamespace() ?? .distantFuture)
        while NIODeadline.now() < limit {
            let (isDraining, life) = state.withLock { ($0.machine.isDraining, $0.machine.drainedAs) }
            if life != nil || !isDraining { return life }
            // It is the end of the process, and nobody waits for milliseconds.
            do { try await Task.sleep(for: .milliseconds(5)) } catch { return nil }
        }
        return nil
    }

    /// Waits until the message that is being read, if there is one, has been handed to the loops.
    func applied() async {
        let count = reading.load(ordering: .sequentiallyConsistent)
        guard !count.isMultiple(of: 2) else { return }
        while reading.load(ordering: .acquiring) == count {
            // It is the end of the process, and nobody waits for milliseconds.
            do { try await Task.sleep(for: .milliseconds(1)) } catch { return }
        }
    }

    /// Makes the adapter of a namespace.
    public func makeAdapter(_ context: AdapterContext) -> any Adapter { ClusterAdapter(node: self, context: context) }

    // MARK: Namespaces

    func register(_ adapter: ClusterAdapter) {
        perform { machine, now in machine.register(adapter.namespace, now: now, makeID: self.makeID) }
        state.withLock { $0.adapters[Name(adapter.namespace)] = adapter }
    }

    func unregister(_ adapter: ClusterAdapter) {
        state.withLock { state in
            guard state.adapters[Name(adapter.namespace)] === adapter else { return }
            state.adapters[Name(adapter.namespace)] = nil
            state.machine.unregister(adapter.namespace)
        }
    }

    var recoveringAdapters: [ClusterAdapter] { state.withLock { $0.adapters.values.filter(\.local.recovers) } }
    var allAdapters: [ClusterAdapter] { state.withLock { Array($0.adapters.values) } }

    func adapter(of namespace: String) -> ClusterAdapter? { state.withLock { $0.adapters[Name(namespace)] } }

    // MARK: Messages

    /// Sends a message and waits until it is known what became of it.
    ///
    /// - Throws: ``ClusterError`` with `notSent`, `unknown`, `tooLarge` or `closed`.
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

    func write(
        inOrder order: @escaping (() -> Void) -> Void = { $0() },
        _ input: (inout ClusterStateMachine, _ ticket: UInt64, NIODeadline) -> [ClusterStateMachine.Action]
    ) async -> WriteFate {
        await withCheckedContinuation { continuation in
            var actions: [ClusterStateMachine.Action] = []
            order {
                actions = step { state in
                    let ticket = state.machine.makeTicket()
                    state.writes[ticket] = continuation
                    guard state.isStarted else { return [.settle(SettledWrite(ticket: ticket, fate: .notSent(Self.notStarted)))] }
                    return input(&state.machine, ticket, now)
                }
            }
            perform(actions)
        }
    }
}
