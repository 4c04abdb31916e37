// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore

/// Handling only the next event of a name. The handlers are those of `on`; they are ``HandlerMode/serial``.
extension Socket {
    /// Handles only the next event of this name; the result is the acknowledgement.
    @discardableResult
    public func once<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> R
    ) -> HandlerID {
        add(event, .serial, .typed(handler), once: true)
    }

    /// Handles only the next event of this name; the acknowledgement is empty.
    @discardableResult
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .typed(handler), once: true)
    }

    /// Handles only the next event of this name, in place; the result is the acknowledgement.
    @discardableResult
    public func once<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> HandlerID {
        add(event, .serial, .typed(handler), once: true)
    }

    /// Handles only the next event of this name, in place; the acknowledgement is empty.
    @discardableResult
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .typed(handler), once: true)
    }

    /// Handles only the next event of this name, on the main actor; the result is the acknowledgement.
    @discardableResult
    public func once<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (repeat each A) throws -> R
    ) -> HandlerID {
        add(event, .serial, .onMainActor(handler), once: true)
    }

    /// Handles only the next event of this name, on the main actor; the acknowledgement is empty.
    @discardableResult
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (repeat each A) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .onMainActor(handler), once: true)
    }

    /// Handles only the next event of this name, with a function that takes the socket first, then the arguments.
    @discardableResult
    @_disfavoredOverload
    public func once<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> R
    ) -> HandlerID {
        add(event, .serial, .typed(for: self, handler), once: true)
    }

    /// Handles only the next event of this name, with a function that takes the socket first, then the arguments.
    @discardableResult
    @_disfavoredOverload
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .typed(for: self, handler), once: true)
    }

    /// Handles only the next event of this name, with its arguments undecoded. The handler acknowledges through
    /// ``SocketEvent/acknowledgement``.
    @discardableResult
    public func once(
        _ event: String,
        _ handler: @escaping @Sendable (SocketEvent) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(handler), once: true)
    }

    /// Handles only the next event of this name, in place, with its arguments undecoded. The handler acknowledges
    /// through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func once(
        _ event: String,
        _ handler: @escaping @Sendable (SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(handler), once: true)
    }

    /// Handles only the next event of this name, on the main actor, with its arguments undecoded. The handler
    /// acknowledges through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func once(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw { try await handler($0) }, once: true)
    }

    /// Handles only the next event of this name, with a function that takes the socket, and the event with its arguments undecoded. The handler
    /// acknowledges through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func once(
        _ event: String,
        _ handler: @escaping @Sendable (Socket, SocketEvent) async throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(for: self, handler), once: true)
    }

    /// Handles only the next event of this name, in place, with a function that takes the socket, and the event with its arguments undecoded.
    /// The handler acknowledges through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func once(
        _ event: String,
        _ handler: @escaping @Sendable (Socket, SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(for: self, handler), once: true)
    }

    /// Handles only the next event of this name, on the main actor, with a function that takes the socket, and the event with its arguments
    /// undecoded. The handler acknowledges through ``SocketEvent/acknowledgement``.
    @discardableResult
    public func once(
        _ event: String,
        isolation: MainActor = .shared,
        _ handler: @escaping @MainActor @Sendable (Socket, SocketEvent) throws -> Void
    ) -> HandlerID {
        add(event, .serial, .raw(for: self) { try await handler($0, $1) }, once: true)
    }
}
