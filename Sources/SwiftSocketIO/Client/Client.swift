// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// A client's connection, which carries its sockets in any number of namespaces. Used on its event loop only.
final class Client {
    let session: EngineSession
    let server: SocketIOServer
    // Unchecked for the same reason as those of `EngineSession`.
    @exclusivity(unchecked) private var decoder: PacketDecoderStateMachine
    private(set) var sockets: [Socket] = []
    /// Namespaces that the client is about to join, with the attempt that it waits for.
    private var connecting: [Name: AttemptID] = [:]
    /// The running attempts. Abandoned ones count until they have ended, or a client could start any number of them.
    private var attempts: [AttemptID: ConnectingTask] = [:]
    private var lastAttempt: AttemptID = 0
    /// Created when the client first asks for a child of a dynamic namespace or claims a session: most clients do neither.
    private(set) lazy var children = ChildAllowance(limit: server.configuration.limits.childNamespacesPerClient)
    private(set) lazy var claims = SessionClaims(
        concurrent: server.configuration.connectionStateRecovery?.claimsPerClient ?? 1,
        failures: server.configuration.limits.namespacesPerClient
    )
    private var connectTimeout: LoopTimers.ID?
    private var isClosed = false
    /// How its sockets are being disconnected, some in each turn of the loop; see `Client+Ending.swift`.
    var ending: Ending?
    private var flow = ReadFlow()
    /// Whether the loop's ``StandstillWatch`` has the client.
    private var isWatched = false

    typealias AttemptID = UInt64

    private struct ConnectingTask {
        var task: Task<Void, Never>?
        let authSize: Int
    }

    init(session: EngineSession, server: SocketIOServer) {
        self.session = session
        self.server = server
        self.decoder = PacketDecoderStateMachine(
            format: server.configuration.parser,
            limits: .init(
                attachments: server.configuration.limits.attachments,
                bytes: server.configuration.engine.maxHTTPBufferSize,
                values: server.configuration.limits.packetValues,
                eventName: server.configuration.limits.eventNameBytes
            )
        )
        // Keeps the client until it has joined a namespace or is disconnected. A weak reference would make every use of the client slower.
        connectTimeout = context.timers.schedule(in: server.configuration.connectTimeout) { [self] in
            connectTimeout = nil
            server.refusals.report(.joinedNothing)
            close(.forcedServerClose)
        }
    }

    var context: LoopContext { server.context(of: session.eventLoop) }

    func socket(in namespace: String) -> Socket? { sockets.first { $0.namespace.name == namespace } }

    /// The ids of the sockets, for the log.
    private var socketIDs: String { sockets.isEmpty ? "-" : sockets.prefix(4).map(\.id).joined(separator: ", ") }

    // MARK: Packets

    private func receive(_ decode: (inout PacketDecoderStateMachine) throws(PacketError) -> Packet?) {
        guard !isClosed, ending == nil else { return }
        do {
            if let packet = try decode(&decoder) { return handle(packet) }
            // No attachments are collected for a namespace that the client has not joined.
            if let name = decoder.waitingNamespace, socket(in: name) == nil { closeNotJoined(name) }
        } catch {
            server.logger.debug("invalid packet", metadata: [LogKey.socket: "\(socketIDs)", LogKey.error: "\(error.code)"])
            server.refusals.report(.invalidPacket, "\(error.code)")
            server.metrics.errors.increment()
            close(.parseError)
        }
    }

    private func handle(_ packet: Packet) {
        if case .connect(let auth) = packet.content { return connect(to: packet.namespace, auth: auth) }
        guard let socket = socket(in: packet.namespace) else {
            // Not an error, unlike in the reference server: it may have crossed our own, and closing would end the other namespaces.
            if case .disconnect = packet.content { return cancelConnecting(packet.namespace) }
            if case .discarded(.connect, _, _) = packet.content { return refuseTooDeep(packet.namespace) }
            // Like the reference server, disconnects a client that sends to a namespace that it has not joined.
            return closeNotJoined(packet.namespace)
        }
        switch packet.content {
        case .event(let name, let arguments, let id):
            server.metrics.eventsReceived.increment()
            socket.receive(name: name, arguments: arguments, id: id)
        case .acknowledgement(let id, let arguments): socket.receiveAcknowledgement(id, arguments)
        case .disconnect:
            // A session may still be moving to the socket.
            cancelConnecting(packet.namespace)
            socket.didDisconnect(.clientNamespaceDisconnect)
        case .connect: break
        case .discarded(let type, let event, let id) where type == .event || type == .acknowledgement:
            if type == .event { server.metrics.eventsReceived.increment() }
            socket.receiveDiscarded(type, event: event, id: id, nesting: server.configuration.parser.argumentNesting)
        case .connectError, .discarded: close(.forcedServerClose)
        }
    }

    private func closeNotJoined(_ namespace: String) {
        server.refusals.report(.notJoined, of: namespace)
        close(.forcedServerClose)
    }

    // MARK: Joining a namespace

    private func connect(to name: String, auth: EncodedValue?) {
        // A second CONNECT is ignored while middleware runs; after that, the reference server closes the connection.
        guard connecting[Name(name)] == nil else { return }
        guard socket(in: name) == nil else { return close(.forcedServerClose) }
        guard sockets.count + attempts.count < server.configuration.limits.namespacesPerClient else {
            return refuse(name, ConnectError("Too many namespaces"), .limit)
        }
        if let problem = problem(of: auth) { return refuse(name, ConnectError(problem), .limit) }
        // Copied, since it is kept for long and would keep the whole message alive.
        let auth = auth?.copied()
        if connectAtOnce(to: name, auth: auth) { return }
        lastAttempt += 1
        let client = NIOLoopBound(self, eventLoop: session.eventLoop)
        let attempt = ConnectAttempt(
            id: lastAttempt,
            server: server,
            eventLoop: session.eventLoop,
            client: client,
            name: name,
            auth: auth
        )
        connecting[Name(name)] = attempt.id
        attempts[attempt.id] = ConnectingTask(authSize: auth?.size ?? 0)
        let task = server.startTask(on: session.eventLoop) { await attempt.run() }
        // The task may have ended already.
        attempts[attempt.id]?.task = task
    }

    /// Why a client must not join with this `auth`; nil if it may.
    private func problem(of auth: EncodedValue?) -> String? {
        guard let size = auth?.size else { return nil }
        let (one, all) = (server.configuration.limits.authBytes, server.configuration.limits.authBytesPerClient)
        guard size <= one else { return "auth has \(size) bytes; at most \(one) are allowed" }
        let others = sockets.reduce(0) { $0 + ($1.auth?.size ?? 0) } + attempts.values.reduce(0) { $0 + $1.authSize }
        guard others + size <= all else { return "auth of all namespaces has more than \(all) bytes" }
        return nil
    }

    private func connectAtOnce(to name: String, auth: EncodedValue?) -> Bool {
        guard let namespace = server.namespaces.held(name) else { return false }
        defer { namespace.release() }
        guard namespace.connectsAtOnce(auth) else { return false }
        complete(Socket(client: self, namespace: namespace, auth: auth))
        return true
    }

    private func cancelConnecting(_ name: String) {
        guard let attempt = connecting.removeValue(forKey: Name(name)) else { return }
        let task = attempts[attempt]?.task
        task?.cancel()
    }

    /// Ends the wait for an attempt, and returns whether the client was still waiting for it.
    private func settle(_ attempt: AttemptID, _ name: String) -> Bool {
        guard connecting[Name(name)] == attempt else { return false }
        connecting[Name(name)] = nil
        return !isClosed
    }

    /// Admits a socket that the namespace's middleware has accepted, if the client is still connected.
    func finishConnecting(_ socket: Socket, attempt: AttemptID) {
        guard settle(attempt, socket.namespace.name) else { return socket.close() }
        complete(socket)
    }

    /// Sends the refusal of a namespace to the client.
    func finishConnecting(_ name: String, attempt: AttemptID, refusedBy error: ConnectError, _ cause: ClientRefusal) {
        if settle(attempt, name) { refuse(name, error, cause) }
    }

    /// Records that an attempt has ended.
    func attemptEnded(_ attempt: AttemptID, _ name: String) {
        attempts[attempt] = nil
        if connecting[Name(name)] == attempt { connecting[Name(name)] = nil }
    }

    private func refuseTooDeep(_ name: String) {
        guard connecting[Name(name)] == nil else { return }
        let problem = "auth is nested more than \(server.configuration.parser.argumentNesting) levels deep"
        refuse(name, ConnectError(problem), .limit)
    }

    private func refuse(_ name: String, _ error: ConnectError, _ cause: ClientRefusal) {
        server.refusals.report(cause, of: name, error.message)
        session.send(server.encoder.connectError(namespace: name, message: error.message, data: error.data))
    }

    private func complete(_ socket: Socket) {
        admit(socket)
        guard socket.namespace.localAdapter.add(socket, pid: socket.pid) else { return close(.forcedServerClose) }
        let rooms = socket.bound.value.lastRooms
        socket.bound.value.lastRooms = []
        if !rooms.isEmpty { socket.namespace.localAdapter.join(socket, rooms: Array(rooms)) }
        socket.bound.value.recovery = server.makeRecoveryBuffer(for: socket).map(SocketState.Recovery.init)
        session.send(server.encoder.connect(namespace: socket.namespace.name, sid: socket.id, pid: socket.pid))
        socket.startHandlers()
    }

    /// Adds a socket to the client; it is not in the adapter yet.
    func admit(_ socket: Socket) {
        if let connectTimeout { context.timers.cancel(connectTimeout) }
        connectTimeout = nil
        sockets.append(socket)
        socket.bound.value.phase = .connected
        socket.didConnect()
    }

    /// Admits a socket that takes over a session. Its connection attempt continues until the session has arrived.
    func admitRecovered(_ socket: Socket, attempt: AttemptID) -> Bool {
        guard !isClosed else {
            // The client has not left on purpose: its session moves here and is kept.
            socket.close()
            socket.bound.value.held = []
            return true
        }
        guard connecting[Name(socket.namespace.name)] == attempt else { return false }
        socket.bound.value.held = []
        admit(socket)
        return true
    }

    /// Removes a socket whose session could not be moved here, before its client has seen it.
    func expel(_ socket: Socket) {
        socket.bound.value.recovery = nil
        socket.dropHeld()
        socket.didDisconnect(.serverNamespaceDisconnect)
    }

    // MARK: The end

    /// Closes the connection immediately.
    func close(_ reason: EngineCloseReason) { session.discard(reason) }

    /// Disconnects all sockets, then closes the connection once everything sent before has been delivered, as Socket.IO does.
    func disconnect() {
        for name in connecting.keys { cancelConnecting(name.text) }
        end(.disconnect)
    }

    func socketDidDisconnect(_ socket: Socket) {
        flow.remove(socket.bound.value.queue)
        // A handler that still runs counts until it ends: the client may reconnect before that.
        if socket.bound.value.isDraining { flow.queued(0) }
        forget(socket)
        applyFlow()
    }

    func forget(_ socket: Socket) { sockets.removeAll { $0 === socket } }

    private func closed(_ reason: EngineCloseReason) {
        isClosed = true
        if let connectTimeout { context.timers.cancel(connectTimeout) }
        connecting = [:]
        for attempt in attempts.values { attempt.task?.cancel() }
        if !attempts.isEmpty { claims.close() }
        end(.closed(DisconnectReason(reason.description)))
    }

    // MARK: Back-pressure

    func eventQueued(size: Int) {
        flow.queued(size)
        applyFlow()
    }

    func eventTaken(size: Int) {
        flow.taken(size)
        applyFlow()
    }

    /// Continues reading, since the server waits for this client's answer.
    func acknowledgementAwaited() { applyFlow() }

    private func applyFlow() {
        guard !isClosed else { return }
        let limits = server.configuration.limits.eventQueue
        let awaits = flow.isAboveLowWater(limits) && sockets.contains { $0.bound.value.isAwaitingAcknowledgement }
        switch flow.next(limits, awaitsAcknowledgement: awaits) {
        case .none: break
        case .pause:
            session.pauseReading()
            guard !isWatched else { return }
            isWatched = true
            context.standstills.add(self)
        case .resume: session.resumeReading()
        case .close:
            server.logger.debug("event queue is full", metadata: [LogKey.socket: "\(socketIDs)"])
            close(.init(DisconnectReason.eventQueueFull.description))
        }
    }
}

/// Reading from a client that has paused. Events that wait in a queue are reported by their socket; what is left are concurrent handlers.
extension Client: EventBacklog {
    var progress: UInt64? { flow.isPaused && !isClosed ? flow.progress : nil }

    func stoodStill() {
        guard sockets.allSatisfy(\.bound.value.queue.isEmpty) else { return }
        server.metrics.standstills.increment()
        server.errors.stoodStill(event: nil, waiting: flow.events, socket: socketIDs, namespace: sockets.first?.namespace.name ?? "-")
    }

    func watchEnded() { isWatched = false }
}

extension Client: EngineSessionDelegate {
    func session(_ session: EngineSession, didReceiveText message: ByteBuffer) {
        receive { machine throws(PacketError) in try machine.receive(text: message) }
    }

    func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) {
        receive { machine throws(PacketError) in try machine.receive(binary: message) }
    }

    func session(_ session: EngineSession, didReceivePongFor pingNumber: Int) {
        for socket in sockets where socket.pid != nil { socket.bound.value.recovery?.buffer.pongReceived(for: pingNumber) }
    }

    func sessionDidUpgrade(_ session: EngineSession) {
        for socket in sockets { socket.didUpgrade(to: .websocket) }
    }

    func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) { closed(reason) }
}

extension EncodedValue {
    fileprivate var size: Int { attachments.reduce(bytes.readableBytes) { $0 + $1.readableBytes } }

    fileprivate func copied() -> EncodedValue {
        EncodedValue(
            format: format,
            bytes: ByteBuffer(bytes: bytes.readableBytesView),
            attachments: attachments.map { ByteBuffer(bytes: $0.readableBytesView) }
        )
    }
}
