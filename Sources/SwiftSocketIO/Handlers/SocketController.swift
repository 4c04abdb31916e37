// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An object that handles the events of a namespace's clients, so that a large application needs no large closure.
///
/// ```swift
/// struct ChatController: SocketController {
///     let messages: MessageStore
///
///     func register(on socket: Socket) async {
///         await socket.join("lobby")
///         socket.on("message", message)
///     }
///
///     func message(_ socket: Socket, _ text: String) async throws -> Int {
///         let id = try await messages.save(text)
///         try await socket.to("lobby").emit("message", text)
///         return id
///     }
/// }
///
/// io.of("/chat").register(ChatController(messages: store))
/// ```
///
/// Add a controller with `register` of ``Namespace``, ``ParentNamespace`` or ``SocketIOServer``, which call both methods below. One controller
/// serves all clients. State that belongs to a client is in ``Socket/data``, or in an object that ``register(on:)-(Socket)`` creates.
///
/// A structure, a final class and an actor can be a controller, also on a global actor such as the main actor. Methods of an actor that handle
/// events must be `async`. A controller on a global actor declares ``register(on:)-(Namespace)``, if it has one, as `nonisolated`.
public protocol SocketController: Sendable {
    /// Registers middleware and handlers on a namespace. Called once, when the controller is added; for dynamic namespaces once for each child.
    ///
    /// Default: registers nothing.
    ///
    /// - Parameter namespace: The namespace that the controller has been added to.
    func register(on namespace: Namespace)

    /// Registers handlers on a client that connects. Called before the client's first event is handled.
    ///
    /// Default: registers nothing. An error goes to ``SocketIOServer/onError(_:)``; the client stays connected with what has been registered
    /// until then.
    ///
    /// - Parameter socket: The client's socket.
    func register(on socket: Socket) async throws
}

extension SocketController {
    /// Registers nothing.
    public func register(on namespace: Namespace) {}

    /// Registers nothing.
    public func register(on socket: Socket) async throws {}
}
