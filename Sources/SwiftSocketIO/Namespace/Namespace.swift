// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import Synchronization

/// A channel with its own sockets, rooms, middleware and handlers. Namespaces share the connections of their clients.
public final class Namespace: Sendable {
    /// The name, with its leading slash.
    public let name: String
    /// The rooms of this process.
    let localAdapter: CoreLocalAdapter
    let server: SocketIOServer
    /// Connects the namespace with other processes.
    public let adapter: any Adapter
    let encoder: PacketEncoder
    let serverSideEvents: ServerSideEvents
    let metrics: NamespaceMetrics
    let parent: ParentNamespace?
    /// The allowance of the client that first asked for this child.
    let allowance: ChildAllowance?
    /// The form of the private ids of its sessions.
    let sessionIDs: SessionIDForm
    /// Opens when the adapter of an earlier namespace of this name is closed.
    private let predecessor: Gate?
    let handlers: Mutex<NamespaceHandlers>
    /// The start of the adapter, shared by all callers.
    private let starting = Mutex<Task<Void, any Error>?>(nil)
    let isStarted = Atomic<Bool>(false)
    /// Clients that are about to join, and running hooks of sockets that have left: while there are any, an empty child is kept.
    private let holds = Atomic<Int>(0)
    /// Whether it has ever had a client.
    private let hasServed = Atomic<Bool>(false)

    init(
        name: String,
        server: SocketIOServer,
        local: CoreLocalAdapter,
        adapter: any Adapter,
        parent: ParentNamespace?,
        events: ServerSideEvents,
        metrics: NamespaceMetrics,
        predecessor: Gate? = nil,
        allowance: ChildAllowance? = nil
    ) {
        self.name = name
        self.server = server
        localAdapter = local
        self.adapter = adapter
        self.encoder = server.encoder
        self.parent = parent
        self.serverSideEvents = events
        self.metrics = metrics
        self.predecessor = predecessor
        self.allowance = allowance
        self.sessionIDs = SessionIDForm(adapter.makeSessionID)
        self.handlers = Mutex(NamespaceHandlers())
    }

    /// The number of clients that are connected to the namespace in this process.
    public var socketCount: Int { localAdapter.socketCount }

    /// The sockets that are connected to this process.
    public var sockets: [Socket] {
        get async { await localAdapter.sockets(BroadcastOptions()).compactMap { $0 as? Socket } }
    }

    // MARK: Start

    /// Calls the hooks of a new child and starts the adapter, once; further callers wait for the first.
    func start() async throws {
        if isStarted.load(ordering: .acquiring) { return }
        let task = starting.withLock { starting in
            if let task = starting { return task }
            let task = Task { [self] in
                await predecessor?.wait()
                parent?.announce(self)
                try await adapter.start()
            }
            starting = task
            return task
        }
        try await task.value
        isStarted.store(true, ordering: .releasing)
    }

    func isChild(of other: ParentNamespace) -> Bool { parent === other }

    // MARK: Membership

    /// Keeps the namespace even if it is empty. Called by the registry, or by a socket that is in the namespace.
    func hold() { holds.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    /// Ends a ``hold()``: an empty child may be removed.
    func release() {
        holds.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        socketDidLeave()
    }

    var isHeld: Bool { holds.load(ordering: .acquiring) > 0 }

    func didServe() { if parent != nil { hasServed.store(true, ordering: .relaxed) } }

    /// Whether it has no members and no client is about to join.
    var isVacant: Bool {
        // In this order: the namespace is held before the last socket is taken out of the adapter.
        localAdapter.isEmpty && !isHeld
    }

    func socketDidLeave() {
        guard parent != nil, isVacant else { return }
        // A child that clients asked for and never joined must not stay.
        guard server.configuration.cleanupEmptyChildNamespaces || !hasServed.load(ordering: .relaxed) else {
            return server.namespaces.becameVacant(self)
        }
        if server.namespaces.removeIfEmpty(self) { closeRemoved() }
    }

    /// Closes the adapter after the registry has removed the namespace.
    func closeRemoved() {
        server.tasks.start { [adapter, name, namespaces = server.namespaces] in
            await adapter.close()
            namespaces.closed(name)
        }
    }

    /// Discards a parked session when its client has been away for too long. On the loop.
    func scheduleDiscard(of session: RecoverableSession, on loop: any EventLoop) {
        guard let recovery = server.configuration.connectionStateRecovery else { return }
        let (id, pid) = (session.state.id, session.pid)
        let timers = server.context(of: loop).timers
        let timer = timers.schedule(in: recovery.maxDisconnectionDuration) { [self] in
            guard localAdapter.discardSession(id: id, pid: pid, on: loop) else { return }
            server.metrics.expiredSessions.increment()
            socketDidLeave()
        }
        let isKeptHere = localAdapter.whenSessionIsClaimed(id: id, on: loop) { timers.cancel(timer) }
        // The adapter may have stored it elsewhere.
        if !isKeptHere { timers.cancel(timer) }
    }
}

struct NamespaceHandlers {
    typealias Middleware = @Sendable (Socket) async throws -> Void
    enum Connect: Sendable {
        case sync(@Sendable (Socket) throws -> Void)
        case async(@Sendable (Socket) async throws -> Void)
    }

    var middleware: [Middleware] = []
    var connect: [Connect] = []
}
