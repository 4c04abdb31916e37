// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// The handlers of events that other processes send to a namespace of this one.
final class ServerSideEvents: Sendable {
    private struct State {
        var handlers: [Handler] = []
        /// The events whose handlers run.
        var running = 0
        /// The bytes of their arguments.
        var bytes = 0
        /// Whether events are being dropped; reported once, until half of the handlers have ended.
        var isOverloaded = false
    }

    /// Bounds of the events that are handled at the same time; a single event is always handled.
    struct Limits {
        let events: Int
        let bytes: Int
    }

    private enum Admission {
        case run([Handler])
        case ignore
        case drop(isFirst: Bool)
    }

    private let state = Mutex(State())
    private let encoder: PacketEncoder
    private let tasks: TaskRegistry
    private let limits: Limits
    private let dropped: SocketIOMetrics.Total
    /// One event loop for all, so that handlers start in the order of the events.
    private let executor: (any TaskExecutor)?
    private let onError: @Sendable (any Error, String) -> Void

    init(
        encoder: PacketEncoder,
        tasks: TaskRegistry,
        limits: Limits,
        dropped: SocketIOMetrics.Total,
        executor: (any TaskExecutor)?,
        onError: @escaping @Sendable (any Error, String) -> Void
    ) {
        self.encoder = encoder
        self.tasks = tasks
        self.limits = limits
        self.dropped = dropped
        self.executor = executor
        self.onError = onError
    }

    func add(_ handler: Handler) { state.withLock { $0.handlers.append(handler) } }

    func remove(_ id: HandlerID) {
        // Released after the access: objects that a handler has captured may call back when they are released.
        let before = state.withLock { state in
            defer { state.handlers.removeAll { $0.id == id } }
            return state.handlers
        }
        withExtendedLifetime(before) {}
    }

    /// Handles an event from another process.
    func receive(_ arguments: EventArguments, reply: (@Sendable (EventArguments) -> Void)?) {
        guard let name = try? arguments.decode(String.self, at: 0) else { return }
        let arguments = arguments.compacted()
        let size = arguments.byteCount
        switch admit(name, size) {
        case .ignore: return
        case .drop(let isFirst):
            dropped.increment()
            guard isFirst else { return }
            let message =
                "\(limits.events) server-side events or \(limits.bytes) bytes of them are being handled, further ones are dropped; "
                + "make their handlers faster or raise SocketIOConfiguration.limits.serverSideEvents or serverSideEventBytes"
            onError(SocketIOError(.tooManyServerSideEvents, message), name)
        case .run(let handlers):
            let event = SocketEvent(name: name, arguments: arguments.dropFirst())
            tasks.start(on: executor) { [self] in
                await run(handlers, event, reply)
                ended(size)
            }
        }
    }

    private func admit(_ name: String, _ size: Int) -> Admission {
        state.withLock { state in
            let handlers = state.handlers.filter { $0.name == name }
            guard !handlers.isEmpty else { return .ignore }
            guard state.running == 0 || state.running < limits.events && state.bytes + size <= limits.bytes else {
                defer { state.isOverloaded = true }
                return .drop(isFirst: !state.isOverloaded)
            }
            state.running += 1
            state.bytes += size
            return .run(handlers)
        }
    }

    private func ended(_ size: Int) {
        state.withLock { state in
            state.running -= 1
            state.bytes -= size
            if state.running <= limits.events / 2, state.bytes <= limits.bytes / 2 { state.isOverloaded = false }
        }
    }

    /// The first handler that does not fail answers.
    private func run(_ handlers: [Handler], _ event: SocketEvent, _ reply: (@Sendable (EventArguments) -> Void)?) async {
        var reply = reply
        for handler in handlers {
            do {
                let ack =
                    switch handler.body {
                    case .sync(let body): try body(event)
                    case .async(let body): try await body(event)
                    }
                guard let send = reply, let ack else { continue }
                reply = nil
                send(try encoder.arguments(ack.write))
            } catch {
                onError(error, event.name)
            }
        }
    }
}

extension BroadcastOperator {
    /// Sends an event to the other processes of the cluster, where `on` of their ``Namespace`` handles it. This process does not receive it.
    ///
    /// As ``emit(_:_:)``, this returns when the event has been accepted; with ``confirmed``, when the others are certain to receive it.
    ///
    /// - Throws: `EncodingError` if an argument cannot be encoded; errors of the adapter if other processes do not receive it.
    public func serverSideEmit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        let encoded = try encodeServerSide(event) { writer in repeat try writer.append(each arguments) }
        let isConfirmed = options.flags.confirmed || namespace.server.configuration.confirmsBroadcasts
        try await namespace.adapter.serverSideEmit(encoded, confirmed: isConfirmed)
    }

    /// Sends an event to the other processes of the cluster and collects their answers, one of each.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of an answer's first value.
    /// - Throws: As ``serverSideEmit(_:_:)``; ``SocketIOCore/IncompleteResponseError`` of `[R]` if nodes did not answer in time; it carries
    ///   the answers that arrived. See ``serverSideEmitWithAvailableAcks(_:_:as:)``.
    public func serverSideEmitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> [R] {
        do {
            return try await serverSideEmitWithAck(event, repeat each arguments).map { try $0.decode(type, at: 0) }
        } catch let error as IncompleteResponseError<[EventArguments]> {
            throw IncompleteResponseError(
                partial: error.partial.compactMap { try? $0.decode(type, at: 0) },
                missingNodes: error.missingNodes
            )
        }
    }

    /// Sends an event to the other processes of the cluster and collects their answers, still encoded.
    ///
    /// - Throws: As ``serverSideEmit(_:_:)``; ``SocketIOCore/IncompleteResponseError`` if nodes did not answer in time.
    public func serverSideEmitWithAck<each A: Encodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A
    ) async throws -> [EventArguments] {
        let encoded = try encodeServerSide(event) { writer in repeat try writer.append(each arguments) }
        return try await namespace.adapter.serverSideEmitWithAck(encoded, timeout: options.flags.timeout)
    }

    private func encodeServerSide(_ event: String, _ arguments: (inout ArgumentsWriter) throws -> Void) throws -> EventArguments {
        try namespace.encoder.arguments { writer in
            try writer.append(event)
            try arguments(&writer)
        }
    }

    /// Sends an event to the other processes of the cluster and collects the answers that arrive in time.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of an answer's first value.
    /// - Returns: The answers, and the ids of the nodes that did not answer.
    /// - Throws: As ``serverSideEmit(_:_:)``.
    public func serverSideEmitWithAvailableAcks<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> (responses: [R], missingNodes: [String]) {
        do {
            return (try await serverSideEmitWithAck(event, repeat each arguments, as: type), [])
        } catch let error as IncompleteResponseError<[R]> {
            return (error.partial, error.missingNodes)
        }
    }
}
