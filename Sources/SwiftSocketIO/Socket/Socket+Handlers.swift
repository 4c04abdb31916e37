// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore

/// Removing handlers, listening to all events, hooks and tasks.
extension Socket {
    /// Removes a handler, listener or catch-all of this socket.
    public func off(_ id: HandlerID) { remove { $0.remove(id) } }

    /// Removes all handlers of an event.
    public func off(_ event: String) { remove { $0.removeAll(named: event) } }

    /// Removes all handlers of all events, but not the catch-all listeners.
    public func removeAllListeners() {
        remove { table in
            for name in table.names { table.removeAll(named: name) }
        }
    }

    /// The names of the events that have handlers.
    public var eventNames: [String] { get async { await onLoop { [self] in bound.value.handlers.names } } }

    // MARK: Catch-all listeners

    /// Listens to every event, before its handlers.
    @discardableResult
    public func onAny(_ listener: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerID {
        let handler = makeHandler("", .serial, .raw(listener))
        change { $0.any.append(handler) }
        return handler.id
    }

    /// Listens to every event, before the existing listeners.
    @discardableResult
    public func prependAny(_ listener: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerID {
        let handler = makeHandler("", .serial, .raw(listener))
        change { $0.any.insert(handler, at: 0) }
        return handler.id
    }

    /// Removes a catch-all listener, or all of them.
    public func offAny(_ id: HandlerID? = nil) {
        remove { table in table.any.removeAll { id == nil || $0.id == id } }
    }

    /// The number of catch-all listeners.
    public var listenersAnyCount: Int { get async { await onLoop { [self] in bound.value.handlers.any.count } } }

    /// Listens to every event that is sent to the client, broadcasts included. Runs in place, on the socket's event loop.
    @discardableResult
    public func onAnyOutgoing(_ listener: @escaping @Sendable (SocketEvent) -> Void) -> HandlerID {
        let handler = makeHandler("", .serial, .raw(listener))
        change { $0.anyOutgoing.append(handler) }
        return handler.id
    }

    /// Listens to every event that is sent to the client, before the existing listeners.
    @discardableResult
    public func prependAnyOutgoing(_ listener: @escaping @Sendable (SocketEvent) -> Void) -> HandlerID {
        let handler = makeHandler("", .serial, .raw(listener))
        change { $0.anyOutgoing.insert(handler, at: 0) }
        return handler.id
    }

    /// Removes a listener for outgoing events, or all of them.
    public func offAnyOutgoing(_ id: HandlerID? = nil) {
        remove { table in table.anyOutgoing.removeAll { id == nil || $0.id == id } }
    }

    /// The number of listeners for outgoing events.
    public var listenersAnyOutgoingCount: Int { get async { await onLoop { [self] in bound.value.handlers.anyOutgoing.count } } }

    /// Adds middleware that runs for every event before its handlers. If it throws, the handlers are not called, and the error goes to the
    /// server's error hook.
    public func use(_ middleware: @escaping @Sendable (SocketEvent) async throws -> Void) {
        change { $0.middleware.append(middleware) }
    }

    // MARK: The end

    /// Adds a hook that is called when the socket is being disconnected, while ``rooms`` still has the rooms that it was in. Its errors go to
    /// ``SocketIOServer/onError(_:)``; further hooks are called all the same.
    public func onDisconnecting(_ hook: @escaping @Sendable (Disconnection) async throws -> Void) {
        changeHooks { $0.disconnecting.append(hook) }
    }

    /// Adds a hook that is called when the socket has been disconnected. Its errors go to ``SocketIOServer/onError(_:)``; further hooks are
    /// called all the same.
    public func onDisconnect(_ hook: @escaping @Sendable (Disconnection) async throws -> Void) {
        changeHooks { $0.disconnected.append(hook) }
    }

    func changeHooks(_ body: @escaping @Sendable (inout ConnectionHooks) -> Void) {
        perform { [self] in
            guard bound.value.phase != .disconnecting else { return }
            var hooks = bound.value.hooks?.hooks ?? ConnectionHooks()
            body(&hooks)
            bound.value.hooks = ConnectionHooks.Box(hooks)
        }
    }

    // MARK: Tasks

    /// Runs work that belongs to the connection, such as a periodic message. It is cancelled when the socket is disconnected.
    ///
    /// The number of tasks is not limited: do not start one for every event, since clients send as many as they like. Handlers that are
    /// ``HandlerMode/concurrent`` do the same within ``SocketIOConfiguration/Limits/eventQueue``.
    ///
    /// - Parameter body: The work. An error ends it and goes to ``SocketIOServer/onError(_:)``, except for `CancellationError` once the socket is
    ///   disconnected.
    public func addTask(_ body: @escaping @Sendable () async throws -> Void) {
        perform { [self] in
            guard bound.value.phase != .disconnecting else { return }
            start { [self] in
                do { try await body() } catch { report(error, .task) }
            }
        }
    }

    /// Starts a task that the socket owns. On the loop.
    func start(_ body: @escaping @Sendable () async -> Void) {
        let id = bound.value.taskStarts()
        let task = namespace.server.startTask(on: eventLoop) { [self] in
            await body()
            perform { [self] in bound.value.taskEnded(id) }
        }
        bound.value.keep(task, id: id)
        // The work may have disconnected the socket before it suspended, when there was no task yet to cancel.
        if bound.value.phase == .disconnecting { task.cancel() }
    }

    /// Starts a handler that the next event does not wait for. Until it ends, its event counts as waiting, so that a client cannot start any
    /// number of handlers. On the loop.
    func start(_ handler: Handler, _ event: SocketEvent) {
        guard bound.value.phase == .connected, let client = bound.value.client else { return }
        let size = EventQueue.size(.event(event))
        let flow = LoopBound(client, to: eventLoop)
        client.eventQueued(size: size)
        // That may have exceeded the limit and closed the connection.
        guard bound.value.phase == .connected else { return }
        start { [self] in
            await run(handler, event)
            perform { flow.value.eventTaken(size: size) }
        }
    }

    // MARK: Registration

    private func makeHandler(_ name: String, _ mode: HandlerMode, _ body: HandlerBody, once: Bool = false) -> Handler {
        Handler(id: namespace.server.nextHandlerID(), name: name, body: body, mode: mode, isOnce: once)
    }

    func add(_ name: String, _ mode: HandlerMode, _ body: HandlerBody, once: Bool = false) -> HandlerID {
        let limit = namespace.server.configuration.limits.eventNameBytes
        if let problem = UncallableHandler.problem(ofEvent: name, limit: limit) {
            namespace.server.errors.uncallable(problem, event: name, in: namespace.name)
        }
        let handler = makeHandler(name, mode, body, once: once)
        // Mostly called on the loop, a dozen times for every connection.
        if eventLoop.inEventLoop { bound.value.add(handler) } else { eventLoop.execute { [self] in bound.value.add(handler) } }
        return handler.id
    }

    private func change(_ body: @escaping @Sendable (inout HandlerTable) -> Void) {
        perform { [self] in
            guard bound.value.phase != .disconnecting else { return }
            body(&bound.value.handlers)
            bound.value.updateOpenSession()
        }
    }

    private func remove(_ body: @escaping @Sendable (inout HandlerTable) -> Void) {
        perform { [self] in
            // Released after the access: objects that a handler has captured may call the socket when they are released.
            let before = bound.value.handlers
            withExtendedLifetime(before) {
                guard bound.value.phase != .disconnecting else { return }
                body(&bound.value.handlers)
                bound.value.updateOpenSession()
            }
        }
    }
}
