// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText
import Synchronization

/// Middleware, and the handlers of connections and of events of other servers.
extension Namespace {
    /// Adds middleware, which runs for every client before it is connected, in the order of registration.
    ///
    /// An error refuses the client: with a ``ConnectError`` the client receives its message and data; any other error goes to
    /// ``SocketIOServer/onError(_:)``, and the client only receives a general message. Events that are sent to the socket meanwhile are dropped.
    /// Middleware does not run for recovered sessions unless ``ConnectionStateRecovery/skipMiddlewares`` is false.
    public func use(_ middleware: @escaping @Sendable (Socket) async throws -> Void) {
        handlers.withLock { $0.middleware.append(middleware) }
    }

    /// Adds a handler that is called for every client that connects, before its first event is handled.
    ///
    /// Its errors go to ``SocketIOServer/onError(_:)``; the client stays connected, and further handlers are called all the same.
    public func onConnect(_ handler: @escaping @Sendable (Socket) async throws -> Void) {
        handlers.withLock { $0.connect.append(.async(handler)) }
    }

    /// Adds a handler that is called for every client that connects, in place on its event loop, before its first event is handled.
    ///
    /// Its errors go to ``SocketIOServer/onError(_:)``; the client stays connected, and further handlers are called all the same.
    public func onConnect(_ handler: @escaping @Sendable (Socket) throws -> Void) {
        handlers.withLock { $0.connect.append(.sync(handler)) }
    }

    /// Adds a handler that is called on the main actor for every client that connects, before its first event is handled.
    public func onConnect(isolation: MainActor = .shared, _ handler: @escaping @MainActor @Sendable (Socket) throws -> Void) {
        handlers.withLock { $0.connect.append(.async { try await handler($0) }) }
    }

    /// Adds a controller, which registers what it handles on this namespace now and on every client that connects.
    ///
    /// - Parameter controller: The controller; the namespace keeps it.
    public func register(_ controller: some SocketController) {
        controller.register(on: self)
        onConnect { socket in try await controller.register(on: socket) }
    }

    // MARK: Events of other servers

    /// Handles an event that another process sends with ``BroadcastOperator/serverSideEmit(_:_:)``. The result is the answer.
    ///
    /// Handlers start in the order in which the events arrive, and events do not wait for each other. Several handlers of one event run one
    /// after the other, and the first that does not fail answers. As for events of clients, an ``AckError`` is an answer.
    ///
    /// Connections are not events of servers: a handler for `connection` is an error in the log, and a failed assertion in a debug build.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> R
    ) -> HandlerID {
        addServerSideHandler(event, .typed(handler))
    }

    /// Handles an event that another process sends with ``BroadcastOperator/serverSideEmit(_:_:)``. The answer is empty;
    /// otherwise it behaves as a handler with a result.
    @discardableResult
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> Void
    ) -> HandlerID {
        addServerSideHandler(event, .typed(handler))
    }

    /// Handles an event of another process with its arguments undecoded. The handler answers through ``SocketEvent/acknowledgement``, which is
    /// nil if the other process did not ask for an answer.
    @discardableResult
    public func on(_ event: String, _ handler: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerID {
        addServerSideHandler(event, .raw(handler))
    }

    /// A connection is not an event of another server: use `onConnect`.
    @available(*, unavailable, message: "connections are handled by onConnect { socket in … }")
    public func on(_ event: String, _ handler: @escaping @Sendable (Socket) async throws -> Void) {}

    /// Removes a handler or listener of server-side events.
    public func off(_ id: HandlerID) { serverSideEvents.remove(id) }

    /// Removes all handlers of a server-side event.
    public func off(_ event: String) { serverSideEvents.remove(handlers: { $0.name == event }) }

    /// Listens to every event that another process sends to the namespace, before its handlers.
    @discardableResult
    public func onAny(_ listener: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerID {
        let handler = Handler(id: server.nextHandlerID(), name: "", body: .raw(listener), mode: .concurrent, isOnce: false)
        serverSideEvents.add(listener: handler)
        return handler.id
    }

    /// Removes a listener of all server-side events, or all of them.
    public func offAny(_ id: HandlerID? = nil) { serverSideEvents.remove(listeners: { id == nil || $0.id == id }) }

    private func addServerSideHandler(_ event: String, _ body: HandlerBody) -> HandlerID {
        if let problem = UncallableHandler.problem(ofServerSideEvent: event) { server.errors.uncallable(problem, event: event, in: name) }
        let handler = Handler(id: server.nextHandlerID(), name: event, body: body, mode: .concurrent, isOnce: false)
        serverSideEvents.add(handler)
        return handler.id
    }

    // MARK: Running

    private var allMiddleware: [NamespaceHandlers.Middleware] {
        (parent?.middleware ?? []) + handlers.withLock { $0.middleware }
    }

    private var connectHandlers: [NamespaceHandlers.Connect] {
        (parent?.connectHandlers ?? []) + handlers.withLock { $0.connect }
    }

    /// Whether a client can join without awaiting anything.
    func connectsAtOnce(_ auth: EncodedValue?) -> Bool {
        isStarted.load(ordering: .acquiring) && allMiddleware.isEmpty
            && (server.configuration.connectionStateRecovery == nil || auth == nil)
    }

    func runMiddleware(_ socket: Socket) async throws {
        for middleware in allMiddleware {
            try Task.checkCancellation()
            try await middleware(socket)
        }
    }

    /// Runs the handlers if none of them has to be awaited, and returns whether it did.
    func runConnectHandlersInPlace(_ socket: Socket) -> Bool {
        let handlers = connectHandlers
        for handler in handlers { if case .async = handler { return false } }
        for handler in handlers {
            guard case .sync(let body) = handler else { continue }
            do { try body(socket) } catch { socket.report(error, .connect) }
        }
        return true
    }

    func runConnectHandlers(_ socket: Socket) async {
        for handler in connectHandlers {
            do {
                switch handler {
                case .sync(let body): try body(socket)
                case .async(let body): try await body(socket)
                }
            } catch {
                socket.report(error, .connect)
            }
        }
    }
}
