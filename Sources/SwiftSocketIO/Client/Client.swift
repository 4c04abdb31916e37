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
    /// The attempts that run. Those that the client has given up count until they have ended, or it could start any number of them.
    private var attempts: [AttemptID: ConnectingTask] = [:]
    private var lastAttempt: AttemptID = 0
    /// Made when a child of a dynamic namespace, or a session, is first asked for: most clients ask for neither.
    private(set) lazy var children = ChildAllowance(limit: server.configuration.maxChildNamespacesPerClient)
    private(set) lazy var claims = SessionClaims(
        concurrent: server.configuration.connectionStateRecovery?.claimsPerClient ?? 1,
        failures: server.configuration.maxNamespacesPerClient
    )
    private var connectTimeout: LoopTimers.ID?
    private var isClosed = false
    /// Why its sockets end, of which each turn of the loop takes some; see `Client+Ending.swift`.
    var ending: Ending?
    private var flow = ReadFlow()

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
                attachments: server.configuration.maxAttachments,
                bytes: server.configuration.engine.maxHTTPBufferSize,
                values: server.configuration.maxPacketValues,
                eventName: server.configuration.maxEventNameLength
            )
        )
        // Kept until the client is in or gone. A weak reference would make every use of the client slower for its whole life.
        connectTimeout = context.timers.schedule(in: server.configuration.connectTimeout) { [self] in
            connectTimeout = nil
            close(.forcedServerClose)
        }
    }

    var context: LoopContext { server.context(of: session.eventLoop) }

    func socket(in namespace: String) -> Socket? { sockets.first { $0.namespace.name == namespace } }

    // MARK: Packets

    private func receive(_ decode: (inout PacketDecoderStateMachine) throws(PacketError) -> Packet?) {
        guard !isClosed, ending == nil else { return }
        do {
            if let packet = try decode(&decoder) { return handle(packet) }
            // Nothing is kept for a namespace that the client has not joined.
            if let name = decoder.waitingNamespace, socket(in: name) == nil { close(.forcedServerClose) }
        } catch {
            server.logger.debug("invalid packet", metadata: ["sid": "\(session.id)", "error": "\(error.code)"])
            server.metrics.errors.increment()
            close(.parseError)
        }
    }

    private func handle(_ packet: Packet) {
        if case .connect(let auth) = packet.content { return connect(to: packet.namespace, auth: auth) }
        guard let socket = socket(in: packet.namespace) else {
            // Not an error, other than in the reference server: it may have crossed our own, and other namespaces would go with it.
            if case .disconnect = packet.content { return cancelConnecting(packet.namespace) }
            // As the reference server does: whoever talks to a namespace without having joined it is closed.
            return close(.forcedServerClose)
        }
        switch packet.content {
        case .event(let name, let arguments, let id):
            server.metrics.eventsReceived.increment()
            socket.receive(name: name, arguments: arguments, id: id)
        case .acknowledgement(let id, let arguments): socket.receiveAcknowledgement(id, arguments)
        case .disconnect:
            // A session may still be on its way to the socket.
            cancelConnecting(packet.namespace)
            socket.didDisconnect(.clientNamespaceDisconnect)
        case .connect: break
        case .connectError: close(.forcedServerClose)
        }
    }

    // MARK: Joining a namespace

    private func connect(to name: String, auth: EncodedValue?) {
        // A second CONNECT makes no second socket while middleware runs; later the reference server closes the connection.
        guard connecting[Name(name)] == nil else { return }
        guard socket(in: name) == nil else { return close(.forcedServerClose) }
        guard sockets.count + attempts.count < server.configuration.maxNamespacesPerClient else {
            return refuse(name, byLimit: "Too many namespaces")
        }
        if let problem = problem(of: auth) { return refuse(name, byLimit: problem) }
        // It is kept for long: not as a part of the message that it came in.
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
        // It may have run to its end already.
        attempts[attempt.id]?.task = task
    }

    /// Why a client may not join with this `auth`; nil if it may.
    private func problem(of auth: EncodedValue?) -> String? {
        guard let size = auth?.size else { return nil }
        let (one, all) = (server.configuration.maxAuthSize, server.configuration.maxAuthSizePerClient)
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

    /// Whether the client still waits for this attempt, which ends with the call.
    private func settle(_ attempt: AttemptID, _ name: String) -> Bool {
        guard connecting[Name(name)] == attempt else { return false }
        connecting[Name(name)] = nil
        return !isClosed
    }

    /// The namespace's middleware let the client in, if it is still there.
    func finishConnecting(_ socket: Socket, attempt: AttemptID) {
        guard settle(attempt, socket.namespace.name) else { return socket.close() }
        complete(socket)
    }

    /// The client was not let in.
    func finishConnecting(_ name: String, attempt: AttemptID, refusedBy error: ConnectError) {
        if settle(attempt, name) { refuse(name, error) }
    }

    /// Nothing of the attempt runs any more.
    func attemptEnded(_ attempt: AttemptID, _ name: String) {
        attempts[attempt] = nil
        if connecting[Name(name)] == attempt { connecting[Name(name)] = nil }
    }

    private func refuse(_ name: String, byLimit message: String) {
        server.metrics.refusedConnects.increment()
        refuse(name, ConnectError(message))
    }

    private func refuse(_ name: String, _ error: ConnectError) {
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

    /// Counts a socket as one of the client's; it is not in the adapter yet.
    func admit(_ socket: Socket) {
        if let connectTimeout { context.timers.cancel(connectTimeout) }
        connectTimeout = nil
        sockets.append(socket)
        socket.bound.value.phase = .connected
        socket.didConnect()
    }

    /// Admits a socket that takes over a session. Its connection attempt goes on until the session is here.
    func admitRecovered(_ socket: Socket, attempt: AttemptID) -> Bool {
        guard !isClosed else {
            // The client has not left on purpose: its session comes here to be kept.
            socket.close()
            socket.bound.value.held = []
            return true
        }
        guard connecting[Name(socket.namespace.name)] == attempt else { return false }
        socket.bound.value.held = []
        admit(socket)
        return true
    }

    /// A session that was moved here could not be had: whoever has joined must go, unseen.
    func expel(_ socket: Socket) {
        socket.bound.value.recovery = nil
        socket.dropHeld()
        socket.didDisconnect(.serverNamespaceDisconnect)
    }

    // MARK: The end

    /// Ends the connection at once.
    func close(_ reason: EngineCloseReason) { session.discard(reason) }

    /// Ends all sockets and then the connection, once the client has got what was sent before, as Socket.IO does.
    func disconnect() {
        for name in connecting.keys { cancelConnecting(name.text) }
        end(.disconnect)
    }

    func socketDidDisconnect(_ socket: Socket) {
        flow.remove(socket.bound.value.queue)
        // A handler that still runs counts until it ends: the client may be back before that.
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

    /// While the server waits for this client's answer, reading must go on.
    func acknowledgementAwaited() { applyFlow() }

    private func applyFlow() {
        guard !isClosed else { return }
        let awaits = flow.isAboveLowWater(server.configuration.eventQueue) && sockets.contains { $0.bound.value.isAwaitingAcknowledgement }
        switch flow.next(server.configuration.eventQueue, awaitsAcknowledgement: awaits) {
        case .none: break
        case .pause: session.pauseReading()
        case .resume: session.resumeReading()
        case .close:
            server.logger.debug("event queue is full", metadata: ["sid": "\(session.id)"])
            close(.init("event queue full"))
        }
    }
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
