// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

/// This process as a node of a cluster: all its namespaces share one stream, and one writer for each lane.
///
/// Pass it to the server as its adapter. The server starts it, and closes it last: queued messages are written, the other nodes learn that
/// this one leaves, and all tasks have ended when ``close()`` returns.
public final class ClusterNode: AdapterFactory {
    /// The settings of a node, except for its driver.
    public struct Options: Sendable {
        /// The node's id, unique among the nodes that are alive. Default: 16 random characters.
        public var id: NodeID
        /// How the node behaves.
        public var configuration: ClusterConfiguration
        /// Where the node logs. Default: the logger of the server that the node is given to; until it is set, or a property of it, the
        /// value is a logger labelled `socketio.cluster`, which a node without a server uses.
        public var logger: Logger {
            get { ownLogger ?? NodeLogger.standard }
            set { ownLogger = newValue }
        }
        /// The node's own logger; nil if it uses that of the server.
        package var ownLogger: Logger?
        /// The node's metrics.
        public var metrics = ClusterMetrics()
        /// Called with each event of the cluster, from any thread. It must not block.
        public var onEvent: @Sendable (ClusterEvent) -> Void = { _ in }
        /// The event loop on which the node's tasks run, and whose clock the node uses: for tests that control the time.
        /// Default: nil, which means the global pool and the system's clock.
        public var eventLoop: (any EventLoop)?

        /// The node's first epoch. Default: random.
        package var epoch = ClusterNode.makeEpoch()

        /// Creates options.
        public init(id: NodeID? = nil, configuration: ClusterConfiguration = .init()) {
            self.id = id ?? RandomID.make(length: 16)
            self.configuration = configuration
        }
    }

    private struct Lifecycle {
        var task: Task<Void, Never>?
        var isEnded = false
        /// When closing must have ended, once it has begun.
        var closingDeadline: NIODeadline?
    }

    /// The time that is left for announcing the departure, and then for closing connections, when everything before has taken as long as
    /// it may.
    private static let lastWords = TimeAmount.milliseconds(500)
    /// How exactly timeouts are kept.
    private static let resolution = Duration.milliseconds(50)

    /// The node's id.
    public let id: NodeID
    package let driver: any Driver
    let configuration: ClusterConfiguration
    let log: ClusterLog
    private let logger: NodeLogger
    let runner: MachineRunner
    let clock: ClusterClock
    /// Answer requests of other nodes: quick ones, and those that wait for clients, so that the latter do not delay the former.
    let responders = JobQueue(concurrency: 1_024)
    let relays = JobQueue(concurrency: 4_096)
    /// Writes snapshots of sessions, one job for each namespace that has something to write.
    let snapshotWriters = JobQueue(concurrency: 1_024)
    private let lifecycle = Mutex(Lifecycle())
    private let namespaces = NamespaceTable()
    private let reader: StreamReader
    private let writers: [LaneWriter]
    private let metrics: ClusterMetrics
    private let ids = MessageIDGenerator()
    /// Tells the server what failed after it was accepted. One hook serves all namespaces, since their adapters are closed before the node.
    private let undelivered: Hook<UndeliveredOperation>

    /// Creates a node that has not started.
    ///
    /// - Parameters:
    ///   - driver: Carries the messages.
    ///   - options: Its id, behaviour and hooks.
    public init(driver: any Driver, options: Options = .init()) {
        let configuration = options.configuration
        let clock = ClusterClock(options.eventLoop)
        let logger = NodeLogger(own: options.ownLogger)
        let log = ClusterLog(logger)
        let metrics = options.metrics
        let machine = ClusterStateMachine(
            configuration: configuration,
            identity: NodeIdentity(id: options.id, epoch: options.epoch),
            messageLimit: driver.messageLimit,
            now: clock.now
        )
        let events = EventReporter(metrics: metrics, log: log, onEvent: options.onEvent)
        let undelivered = Hook<UndeliveredOperation>()
        let runner = MachineRunner(
            machine,
            clock: clock,
            metrics: metrics,
            events: events,
            namespaces: namespaces,
            messageCheck: driver.messageCheck
        ) { operation in
            _ = undelivered.call(operation)
        }
        self.undelivered = undelivered
        self.id = options.id
        self.driver = driver
        self.configuration = configuration
        self.log = log
        self.logger = logger
        self.runner = runner
        self.clock = clock
        self.metrics = metrics
        self.reader = StreamReader(
            id: options.id,
            driver: driver,
            runner: runner,
            namespaces: namespaces,
            clock: clock,
            metrics: metrics,
            log: log,
            ids: ids,
            notesReturns: driver.keepsSessions || configuration.snapshotsSessions
        )
        self.writers = (0..<runner.laneCount).map { [namespaces, ids] lane in
            LaneWriter(
                lane: lane,
                driver: driver,
                runner: runner,
                namespaces: namespaces,
                clock: clock,
                metrics: metrics,
                log: log,
                ids: ids
            )
        }
    }

    /// A random epoch of 63 bits, for formats whose integers are signed.
    package static func makeEpoch() -> UInt64 { UInt64.random(in: 1...UInt64(Int64.max) - 1_000_000) }

    // MARK: State

    /// How well the node takes part. A readiness probe asks for ``ClusterHealth/takesPart``: if that is false, other nodes may not receive
    /// messages from this one, or it from them.
    public var health: ClusterHealth { runner.read { $0.health } }

    /// Why no clients should be routed to this node; nil if its ``health`` says that it takes part.
    public var problem: String? { health.problem }

    /// Logs to the server's logger from now on, unless the options have a logger.
    public func useLogger(_ logger: Logger) { self.logger.use(logger) }

    /// The other nodes that are alive.
    public var nodes: [NodeIdentity] { runner.read { $0.members.map(\.identity) } }

    /// The number of nodes in a namespace, this one included.
    func nodeCount(in namespace: String) -> Int { 1 + runner.read { $0.nodes(in: namespace).count } }

    /// The number of messages that wait to be written, for tests.
    package var queuedMessages: Int { runner.read { $0.waitingCount } }

    /// The node in its current epoch.
    var identity: NodeIdentity { runner.read { $0.identity } }

    func makeID() -> MessageID { ids.next() }

    /// The node's position in the messages of others.
    func reached(in namespace: String) -> [ClaimedSession.OriginPosition] { runner.read { $0.reached(in: namespace) } }

    /// The node's position in the messages of others, and its own messages that are still under way.
    func position(in namespace: String) -> (positions: [ClaimedSession.OriginPosition], unwritten: [MessageID]) {
        runner.read { ($0.positions(in: namespace), $0.unwrittenBroadcasts(of: namespace)) }
    }

    // MARK: Starting

    /// Prepares the backend and joins the cluster. Returns when the node listens and the other nodes know of it, or after
    /// ``ClusterConfiguration/settleTimeout``. Requests that are sent immediately wait until the other nodes have answered.
    ///
    /// - Throws: The driver's errors, with advice in their messages; ``ClusterError`` with `unsupported` if the driver cannot do what the
    ///   configuration asks for, with `invalidConfiguration` if one of its values is out of bounds.
    public func start() async throws {
        guard id.utf8.count <= NodeIdentity.idLimit else {
            let text = "the id of the node has \(id.utf8.count) bytes: use at most \(NodeIdentity.idLimit)"
            throw ClusterError(.unsupported, text)
        }
        guard !configuration.snapshotsSessions || driver.snapshotStore != nil else {
            throw ClusterError(.unsupported, "the driver keeps no snapshots of sessions: turn snapshotsSessions off, or use another driver")
        }
        try configuration.validate()
        try await driver.start()
        let limit = NIODeadline.now() + TimeAmount(configuration.settleTimeout)
        let isEnded = lifecycle.withLock { lifecycle in
            guard lifecycle.task == nil, !lifecycle.isEnded else { return lifecycle.isEnded }
            runner.start()
            // Owned by the node: `close` ends it and waits for it.
            lifecycle.task = Task(executorPreference: clock.executor) { await self.run() }
            return false
        }
        guard !isEnded else {
            await driver.close()
            throw ClusterError(.closed, "the node was closed while it started")
        }
        await reader.waitUntilOpened(atMost: configuration.settleTimeout)
        await waitUntilAnnounced(in: "", by: limit)
    }

    /// Returns when the other nodes know of this one in a namespace, so that they count it before its first client is let in.
    private func waitUntilAnnounced(in namespace: String, by limit: NIODeadline) async {
        await runner.wait(until: limit) { $0.isAnnounced(in: namespace) }
    }

    /// Returns when the other nodes know that this one serves a namespace, or after ``ClusterConfiguration/settleTimeout``.
    func waitUntilServed(_ namespace: String) async {
        // Otherwise they know all nodes.
        guard configuration.announcesNamespaces, runner.read({ $0.isOpen }) else { return }
        await waitUntilAnnounced(in: namespace, by: .now() + TimeAmount(configuration.settleTimeout))
    }

    /// Runs the node's tasks until it is cancelled: the reader of the stream, the clock, a writer for each lane, and the job queues.
    private func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.reader.run() }
            group.addTask { await self.runClock() }
            group.addTask { await self.responders.run() }
            group.addTask { await self.relays.run() }
            if self.configuration.snapshotsSessions { group.addTask { await self.snapshotWriters.run() } }
            for writer in self.writers {
                group.addTask(executorPreference: self.driver.writingExecutor(lane: writer.lane)) { await writer.run() }
            }
        }
    }

    /// Gives the state machine the time.
    private func runClock() async {
        var ticks = 0
        while !Task.isCancelled {
            try? await clock.sleep(for: Self.resolution)
            let backendHealth = driver.backendHealth
            runner.perform { machine, now in
                machine.backendHealth = backendHealth
                return machine.tick(now: now, makeID: ids.next)
            }
            ticks += 1
            guard ticks.isMultiple(of: 20) else { continue }
            let (waiting, pending, nodes) = runner.read { ($0.waitingCount, $0.pendingCount, $0.memberCount) }
            metrics.sample(waiting: waiting, pending: pending, nodes: 1 + nodes)
            for mover in namespaces.movers { mover.tick() }
        }
    }

    // MARK: Namespaces

    /// Makes the adapter of a namespace.
    public func makeAdapter(_ context: AdapterContext) -> any Adapter {
        undelivered.set(context.onUndelivered)
        return ClusterAdapter(node: self, context: context)
    }

    func register(_ adapter: ClusterAdapter) {
        let actions = namespaces.add(adapter) {
            runner.step { machine, now in machine.register(adapter.namespace, now: now, makeID: ids.next) }
        }
        runner.perform(actions)
    }

    func unregister(_ adapter: ClusterAdapter) {
        namespaces.remove(adapter) {
            _ = runner.step { machine, _ in
                machine.unregister(adapter.namespace)
                return []
            }
        }
    }

    /// Discards a parked session that a node of another implementation has now, or had later than this one.
    package func discardSession(pid: String, in namespace: String) { namespaces[namespace]?.mover?.discard(pid: pid) }

    // MARK: Leaving

    /// Announces to the other nodes that this one is going to leave. It is still counted and still answers. From here on the other nodes
    /// keep the packets that the clients of this node may miss on their way to them.
    public func drain() async { runner.perform { machine, now in machine.drain(now: now, id: ids.next()) } }

    /// Waits until all other nodes know that this one drains.
    ///
    /// - Returns: The identity that they know; nil if the node does not drain, or if its messages do not return.
    func drained() async -> NodeIdentity? {
        let limit = min(NIODeadline.now() + TimeAmount(configuration.deafnessTimeout), namespaceDeadline() ?? .distantFuture)
        await runner.wait(until: limit) { $0.drainedAs != nil || !$0.isDraining }
        return runner.read { $0.drainedAs }
    }

    /// Waits until the fate of all that this node has sent in a namespace until now is known, but not longer than closing the namespace may
    /// take.
    ///
    /// - Returns: Whether it is.
    func waitUntilWritten(in namespace: String) async -> Bool {
        let limit = namespaceDeadline() ?? .now()
        await runner.wait(until: limit) { !$0.holdsMessages(of: namespace) }
        guard let mark = mark(in: namespace) else { return false }
        return await positions(at: mark) != nil
    }

    /// Marks what this node has received and sent in a namespace until now; see ``positions(at:)``.
    func mark(in namespace: String) -> ClusterStateMachine.Mark? { runner.change { $0.mark(in: namespace) } }

    /// The node's position in the messages of others and its own at a mark, when all of its own before the mark are written: the numbers tell
    /// other nodes which of them a session has got. nil if that takes longer than the closing of a namespace may.
    func positions(at mark: ClusterStateMachine.Mark) async -> [ClaimedSession.OriginPosition]? {
        await runner.wait(until: namespaceDeadline() ?? .now()) { $0.isSettled(mark) }
        return runner.read { $0.positions(at: mark) }
    }

    /// Calls a function at a moment at which all messages that have been received have been handed to the loops.
    func betweenMessages<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value { await reader.betweenMessages(body) }

    /// When the closing of a namespace must have ended; nil unless the whole node is going to leave.
    func namespaceDeadline() -> NIODeadline? {
        guard runner.read({ $0.isDraining }) else { return nil }
        return beginClosing() - .nanoseconds(4 * Self.lastWords.nanoseconds)
    }

    /// When everything that belongs to closing this node must have ended: fixed by the first step of it.
    private func beginClosing() -> NIODeadline {
        lifecycle.withLock { lifecycle in
            if let deadline = lifecycle.closingDeadline { return deadline }
            let isUnreachable = runner.read { $0.isUnreachable(now: clock.now) }
            let time = isUnreachable ? min(configuration.unreachableCloseTimeout, configuration.closeTimeout) : configuration.closeTimeout
            let deadline = NIODeadline.now() + TimeAmount(time)
            lifecycle.closingDeadline = deadline
            return deadline
        }
    }

    /// Writes queued messages, announces to the other nodes that this one has left, and ends everything. Messages that were accepted and
    /// could not be written in that time are reported to `AdapterContext.onUndelivered`.
    ///
    /// It takes at most ``ClusterConfiguration/closeTimeout``, the storing of the namespaces' sessions included, and
    /// ``ClusterConfiguration/unreachableCloseTimeout`` if the backend cannot be written to. What still waits for the backend then ends by
    /// itself. Cancelling the task does not shorten it.
    public func close() async {
        await BoundedWait.shielded { await self.closeAll() }
    }

    private func closeAll() async {
        let running = lifecycle.withLock { lifecycle in
            lifecycle.isEnded = true
            return lifecycle.task
        }
        guard let task = running else { return }
        let deadline = beginClosing()
        await drain()
        await flush(by: deadline - .nanoseconds(3 * Self.lastWords.nanoseconds))
        await leave(by: deadline - .nanoseconds(2 * Self.lastWords.nanoseconds))
        runner.perform { machine, _ in machine.close() }
        task.cancel()
        await BoundedWait.abandoning(at: deadline - Self.lastWords) { await task.value }
        await BoundedWait.abandoning(at: max(deadline, .now() + Self.lastWords)) { await self.driver.close() }
        lifecycle.withLock { $0.task = nil }
    }

    private func flush(by limit: NIODeadline) async {
        // Requests of other nodes end with this node's clients, which are gone. A client that is not gone is not waited for.
        let patience = min(.now() + .seconds(1), limit)
        // Twice, because a request can arrive while the messages are being written.
        for _ in 0..<2 {
            await withTimeLimit(until: patience) {
                await self.relays.waitUntilIdle()
                await self.responders.waitUntilIdle()
            }
            await runner.wait(until: limit) { $0.isFlushed }
        }
    }

    private func leave(by limit: NIODeadline) async {
        // Also if nothing was received lately: nodes that do not get it wait until this one is considered dead.
        let left = limit - .now()
        guard left > .zero, runner.read({ $0.isOpen }) else { return }
        await BoundedWait.abandoning(at: limit) {
            _ = await self.runner.write { machine, ticket, now in machine.leave(ticket: ticket, by: now + left, now: now) }
        }
    }
}
