// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore

/// Passing events to their handlers. On the loop, except while a handler awaits something.
extension Socket {
    /// Handles or queues an event of the client.
    func receive(name: String, arguments: EventArguments, id: UInt64?) {
        guard bound.value.phase == .connected else { return }
        let event = SocketEvent(name: name, arguments: arguments, acknowledgement: id.map { Acknowledgement(socket: self, id: $0) })
        if bound.value.queue.isEmpty, !bound.value.isDraining, let handler = bound.value.handlers.loneHandler(named: name),
            handleAtOnce(event, handler)
        {
            return
        }
        enqueue(.event(event))
    }

    /// Handles an event immediately, given that none is queued, unless the next event has to wait for its handler.
    private func handleAtOnce(_ event: SocketEvent, _ handler: Handler) -> Bool {
        guard !namespace.server.configuration.handlersBlock else { return false }
        switch handler.body {
        case .sync(let body):
            if handler.isOnce { bound.value.handlers.remove(handler.id) }
            runInPlace(body, event)
        case .async:
            // Those that run once are serial.
            guard handler.mode == .concurrent else { return false }
            start(handler, event)
        }
        return true
    }

    /// Passes the acknowledgement of an event to its receiver.
    func receiveAcknowledgement(_ id: UInt64, _ arguments: EventArguments) {
        guard let pending = bound.value.takeAcknowledgement(id) else {
            namespace.server.metrics.lateAcknowledgements.increment()
            return
        }
        if let timer = pending.timer { namespace.server.context(of: eventLoop).timers.cancel(timer) }
        namespace.server.metrics.acknowledgementLatency.record(Duration.nanoseconds((eventLoop.now - pending.started).nanoseconds))
        pending.succeed(arguments)
    }

    /// Reports an event or an acknowledgement that is discarded because its arguments are nested too deeply. An event waits for its turn, so
    /// that clients cannot have errors reported faster than events handled.
    func receiveDiscarded(_ type: PacketType, event: String?, id: UInt64?, nesting limit: Int) {
        guard bound.value.phase == .connected else { return }
        guard type == .acknowledgement else { return enqueue(.discarded(event: event ?? "", nesting: limit)) }
        guard let pending = id.flatMap({ bound.value.takeAcknowledgement($0) }) else {
            namespace.server.metrics.lateAcknowledgements.increment()
            return
        }
        if let timer = pending.timer { namespace.server.context(of: eventLoop).timers.cancel(timer) }
        pending.fail(Self.tooDeep("the acknowledgement", limit))
    }

    private static func tooDeep(_ what: String, _ limit: Int) -> SocketIOError {
        SocketIOError(
            .unexpectedArguments,
            "\(what) was discarded: its arguments are nested more than \(limit) levels deep; let the client send flatter values"
        )
    }

    func enqueue(_ item: EventQueue.Item) {
        bound.value.queue.append(item)
        bound.value.client?.eventQueued(size: EventQueue.size(item))
        guard bound.value.phase == .connected else { return }
        guard !bound.value.isDraining else { return watchBacklog() }
        guard let client = bound.value.client.map({ LoopBound($0, to: eventLoop) }) else { return }
        bound.value.isDraining = true
        let task = namespace.server.startTask(on: eventLoop) { [self] in await drain(client) }
        // The task may have ended already.
        if bound.value.isDraining { bound.value.drain = task }
        // Its handler may have disconnected the socket before it suspended, when there was no task yet to cancel.
        if bound.value.phase == .disconnecting { task.cancel() }
    }

    private func runInPlace(_ body: @Sendable (SocketEvent) throws -> Ack?, _ event: SocketEvent) {
        do {
            try answer(event, with: body(event))
        } catch {
            report(error, event)
        }
    }

    /// Runs the connection's handlers before those of any event. The client has been sent its CONNECT packet.
    func startHandlers() {
        if !namespace.server.configuration.handlersBlock, namespace.runConnectHandlersInPlace(self) { return }
        enqueue(.connection)
    }

    /// Handles the queued events one after the other, until there are none.
    private func drain(_ client: LoopBound<Client>) async {
        while let item = await onLoop({ [self] in nextItem(client) }) {
            switch item {
            case .connection: await namespace.runConnectHandlers(self)
            case .event(let event): await handle(event)
            case .discarded(let event, let limit):
                namespace.server.errors.report(Self.tooDeep("the event", limit), from: .event, event: event, socket: self)
            }
        }
    }

    private func nextItem(_ client: LoopBound<Client>) -> EventQueue.Item? {
        guard bound.value.phase == .connected, let item = bound.value.queue.popFirst() else {
            bound.value.drain = nil
            bound.value.isDraining = false
            // The handler ran longer than its socket was connected, and was counted.
            if bound.value.phase == .disconnecting { client.value.eventTaken(size: 0) }
            return nil
        }
        bound.value.client?.eventTaken(size: EventQueue.size(item))
        switch item {
        case .connection: bound.value.currentEvent = "connection"
        case .event(let event): bound.value.currentEvent = event.name
        case .discarded(let event, _): bound.value.currentEvent = event
        }
        return item
    }

    /// An event waits behind a handler, which may never return.
    private func watchBacklog() {
        guard !bound.value.isWatched else { return }
        bound.value.isWatched = true
        namespace.server.context(of: eventLoop).standstills.add(self)
    }

    private func handle(_ event: SocketEvent) async {
        do {
            for middleware in await onLoop({ [self] in bound.value.handlers.middleware }) { try await middleware(event) }
        } catch {
            return report(error, event)
        }
        for handler in await onLoop({ [self] in bound.value.handlers.take(named: event.name) }) {
            if handler.mode == .concurrent {
                await onLoop { [self] in start(handler, event) }
            } else {
                await run(handler, event)
            }
        }
    }

    func run(_ handler: Handler, _ event: SocketEvent) async {
        do {
            switch handler.body {
            case .sync(let body): try answer(event, with: body(event))
            case .async(let body): try await answer(event, with: body(event))
            }
        } catch {
            report(error, event)
        }
    }

    private func answer(_ event: SocketEvent, with ack: Ack?) throws {
        if let ack, let acknowledgement = event.acknowledgement { try acknowledgement.send(ack) }
    }

    private func report(_ error: any Error, _ event: SocketEvent) {
        if let error = error as? AckError {
            // The client did not ask for an acknowledgement.
            guard let acknowledgement = event.acknowledgement else { return }
            do {
                return try acknowledgement.send(error.ack)
            } catch {
                return namespace.server.errors.report(error, from: .event, event: event.name, socket: self)
            }
        }
        // A handler that was cancelled because its client is disconnected has not failed.
        if error is CancellationError, !connected { return }
        namespace.server.errors.report(error, from: .event, event: event.name, socket: self)
    }

    /// Reports an error of code that belongs to the connection.
    func report(_ error: any Error, _ source: HandlerFailure.Source) {
        // Work that was cancelled because its client is disconnected has not failed.
        if error is CancellationError, !connected { return }
        namespace.server.errors.report(error, from: source, socket: self)
    }

    private func run(_ hooks: [ConnectionHooks.End], _ disconnection: Disconnection, _ source: HandlerFailure.Source) async {
        for hook in hooks {
            do { try await hook(disconnection) } catch { report(error, source) }
        }
    }

    /// Runs the hooks of the end. They count as a waiting event, so that a client cannot start any number of them by reconnecting.
    func run(_ hooks: ConnectionHooks, _ disconnection: Disconnection, of client: Client?) {
        // The hooks may still send to other sockets of the namespace.
        namespace.hold()
        let client = client.map { LoopBound($0, to: eventLoop) }
        client?.value.eventQueued(size: 0)
        namespace.server.tasks.start(on: namespace.server.hookExecutor(eventLoop)) { [self] in
            await run(hooks.disconnecting, disconnection, .disconnecting)
            await onLoop { [self] in bound.value.lastRooms = [] }
            await run(hooks.disconnected, disconnection, .disconnect)
            namespace.release()
            perform { client?.value.eventTaken(size: 0) }
        }
    }
}

extension Socket: EventBacklog {
    var progress: UInt64? { bound.value.queue.isEmpty || bound.value.phase != .connected ? nil : bound.value.queue.taken }

    func stoodStill() {
        let server = namespace.server
        server.metrics.standstills.increment()
        server.errors.stoodStill(event: bound.value.currentEvent, waiting: bound.value.queue.count, socket: id, namespace: namespace.name)
    }

    func watchEnded() { bound.value.isWatched = false }
}
