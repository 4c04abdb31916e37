// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Shorthands for the main namespace, `/`.
extension SocketIOServer {
    /// The main namespace, `/`.
    public var sockets: Namespace { of("/") }

    /// Adds middleware to the main namespace; see ``Namespace/use(_:)``.
    public func use(_ middleware: @escaping @Sendable (Socket) async throws -> Void) { sockets.use(middleware) }

    /// Adds a handler that is called for every client that connects to the main namespace; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) async -> Void) { sockets.onConnect(handler) }

    /// Adds a handler that is called in place for every client that connects to the main namespace; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) -> Void) { sockets.onConnect(handler) }

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

    /// Removes a handler of server-side events of the main namespace.
    public func off(_ id: HandlerID) { sockets.off(id) }
}
