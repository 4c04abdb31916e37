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

/// A Socket.IO server. A value that any route, handler or job may use.
///
/// ```swift
/// let io = SocketIOServer()
/// io.onConnect { socket in
///     socket.on("sum") { (a: Double, b: Double) in a + b }
/// }
/// try await io.run(host: "127.0.0.1", port: 3000)
/// ```
public final class SocketIOServer: Sendable {
    /// The configuration that the server was made with.
    public let configuration: SocketIOConfiguration
    /// Gets what an operator should know. Nothing is logged per packet above `debug`.
    public let logger: Logger
    let encoder: PacketEncoder
    let namespaces = NamespaceRegistry()
    let metrics = SocketIOMetrics()
    let offsets: OffsetGenerator?
    let recoveryBudget: RecoveryBudget?
    /// The event loops on which connections live.
    public let eventLoopGroup: any EventLoopGroup
    private let loops: [LoopContext]
    let adapters: any AdapterFactory
    /// The transports. Used to mount the server in another HTTP server.
    public let engine: EngineServer
    let tasks = TaskRegistry()
    private let handlerIDs = Atomic<UInt64>(0)
    private let errorHook = Mutex<(@Sendable (HandlerFailure) -> Void)?>(nil)
    let lifecycle = Mutex(Lifecycle.created)
    /// Opens when the start has succeeded or failed, or the server is closed: clients wait for it.
    let startSettled = Gate()
    let isServing = Atomic<Bool>(false)
    private let hasWarnedOfWaiting = Atomic<Bool>(false)
    /// The lines that clients and documents can bring about.
    private let failureLog = SharedLogLimiter()
    private let limitLog = SharedLogLimiter()
    let descriptionLog = SharedLogLimiter()
    let sessionLog = SharedLogLimiter()
    private let clientFile: ClientFile?

    enum Lifecycle {
        case created
        /// One start for all who ask for it, whether it still runs, has succeeded or has failed.
        case started(Task<Void, any Error>)
        case closed(Task<Void, Never>)
    }

    /// Creates a server. It serves nothing until it is run or mounted.
    ///
    /// - Parameters:
    ///   - configuration: The options.
    ///   - adapter: Makes the adapters that connect this process with others. Default: none, this process serves alone.
    ///   - eventLoopGroup: The event loops on which connections live; those of the HTTP server that the server is mounted in.
    ///   - logger: Gets what an operator should know.
    public init(
        configuration: SocketIOConfiguration = .init(),
        adapter: any AdapterFactory = LocalAdapterFactory(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "socketio")
    ) {
        let configuration = Self.supported(configuration, by: adapter, logger)
        self.configuration = configuration
        self.logger = logger
        self.eventLoopGroup = eventLoopGroup
        self.adapters = adapter
        self.encoder = PacketEncoder(format: configuration.parser)
        self.offsets = configuration.connectionStateRecovery == nil ? nil : OffsetGenerator()
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

    /// What the adapter cannot do is not promised to clients.
    private static func supported(
        _ configuration: SocketIOConfiguration,
        by adapter: any AdapterFactory,
        _ logger: Logger
    ) -> SocketIOConfiguration {
        guard configuration.connectionStateRecovery != nil, !adapter.recoversSessions else { return configuration }
        logger.warning("connection state recovery is off: the adapter cannot carry it between the processes")
        var configuration = configuration
        configuration.connectionStateRecovery = nil
        return configuration
    }

    // MARK: Namespaces

    /// The namespace of this name, made if it is new. A missing leading slash is added.
    ///
    /// With a name that no client could ask for, longer than 1 024 bytes or with a comma in it, ``start()`` throws ``SocketIOError`` with
    /// `invalidNamespace`; if the server runs already, the error goes to ``onError(_:)`` and to whoever emits. Once the server is closed,
    /// namespaces that are not kept from before have no clients, and emitting throws `serverClosed`.
    public func of(_ name: String) -> Namespace {
        let name = NamespaceName.normalised(name)
        return namespaces.named(name) { [self] predecessor in
            makeNamespace(name, parent: nil, after: predecessor)
        } makeDetached: {
            makeNamespace(name, parent: nil, refusal: SocketIOError(.serverClosed, "the server has been closed; create a new one"))
        } startLate: { [tasks] namespace in
            tasks.start { [self] in
                do { try await namespace.start() } catch { report(error, event: nil, socket: nil) }
            }
        }
    }

    /// A family of namespaces: whoever asks for one that matches gets it, and it is made if it is new.
    ///
    /// - Parameter rule: Tells whether a client may have a namespace of this name. Gets the `auth` that the client sent.
    public func of(matching rule: @escaping ParentNamespace.Rule) -> ParentNamespace {
        let parent = ParentNamespace(server: self, rule: rule)
        namespaces.add(parent)
        return parent
    }

    /// A family of namespaces: those whose whole name matches a regular expression.
    public func of<Output>(_ pattern: Regex<Output>) -> ParentNamespace {
        let pattern = SharedRegex(pattern)
        return of(matching: { name, _ in pattern.matchesWhole(name) })
    }

    /// - Parameters:
    ///   - predecessor: Opens when the adapter of an earlier namespace of this name is closed.
    ///   - refusal: Why the namespace cannot be used.
    func makeNamespace(
        _ name: String,
        parent: ParentNamespace?,
        after predecessor: Gate? = nil,
        refusal: SocketIOError? = nil,
        allowance: ChildAllowance? = nil
    ) -> Namespace {
        var onRoomEvent: (@Sendable (RoomEvent) -> Void)?
        if let hook = configuration.onRoomEvent { onRoomEvent = { @Sendable event in hook(name, event) } }
        let rooms = metrics.rooms
        let recovery = configuration.connectionStateRecovery
        let local = CoreLocalAdapter(
            eventLoops: loops.map(\.eventLoop),
            format: configuration.parser,
            recovery: recovery.map { RecoveryLimits(sessions: $0.sessions, buffer: $0.buffer, retention: $0.maxDisconnectionDuration) },
            limits: configuration.rooms,
            budget: recoveryBudget,
            onRoomEvent: onRoomEvent,
            onRoomCount: { rooms.change(by: $0) },
            descriptionBytes: configuration.maxDescriptionSize,
            onLimit: { [weak self] limit in self?.limitReached(limit, in: name) }
        )
        let executor = hookExecutor(loops[name.utf8.count % loops.count].eventLoop)
        let events = ServerSideEvents(
            encoder: encoder,
            tasks: tasks,
            limits: .init(events: configuration.maxServerSideEvents, bytes: configuration.maxServerSideEventBytes),
            dropped: metrics.droppedServerSideEvents,
            executor: executor
        ) { [weak self] error, event in
            self?.report(error, event: event, socket: nil)
        }
        let adapter: any Adapter =
            if let error = refusal ?? NamespaceName.problem(of: name) {
                RefusingAdapter(local: local, error: error)
            } else {
                adapters.makeAdapter(AdapterContext(namespace: name, local: local, onServerSideEmit: events.receive))
            }
        return Namespace(
            name: name,
            server: self,
            local: local,
            adapter: adapter,
            parent: parent,
            events: events,
            predecessor: predecessor,
            allowance: allowance
        )
    }

    // MARK: Errors

    /// Called for every error that a handler, middleware or hook throws, and when a limit keeps a socket out of a room. Without a hook they are
    /// logged: at `warning`, and at `debug` if a client has sent other arguments than the handler takes; ten lines in a minute, of which the next
    /// one says how many were left out. One hook; a later one replaces it. Clients can bring about as many errors as they send packets, so
    /// a hook that writes should limit itself too.
    public func onError(_ hook: @escaping @Sendable (HandlerFailure) -> Void) { errorHook.withLock { $0 = hook } }

    func report(_ error: any Error, event: String?, socket: Socket?) {
        metrics.errors.increment()
        if let hook = errorHook.withLock({ $0 }) { return hook(HandlerFailure(error: error, event: event, socket: socket)) }
        let code = (error as? SocketIOError)?.code
        let isLimit = code == .tooManyRooms || code == .invalidRoom
        // Clients can send what no handler takes as often as they like.
        let level: Logger.Level = code == .unexpectedArguments ? .debug : .warning
        guard logger.logLevel <= level else { return }
        (isLimit ? limitLog : failureLog).log { suppressed in
            // Name and error may hold what the client has sent.
            logger.log(
                level: level,
                isLimit ? "a limit was reached" : "a handler failed",
                metadata: [
                    "event": "\(event.map { "\(QuotedText($0))" } ?? "-")",
                    "nsp": "\(socket.map { "\(QuotedText($0.namespace.name))" } ?? "-")", "sid": "\(socket?.id ?? "-")",
                    "error": "\(QuotedText("\(error)", limit: 300))", "suppressed": "\(suppressed ?? 0)",
                ]
            )
        }
    }

    // MARK: Clients

    /// The number of clients that are connected to this process, whatever namespaces they are in.
    public var clientsCount: Int { engine.clientsCount }

    // MARK: Life

    /// Starts the adapters. Called by ``run()``; call it yourself only if you mount the server without running it. Clients that connect
    /// before wait, at most ``SocketIOConfiguration/connectTimeout``. All callers share one start; if it fails, it fails for all of them,
    /// as it does if one of them is cancelled, and the server has to be closed.
    ///
    /// - Throws: What the adapter throws, and ``SocketIOError`` with `serverClosed`, `invalidConfiguration` or `invalidNamespace`.
    public func start() async throws {
        let task = try lifecycle.withLock { lifecycle in
            switch lifecycle {
            case .created:
                let task = Task { [self] in try await startOnce() }
                lifecycle = .started(task)
                return task
            case .started(let task): return task
            case .closed: throw SocketIOError(.serverClosed, "the server has been closed; create a new one")
            }
        }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError {
            throw SocketIOError(.serverClosed, "the server was closed while it started")
        }
    }

    private func startOnce() async throws {
        defer { startSettled.open() }
        try configuration.validate()
        try await clientFile?.load()
        try await adapters.start()
        for namespace in namespaces.run() { try await namespace.start() }
        try Task.checkCancellation()
        isServing.store(true, ordering: .releasing)
    }

    /// Waits until clients may join namespaces, or until they never will. Ends early if the task is cancelled.
    ///
    /// - Returns: Whether they may.
    func waitUntilStarted() async -> Bool {
        if !startSettled.isOpen {
            if case .created = lifecycle.withLock({ $0 }), !hasWarnedOfWaiting.exchange(true, ordering: .relaxed) {
                logger.warning("a client waits because the server has not been started; run it, or add it to the application's services")
            }
            await startSettled.wait()
        }
        return isServing.load(ordering: .acquiring)
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

    /// Ends a stream of acknowledgements by time.
    func end(_ stream: BroadcastAcknowledgements, after timeout: Duration) {
        let loop = loops.first { $0.eventLoop.inEventLoop } ?? loops[0]
        loop.perform { context in
            let timer = context.timers.schedule(in: timeout) { stream.timeOut() }
            stream.onEnd { loop.perform { $0.timers.cancel(timer) } }
        }
    }
}

/// Passes new connections to the server.
private final class EngineDelegate: EngineServerDelegate {
    private let server = Mutex(WeakServer())

    private struct WeakServer {
        weak var server: SocketIOServer?
    }

    func attach(_ server: SocketIOServer) { self.server.withLock { $0.server = server } }

    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate {
        guard let server = server.withLock({ $0.server }) else { return Orphan() }
        guard server.owns(session.eventLoop) else {
            server.logger.error("a connection came on an event loop that is not the server's; mount it on its eventLoopGroup")
            return Orphan()
        }
        return Client(session: session, server: server)
    }

    func engineServerShouldDrain() -> Bool {
        guard let server = server.withLock({ $0.server }) else { return false }
        server.beginClosing(over: server.configuration.drainDuration)
        return true
    }

    /// The server has been dropped while its transports are still mounted, or they are mounted on other event loops.
    private final class Orphan: EngineSessionDelegate {
        func session(_ session: EngineSession, didReceiveText message: ByteBuffer) { session.discard(.serverShuttingDown) }
        func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) { session.discard(.serverShuttingDown) }
        func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) {}
    }
}

/// An error that the application's code has thrown.
public struct HandlerFailure: Sendable {
    /// The error.
    public let error: any Error
    /// The event that was handled; nil if it was a connection.
    public let event: String?
    /// The socket; nil if there was none.
    public let socket: Socket?
}

/// Makes adapters for a process that serves alone.
public struct LocalAdapterFactory: AdapterFactory {
    /// Creates a factory.
    public init() {}

    /// The rooms of this process.
    public func makeAdapter(_ context: AdapterContext) -> any Adapter { context.local }
}
