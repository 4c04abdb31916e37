// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import SocketIOConcurrency
import SocketIOCore
public import SocketIOText

/// The state of a socket that only its event loop uses.
final class SocketState {
    enum Phase {
        /// Middleware runs.
        case connecting
        case connected
        /// Its hooks run; no more events are sent or handled.
        case disconnecting
    }

    /// An acknowledgement that the server waits for.
    struct PendingAcknowledgement {
        enum Receiver {
            case single(CheckedContinuation<EventArguments, any Error>)
            case broadcast(AcknowledgementSink)
        }

        var receiver: Receiver
        var timer: LoopTimers.ID?
        let started: NIODeadline

        func succeed(_ arguments: EventArguments) {
            switch receiver {
            case .single(let continuation): continuation.resume(returning: arguments)
            case .broadcast(let sink): sink.receive(arguments)
            }
        }

        func fail(_ error: SocketIOError) {
            switch receiver {
            case .single(let continuation): continuation.resume(throwing: error)
            case .broadcast(let sink): sink.clientIsGone()
            }
        }
    }

    /// Out of line, as most servers do not use recovery.
    final class Recovery {
        var buffer: RecoveryBuffer
        init(_ buffer: RecoveryBuffer) { self.buffer = buffer }
    }

    /// nil once the socket is disconnected.
    @exclusivity(unchecked) private(set) var client: Client?
    /// The session that an event can be sent to without further work; nil if there is any. A broadcast reads it from every socket.
    ///
    /// Every message uses this property and others here, which are not checked for overlapping accesses for the same reason as those of
    /// `EngineSession`.
    @exclusivity(unchecked) private(set) var openSession: EngineSession?
    @exclusivity(unchecked) var phase = Phase.connecting { didSet { updateOpenSession() } }
    var handlers = HandlerTable()
    @exclusivity(unchecked) var queue = EventQueue()
    /// Runs the handlers of the queued events; exists only while there are any.
    var drain: Task<Void, Never>?
    @exclusivity(unchecked) var isDraining = false
    /// Concurrent handlers, and the application's own tasks.
    private var tasks: [UInt64: Task<Void, Never>?] = [:]
    private var lastTask: UInt64 = 0
    private var acknowledgements: [UInt64: PendingAcknowledgement] = [:]
    /// The events that the client may have missed, if its session can be recovered.
    @exclusivity(unchecked) var recovery: Recovery? { didSet { updateOpenSession() } }
    /// Events for a session that is still moving here from elsewhere; not nil either if the client has been disconnected meanwhile.
    var held: [BroadcastPacket]? { didSet { updateOpenSession() } }
    /// The rooms joined before the socket was connected; once it is disconnected, the rooms that it was in.
    var lastRooms: NameSet = []
    var hooks: ConnectionHooks.Box?

    init(client: Client) {
        self.client = client
    }

    /// Must be called after every change of the listeners for outgoing events.
    func updateOpenSession() {
        let isPlain = phase == .connected && held == nil && recovery == nil && handlers.anyOutgoing.isEmpty
        openSession = isPlain ? client?.session : nil
    }

    /// Adds a handler for an event, unless the socket is disconnected.
    func add(_ handler: Handler) {
        if phase != .disconnecting { handlers.add(handler) }
    }

    /// Whether the server waits for an acknowledgement of this client.
    var isAwaitingAcknowledgement: Bool { !acknowledgements.isEmpty }

    /// Returns false if the socket is disconnected or the limit is reached.
    func `await`(
        _ receiver: PendingAcknowledgement.Receiver,
        id: UInt64,
        timer: LoopTimers.ID? = nil,
        limit: Int,
        now: NIODeadline
    ) -> Bool {
        guard phase == .connected, acknowledgements.count < limit else { return false }
        acknowledgements[id] = PendingAcknowledgement(receiver: receiver, timer: timer, started: now)
        return true
    }

    func takeAcknowledgement(_ id: UInt64) -> PendingAcknowledgement? {
        acknowledgements.isEmpty ? nil : acknowledgements.removeValue(forKey: id)
    }

    func takeAcknowledgements() -> [PendingAcknowledgement] {
        defer { acknowledgements = [:] }
        return Array(acknowledgements.values)
    }

    /// Registers a task that is about to start.
    ///
    /// - Returns: Its id.
    func taskStarts() -> UInt64 {
        lastTask += 1
        tasks.updateValue(nil, forKey: lastTask)
        return lastTask
    }

    /// Keeps a task that is cancelled with the socket, unless it has ended already.
    func keep(_ task: Task<Void, Never>, id: UInt64) {
        if tasks[id] != nil { tasks[id] = task }
    }

    /// - Returns: The task, to be released after the access, since objects that it has captured may call the socket.
    @discardableResult
    func taskEnded(_ id: UInt64) -> Task<Void, Never>? { tasks.removeValue(forKey: id) ?? nil }

    /// The former contents of a closed socket. The caller releases them after the access: cancelling a task, and releasing objects that handlers
    /// have captured, may call the socket.
    struct Remains {
        var running: [Task<Void, Never>]
        var handlers: HandlerTable
        var queue: EventQueue
        var hooks: ConnectionHooks.Box?
        var client: Client?
    }

    /// Removes everything from the state.
    func close() -> Remains {
        let running = tasks.values.compactMap { $0 } + (drain.map { [$0] } ?? [])
        let remains = Remains(running: running, handlers: handlers, queue: queue, hooks: hooks, client: client)
        phase = .disconnecting
        drain = nil
        isDraining = false
        tasks = [:]
        queue = EventQueue()
        handlers = HandlerTable()
        hooks = nil
        recovery = nil
        client = nil
        openSession = nil
        return remains
    }
}

/// The hooks of a socket's connection. Most sockets have none, so they are kept out of line.
struct ConnectionHooks: Sendable {
    typealias End = @Sendable (Disconnection) async throws -> Void
    var disconnecting: [End] = []
    var disconnected: [End] = []
    var upgraded: [@Sendable (EngineConfiguration.Transport) -> Void] = []

    /// Whether there are hooks for the end of the connection.
    var concernsEnd: Bool { !disconnecting.isEmpty || !disconnected.isEmpty }

    /// Never changed once it is stored.
    final class Box: Sendable {
        let hooks: ConnectionHooks
        init(_ hooks: ConnectionHooks) { self.hooks = hooks }
    }
}

/// The end of a socket.
public struct Disconnection: Sendable {
    /// Why it ended.
    public let reason: DisconnectReason
    /// The rooms that the socket was in, including its own.
    public let rooms: NameSet
}
