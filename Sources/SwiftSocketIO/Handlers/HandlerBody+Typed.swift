// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore

/// Reads the arguments of an event one after the other.
@usableFromInline
struct ArgumentCursor {
    private let arguments: EventArguments
    private var position = 0

    init(_ event: SocketEvent) { self.arguments = event.arguments }

    mutating func next<T: Decodable>(_ type: T.Type) throws -> T {
        defer { position += 1 }
        do {
            return try arguments.decode(type, at: position)
        } catch {
            throw SocketIOError(.unexpectedArguments, "argument \(position) is not of type \(type)", cause: error)
        }
    }
}

// `@concurrent` on the handlers' types, here and where they are public: without it the compiler of Swift 6.3 crashes on every async closure
// that is passed to a function type with a parameter pack, if it is `nonisolated(nonsending)` by default. It costs no hop: the task
// prefers the loop's executor.
extension HandlerBody {
    static func typed<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> R
    ) -> HandlerBody {
        .async { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            return acknowledgement(try await handler(repeat each arguments))
        }
    }

    static func typed<each A: Decodable & Sendable>(_ handler: @escaping @Sendable @concurrent (repeat each A) async throws -> Void)
        -> HandlerBody
    {
        .async { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            try await handler(repeat each arguments)
            return Ack()
        }
    }

    static func typed<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> HandlerBody {
        .sync { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            return acknowledgement(try handler(repeat each arguments))
        }
    }

    static func typed<each A: Decodable & Sendable>(_ handler: @escaping @Sendable (repeat each A) throws -> Void) -> HandlerBody {
        .sync { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            try handler(repeat each arguments)
            return Ack()
        }
    }

    /// The handler's first parameter is the socket.
    static func typed<each A: Decodable & Sendable, R: Encodable & Sendable>(
        for socket: Socket,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> R
    ) -> HandlerBody {
        .async { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            return acknowledgement(try await handler(socket, repeat each arguments))
        }
    }

    /// The handler's first parameter is the socket.
    static func typed<each A: Decodable & Sendable>(
        for socket: Socket,
        _ handler: @escaping @Sendable @concurrent (Socket, repeat each A) async throws -> Void
    ) -> HandlerBody {
        .async { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            try await handler(socket, repeat each arguments)
            return Ack()
        }
    }

    static func onMainActor<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ handler: @escaping @MainActor @Sendable (repeat each A) throws -> R
    ) -> HandlerBody {
        .async { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            return acknowledgement(try await handler(repeat each arguments))
        }
    }

    static func onMainActor<each A: Decodable & Sendable>(_ handler: @escaping @MainActor @Sendable (repeat each A) throws -> Void)
        -> HandlerBody
    {
        .async { event in
            var cursor = ArgumentCursor(event)
            let arguments = (repeat try cursor.next((each A).self))
            try await handler(repeat each arguments)
            return Ack()
        }
    }

    /// The handler takes the event undecoded, and acknowledges it itself.
    static func raw(_ handler: @escaping @Sendable (SocketEvent) async throws -> Void) -> HandlerBody {
        .async { event in
            try await handler(event)
            return nil
        }
    }

    /// The handler takes the event undecoded, and acknowledges it itself.
    static func raw(_ handler: @escaping @Sendable (SocketEvent) throws -> Void) -> HandlerBody {
        .sync { event in
            try handler(event)
            return nil
        }
    }

    /// The handler takes the socket and the event, and acknowledges it itself.
    static func raw(for socket: Socket, _ handler: @escaping @Sendable (Socket, SocketEvent) async throws -> Void) -> HandlerBody {
        .async { event in
            try await handler(socket, event)
            return nil
        }
    }

    /// The handler takes the socket and the event, and acknowledges it itself.
    static func raw(for socket: Socket, _ handler: @escaping @Sendable (Socket, SocketEvent) throws -> Void) -> HandlerBody {
        .sync { event in
            try handler(socket, event)
            return nil
        }
    }

    private static func acknowledgement<R: Encodable & Sendable>(_ result: R) -> Ack {
        // A cast that fails takes longer than everything else here, so the type is checked first.
        guard R.self == Ack.self || R.self == Ack?.self, let ack = result as? Ack else { return Ack(value: result) }
        return ack
    }
}
