// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIO
public import Logging
public import NIOCore
public import NIOPosix
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

/// A Socket.IO server. It is `Sendable`: any route, handler or job may use it.
///
/// ```swift
/// let io = SocketIOServer()
/// io.onConnect { socket in
///     socket.on("sum") { (a: Double, b: Double) in a + b }
/// }
/// try await io.run(host: "127.0.0.1", port: 3000)
/// ```
public final class SocketIOServer: Sendable {
    /// The configuration of the server.
    public let configuration: SocketIOConfiguration
    /// The server's logger. Nothing is logged per packet above `debug`.
    public let logger: Logger
    let encoder: PacketEncoder
    let namespaces = NamespaceRegistry()
    let metrics = SocketIOMetrics()
    let offsets: MessageIDGenerator?
    let recoveryBudget: RecoveryBudget?
    /// The event loops on which connections live.
    public let eventLoopGroup: any EventLoopGroup
    private let loops: [LoopContext]
    let adapters: any AdapterFactory
    /// The transports. Used to mount the server in another HTTP server.
    public let engine: EngineServer
    let tasks = TaskRegistry()
    private let handlerIDs = Atomic<UInt64>(0)
    let lifecycle = ServerLifecycle()
    let errors: ErrorReporter
    let refusals: ClientRefusals
    private let clientFile: ClientFile?
    /// The HTTP servers that `run` and `service` have started for this server.
    let httpServers = Mutex<[EngineHTTPServer]>([])
    private let mounted = Atomic<Bool>(false)
    /// Whether another HTTP server accepts this server's connections.
    package var isMounted: Bool {
        get { mounted.load(ordering: .relaxed) }
        set { mounted.store(newValue, ordering: .relaxed) }
    }

    /// Creates a server. It serves nothing until it runs or is mounted.
    ///
    /// - Parameters:
    ///   - configuration: The options.
    ///   - adapter: Connects this process with others, such as `.mongo("mongodb://…")`. Default: nil, the server is alone. The adapter logs to
    ///     the server's logger unless it was given one of its own.
    ///   - eventLoopGroup: The event loops on which connections live; those of the HTTP server that the server is mounted in.
    ///   - logger: The logger for warnings and errors of the server.
    public init(
        configuration: SocketIOConfiguration = .init(),
        adapter: (any AdapterFactory)? = nil,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "socketio")
    ) {
        let adapter = adapter ?? LocalAdapterFactory()
        adapter.useLogger(logger)
        let configuration = Self.supported(configuration, by: adapter, logger)
        self.configuration = configuration
        self.logger = logger
        self.errors = ErrorReporter(logger: logger, metrics: metrics, roomLimits: configuration.limits.rooms)
        self.refusals = ClientRefusals(logger: logger, metrics: metrics)
        self.eventLoopGroup = eventLoopGroup
        self.adapters = adapter
        self.encoder = PacketEncoder(format: configuration.parser)
        self.offsets = configuration.connectionStateRecovery == nil ? nil : MessageIDGenerator()
        self.recoveryBudget = configuration.connectionStateRecovery.map { RecoveryBudget(bytes: $0.bytes) }
        self.loops = eventLoopGroup.makeIterator().map { LoopContext($0) }
        let delegate = EngineDelegate()
        self.clientFile = ClientFile(configuration)
        self.engine = EngineServer(
            configuration: clientFile?.served(by: configuration.engine) ?? configuration.engine,
            delegate: delegate,
            logger: logger
        )
        delegate.attach(self)
        _ = of("/")
    }

    /// The configuration without the features that the adapter does not support.
    private static func supported(
        _ configuration: SocketIOConfiguration,
        by adapter: any AdapterFactory,
        _ logger: Logger
    ) -> SocketIOConfiguration {
        guard configuration.connectionStateRecovery != nil, !adapter.recoversSessions else { return configuration }
        logger.warning("connection state recovery is off: the adapter does not support it")
        var configuration = configuration
        configuration.connectionStateRecovery = nil
        return configuration
    }

    // MARK: Namespaces

    /// Returns the namespace of this name, and creates it if there is none. A missing leading slash is added.
    ///
    /// A name is invalid if it has more than 1 024 bytes or contains a comma. Then ``start()`` throws ``SocketIOError`` with `invalidNamespace`;
    /// if the server runs already, the error goes to ``onError(_:)``, and emitting throws it. Once the server is closed, new namespaces have no
    /// clients, and emitting throws `serverClosed`.
    public func of(_ name: String) -> Namespace {
        let name = NamespaceName.normalised(name)
        return namespaces.named(name) { [self] predecessor in
            makeNamespace(name, parent: nil, after: predecessor)
        } makeDetached: {
            makeNamespace(name, parent: nil, refusal: SocketIOError(.serverClosed, "the server has been closed; create a new one"))
        } startLate: { [tasks] namespace in
            tasks.start { [self] in
                do { try await namespace.start() } catch { errors.report(error, from: .namespace, namespace: namespace.name) }
            }
        }
    }

    /// Defines a family of namespaces: a client that asks for a matching name joins that namespace, which is created if there is none.
    ///
    /// - Parameter rule: Decides whether a client may have a namespace of this name, given the `auth` that the client sent.
    public func of(matching rule: @escaping ParentNamespace.Rule) -> ParentNamespace {
        let parent = ParentNamespace(server: self, rule: rule)
        namespaces.add(parent)
        return parent
    }

    /// Defines a family of namespaces: those whose whole name matches a regular expression.
    public func of<Output>(_ pattern: Regex<Output>) -> ParentNamespace {
        let pattern = SharedRegex(pattern)
        return of(matching: { name, _ in pattern.matchesWhole(name) })
    }

    /// Creates a namespace that is not in the registry yet.
    ///
    /// - Parameters:
    ///   - predecessor: Opens when the adapter of an earlier namespace of this name is closed.
    ///   - refusal: The error that all operations of the namespace throw.
    func makeNamespace(
        _ name: String,
        parent: ParentNamespace?,
        after predecessor: Gate? = nil,
        refusal: SocketIOError? = nil,
        allowance: ChildAllowance? = nil
    ) -> Namespace {
        var onRoomEvent: (@Sendable (RoomEvent) -> Void)?
        if let hook = configuration.onRoomEvent { onRoomEvent = { @Sendable event in hook(name, event) } }
        let metrics = metrics.namespace(name, isChild: parent != nil)
        let errors = errors
        let recovery = configuration.connectionStateRecovery
        let local = CoreLocalAdapter(
            eventLoops: loops.map(\.eventLoop),
            format: configuration.parser,
            recovery: recovery.map { RecoveryLimits(sessions: $0.sessions, buffer: $0.buffer, retention: $0.maxDisconnectionDuration) },
            limits: configuration.limits.rooms,
            budget: recoveryBudget,
            onRoomEvent: onRoomEvent,
            onRoomCount: { metrics.rooms.change(by: $0) },
            descriptionBytes: configuration.limits.descriptionBytes,
            onLimit: { errors.limitReached($0, in: name) }
        )
        let executor = hookExecutor(loops[name.utf8.count % loops.count].eventLoop)
        let events = ServerSideEvents(
            encoder: encoder,
            tasks: tasks,
            limits: .init(events: configuration.limits.serverSideEvents, bytes: configuration.limits.serverSideEventBytes),
            dropped: self.metrics.droppedServerSideEvents,
            duplicates: self.metrics.duplicateAcknowledgements,
            executor: executor
        ) { error, event in
            errors.report(error, from: .serverSideEvent, event: event, namespace: name)
        }
        let adapter: any Adapter =
            if let error = refusal ?? NamespaceName.problem(of: name).map({ SocketIOError(.invalidNamespace, $0) }) {
                RefusingAdapter(local: local, error: error)
            } else {
                adapters.makeAdapter(
                    AdapterContext(
                        namespace: name,
                        local: local,
                        onUndelivered: { errors.undelivered($0) },
                        onServerSideEmit: events.receive
                    )
                )
            }
        return Namespace(
            name: name,
            server: self,
            local: local,
            adapter: adapter,
            parent: parent,
            events: events,
            metrics: metrics,
            predecessor: predecessor,
            allowance: allowance
        )
    }

    // MARK: Errors

    /// Sets the hook that is called for every error that a handler, middleware or hook throws, when a limit keeps a socket out of a room, and
    /// for every operation that other servers may not have received although its call has returned; see ``HandlerFailure/undelivered``.
    /// It is called from any thread and must not block. A later hook replaces it.
    ///
    /// Without a hook, errors are logged: at `warning`, and at `debug` if a client sent arguments that the handler does not take. At most ten
    /// lines per minute are written, and the next line says how many were suppressed. Clients can cause as many errors as they send
    /// packets, so a hook that writes to a log should limit itself too.
    public func onError(_ hook: @escaping @Sendable (HandlerFailure) -> Void) { errors.setHook(hook) }

    // MARK: Clients

    /// The number of clients that are connected to this process, in any namespace.
    public var clientsCount: Int { engine.clientsCount }

    // MARK: Life

    /// Starts the adapters. ``run()`` calls it; call it yourself only if you mount the server without running it.
    ///
    /// Clients that connect before that wait, at most for ``SocketIOConfiguration/connectTimeout``. All callers share one start: if it fails, or
    /// one of the callers is cancelled, it fails for all of them, and the server has to be closed.
    ///
    /// - Throws: Errors of the adapter, and ``SocketIOError`` with `serverClosed`, `invalidConfiguration` or `invalidNamespace`.
    public func start() async throws {
        try await lifecycle.start { [self] in
            try configuration.validate()
            try await clientFile?.load()
            try await adapters.start()
            for namespace in namespaces.run() { try await namespace.start() }
        }
    }

    /// Waits until clients may join namespaces, or until they never will. Returns early if the task is cancelled.
    ///
    /// - Returns: Whether they may.
    func waitUntilStarted() async -> Bool {
        await lifecycle.waitUntilSettled {
            logger.warning("a client waits because the server has not been started; run it, or add it to the application's services")
        }
    }

    // MARK: Inside

    func context(of loop: any EventLoop) -> LoopContext {
        for context in loops where context.eventLoop === loop { return context }
        preconditionFailure("connections are accepted on the server's event loops only")
    }

    /// Whether connections may live on this loop.
    func owns(_ loop: any EventLoop) -> Bool { loops.contains { $0.eventLoop === loop } }

    func nextHandlerID() -> HandlerID { HandlerID(value: handlerIDs.wrappingAdd(1, ordering: .relaxed).oldValue) }

    /// Starts a task for a connection of this loop; the caller owns it. On the loop the task runs at once to its first suspension.
    func startTask(on loop: any EventLoop, _ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        configuration.handlersBlock ? Task { await body() } : context(of: loop).executor.start(body)
    }

    func hookExecutor(_ loop: any EventLoop) -> (any TaskExecutor)? {
        configuration.handlersBlock ? nil : context(of: loop).executor
    }

    func makeRecoveryBuffer(for socket: Socket, base: MessageID? = nil) -> RecoveryBuffer? {
        guard socket.pid != nil, let recovery = configuration.connectionStateRecovery else { return nil }
        return RecoveryBuffer(limit: recovery.buffer, base: base, budget: recoveryBudget)
    }

    /// Ends a stream of acknowledgements after a time.
    func end(_ stream: BroadcastAcknowledgements, after timeout: Duration) {
        let loop = loops.first { $0.eventLoop.inEventLoop } ?? loops[0]
        loop.perform { context in
            let timer = context.timers.schedule(in: timeout) { stream.timeOut() }
            stream.onEnd { loop.perform { $0.timers.cancel(timer) } }
        }
    }
}
