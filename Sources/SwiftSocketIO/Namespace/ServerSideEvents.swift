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
        /// Those that take every event.
        var listeners: [Handler] = []
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
    private let duplicates: SocketIOMetrics.Total
    /// One event loop for all, so that handlers start in the order of the events.
    private let executor: (any TaskExecutor)?
    private let onError: @Sendable (any Error, String) -> Void

    init(
        encoder: PacketEncoder,
        tasks: TaskRegistry,
        limits: Limits,
        dropped: SocketIOMetrics.Total,
        duplicates: SocketIOMetrics.Total,
        executor: (any TaskExecutor)?,
        onError: @escaping @Sendable (any Error, String) -> Void
    ) {
        self.encoder = encoder
        self.tasks = tasks
        self.limits = limits
        self.dropped = dropped
        self.duplicates = duplicates
        self.executor = executor
        self.onError = onError
    }

    func add(_ handler: Handler) { state.withLock { $0.handlers.append(handler) } }

    func add(listener: Handler) { state.withLock { $0.listeners.append(listener) } }

    func remove(_ id: HandlerID) {
        remove(handlers: { $0.id == id })
        remove(listeners: { $0.id == id })
    }

    func remove(handlers matches: (Handler) -> Bool) {
        // Released after the access: objects that a handler has captured may call back when they are released.
        let before = state.withLock { state in
            defer { state.handlers.removeAll(where: matches) }
            return state.handlers
        }
        withExtendedLifetime(before) {}
    }

    func remove(listeners matches: (Handler) -> Bool) {
        let before = state.withLock { state in
            defer { state.listeners.removeAll(where: matches) }
            return state.listeners
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
            let answer = reply.map { ServerSideReply(encoder: encoder, duplicates: duplicates, send: $0) }
            let event = SocketEvent(name: name, arguments: arguments.dropFirst(), acknowledgement: answer.map { Acknowledgement($0) })
            tasks.start(on: executor) { [self] in
                await run(handlers, event)
                ended(size)
            }
        }
    }

    private func admit(_ name: String, _ size: Int) -> Admission {
        state.withLock { state in
            let handlers = state.listeners + state.handlers.filter { $0.name == name }
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
    private func run(_ handlers: [Handler], _ event: SocketEvent) async {
        var isAnswered = false
        for handler in handlers {
            do {
                var ack: Ack?
                do {
                    switch handler.body {
                    case .sync(let body): ack = try body(event)
                    case .async(let body): ack = try await body(event)
                    }
                } catch let error as AckError {
                    ack = error.ack
                }
                guard !isAnswered, let ack, let acknowledgement = event.acknowledgement else { continue }
                try acknowledgement.send(ack)
                isAnswered = true
            } catch {
                onError(error, event.name)
            }
        }
    }
}
