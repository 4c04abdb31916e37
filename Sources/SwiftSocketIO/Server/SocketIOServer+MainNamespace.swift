// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Shorthands for the main namespace, `/`.
extension SocketIOServer {
    /// The main namespace, `/`.
    public var sockets: Namespace { of("/") }

    /// Adds middleware to the main namespace; see ``Namespace/use(_:)``.
    public func use(_ middleware: @escaping @Sendable (Socket) async throws -> Void) { sockets.use(middleware) }

    /// Adds a handler that is called for every client that connects to the main namespace; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) async throws -> Void) { sockets.onConnect(handler) }

    /// Adds a handler that is called in place for every client that connects to the main namespace; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) throws -> Void) { sockets.onConnect(handler) }

    /// Adds a handler that is called on the main actor for every client that connects to the main namespace.
    public func onConnect(isolation: MainActor = .shared, _ handler: @escaping @MainActor @Sendable (Socket) throws -> Void) {
        sockets.onConnect(handler)
    }

    /// Adds a controller to the main namespace; see ``Namespace/register(_:)``.
    public func register(_ controller: some SocketController) { sockets.register(controller) }

    /// Handles an event that another process sends to the main namespace; see `on` of ``Namespace``.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> R
    ) -> HandlerID {
        sockets.on(event, handler)
    }

    /// Handles an event that another process sends to the main namespace; see `on` of ``Namespace``.
    @discardableResult
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> Void
    ) -> HandlerID {
        sockets.on(event, handler)
    }

    /// Handles an event of another process with its arguments undecoded; see `on` of ``Namespace``.
    @discardableResult
    public func on(_ event: String, _ handler: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerID {
        sockets.on(event, handler)
    }

    /// A connection is not an event of another server: use `onConnect`.
    @available(*, unavailable, message: "connections are handled by onConnect { socket in … }")
    public func on(_ event: String, _ handler: @escaping @Sendable (Socket) async throws -> Void) {}

    /// Removes a handler or listener of server-side events of the main namespace.
    public func off(_ id: HandlerID) { sockets.off(id) }

    /// Removes all handlers of a server-side event of the main namespace.
    public func off(_ event: String) { sockets.off(event) }

    /// Listens to every event that another process sends to the main namespace; see ``Namespace/onAny(_:)``.
    @discardableResult
    public func onAny(_ listener: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerID { sockets.onAny(listener) }

    /// Removes a listener of all server-side events of the main namespace, or all of them.
    public func offAny(_ id: HandlerID? = nil) { sockets.offAny(id) }
}
