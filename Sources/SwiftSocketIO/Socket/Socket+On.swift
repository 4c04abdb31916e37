// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore

/// Registering handlers for events of the client.
///
/// A handler is a closure, a function or a method. Its parameters are the event's arguments, each `Decodable`; its result is the
/// acknowledgement. Give the parameters of a closure their types: without, `{ event in … }` and `{ socket, event in … }` take a
/// ``SocketEvent``, with its arguments undecoded. A result that is not `Encodable` is ignored.
///
/// A handler without `await` runs in place on the event loop; others run in a task there. Both delay only events of their own client, but a
/// handler that blocks its thread stalls all clients of the event loop: use ``SocketIOConfiguration/handlersBlock`` for such code.
///
/// A handler for an event that no client can send, such as `disconnect`, is an error in the log, and a failed assertion in a debug build.
extension Socket {
    // The mode has no default value: with one, functions and methods could not be passed as handlers without naming it.

    /// Handles an event; the result is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> R
    ) -> HandlerID {
        add(event, .serial, .typed(handler))
    }

    /// Handles an event; a client that asked for an acknowledgement receives an empty one when the handler returns.
    @discardableResult
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .typed(handler))
    }

    /// Handles an event in place; the result is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> HandlerID {
        add(event, .serial, .typed(handler))
    }

    /// Handles an event in place; a client that asked for an acknowledgement receives an empty one when the handler returns.
    @discardableResult
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .typed(handler))
    }

    /// Handles an event on the main actor; the result is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (repeat each A) throws -> R
    ) -> HandlerID {
        add(event, .serial, .onMainActor(handler))
    }

    /// Handles an event on the main actor; the acknowledgement is empty.
    @discardableResult
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (repeat each A) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .onMainActor(handler))
    }

    /// Handles an event with the mode of your choice; the result is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ mode: HandlerMode,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> R
    ) -> HandlerID {
        add(event, mode, .typed(handler))
    }

    /// Handles an event with the mode of your choice; the acknowledgement is empty.
    @discardableResult
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ mode: HandlerMode,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> Void
    ) -> HandlerID {
        add(event, mode, .typed(handler))
    }

    // MARK: With the socket as first parameter

    // Disfavored, because a closure with one parameter without a type takes a `SocketEvent`.

    /// Handles an event with a function that takes the socket first, then the arguments; the result is the acknowledgement.
    @discardableResult
    @_disfavoredOverload
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> R
    ) -> HandlerID {
        add(event, .serial, .typed(for: self, handler))
    }

    /// Handles an event with a function that takes the socket first, then the arguments; the acknowledgement is empty.
    @discardableResult
    @_disfavoredOverload
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .typed(for: self, handler))
    }

    /// Handles an event with the mode of your choice, and a function that takes the socket first, then the arguments.
    @discardableResult
    @_disfavoredOverload
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ mode: HandlerMode,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> R
    ) -> HandlerID {
        add(event, mode, .typed(for: self, handler))
    }

    /// Handles an event with the mode of your choice, and a function that takes the socket first, then the arguments.
    @discardableResult
    @_disfavoredOverload
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ mode: HandlerMode,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> Void
    ) -> HandlerID {
        add(event, mode, .typed(for: self, handler))
    }

    // MARK: Undecoded

    /// Handles an event with its arguments undecoded. The handler acknowledges through
    /// ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        _ handler: @escaping @Sendable (SocketEvent) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(handler))
    }

    /// Handles an event in place with its arguments undecoded. The handler acknowledges through
    /// ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        _ handler: @escaping @Sendable (SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(handler))
    }

    /// Handles an event on the main actor with its arguments undecoded. The handler acknowledges through
    /// ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw { try await handler($0) })
    }

    /// Handles an event with the mode of your choice and its arguments undecoded. The handler acknowledges through
    /// ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        _ mode: HandlerMode,
        _ handler: @escaping @Sendable (SocketEvent) async throws -> Void
    ) -> HandlerID {
        add(event, mode, .raw(handler))
    }

    // MARK: Undecoded, with the socket as first parameter

    /// Handles an event with a function that takes the socket, and the event with its arguments undecoded. The handler acknowledges through
    /// ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        _ handler: @escaping @Sendable (Socket, SocketEvent) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(for: self, handler))
    }

    /// Handles an event in place, with a function that takes the socket, and the event with its arguments undecoded. The handler acknowledges
    /// through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        _ handler: @escaping @Sendable (Socket, SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(for: self, handler))
    }

    /// Handles an event on the main actor, with a function that takes the socket, and the event with its arguments undecoded. The handler
    /// acknowledges through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (Socket, SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(for: self) { try await handler($0, $1) })
    }

    /// Handles an event with the mode of your choice, and a function that takes the socket, and the event with its arguments undecoded. The
    /// handler acknowledges through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func on(
        _ event: String,
        _ mode: HandlerMode,
        _ handler: @escaping @Sendable (Socket, SocketEvent) async throws -> Void
    ) -> HandlerID {
        add(event, mode, .raw(for: self, handler))
    }
}
