// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
public import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

/// A client's connection to one namespace.
///
/// A socket belongs to one event loop, where its handlers run one after the other. Every method may be called from any task; on the socket's
/// own event loop, as in its handlers, sending needs no hop.
public final class Socket: Sendable {
    /// The socket's id: random, unique in the cluster, and the name of the room that only this socket is in.
    public let id: SocketID
    /// The namespace that the client is connected to.
    public let namespace: Namespace
    /// The event loop of the socket.
    public let eventLoop: any EventLoop
    /// Whether the client reconnected with its session: it has its id, rooms and data again, and receives the events that it missed.
    public let recovered: Bool
    /// Values that the application attaches to the socket.
    public let data: SocketData

    let bound: NIOLoopBound<SocketState>
    let auth: EncodedValue?
    let pid: String?
    private let request: EngineHandshake
    private let isConnected = Atomic<Bool>(false)

    /// Must be called on the client's event loop.
    init(id: SocketID, namespace: Namespace, client: Client, auth: EncodedValue?, pid: String?, recovered: Bool = false) {
        self.id = id
        self.namespace = namespace
        self.eventLoop = client.session.eventLoop
        self.recovered = recovered
        self.data = SocketData()
        self.auth = auth
        self.pid = pid
        self.request = client.session.handshake
        self.bound = NIOLoopBound(SocketState(client: client), eventLoop: client.session.eventLoop)
    }

    /// A new session. On the client's event loop.
    convenience init(client: Client, namespace: Namespace, auth: EncodedValue?) {
        let recovers = client.server.configuration.connectionStateRecovery != nil
        let pid = recovers ? namespace.adapter.makeSessionID(RandomID.make()) : nil
        self.init(
            id: RandomID.make(length: client.server.adapters.socketIDLength),
            namespace: namespace,
            client: client,
            auth: auth,
            pid: pid
        )
    }

    /// Whether the client is connected.
    public var connected: Bool { isConnected.load(ordering: .relaxed) }

    var encoder: PacketEncoder { namespace.encoder }

    /// The request with which the client opened its connection, and what it sent as `auth`.
    public var handshake: Handshake {
        get async { makeHandshake() }
    }

    private func makeHandshake() -> Handshake {
        var handshake = Handshake(request)
        handshake.auth = auth
        return handshake
    }

    /// Decodes the `auth` that the client sent when it connected to the namespace.
    ///
    /// ```swift
    /// io.use { socket in
    ///     let login = try socket.auth(as: Login.self)
    /// }
    /// ```
    ///
    /// - Parameter type: The type to decode. If the client sent none, an optional type is nil, and any other type is decoded from an empty object,
    ///   which is what JavaScript servers see.
    /// - Throws: ``SocketIOError`` with `unexpectedArguments` if the client sent something else. Middleware that throws it refuses the client.
    public func auth<T: Decodable>(as type: T.Type = T.self) throws -> T {
        if auth == nil, let optional = type as? any ExpressibleByNilLiteral.Type, let none = optional.init(nilLiteral: ()) as? T {
            return none
        }
        let sent = auth ?? EncodedValue(format: .json, bytes: ByteBuffer(string: "{}"))
        do {
            return try sent.decode(type)
        } catch {
            throw SocketIOError(.unexpectedArguments, auth == nil ? "the client sent no auth" : "auth is not of type \(type)", cause: error)
        }
    }

    /// Runs `body` on the socket's loop: immediately if called there, otherwise in order with everything else that the caller submits.
    func perform(_ body: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
    }

    func onLoop<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        if eventLoop.inEventLoop { return body() }
        return await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: body()) }
        }
    }

    // MARK: Life; on the loop

    /// The client has joined the namespace.
    func didConnect() {
        isConnected.store(true, ordering: .relaxed)
        namespace.didServe()
        namespace.metrics.connects.increment()
        namespace.metrics.sockets.change(by: 1)
        namespace.server.logger.debug(
            "a socket connected",
            metadata: [LogKey.socket: "\(id)", LogKey.namespace: "\(QuotedText(namespace.name))"]
        )
    }

    /// The client has left the namespace. Does nothing the second time.
    func didDisconnect(_ reason: DisconnectReason) {
        guard bound.value.phase == .connected else {
            close()
            return
        }
        isConnected.store(false, ordering: .relaxed)
        bound.value.phase = .disconnecting
        namespace.hold()
        let rooms = namespace.localAdapter.rooms(of: self)
        bound.value.lastRooms = rooms
        let client = bound.value.client
        client?.socketDidDisconnect(self)
        failAcknowledgements()
        leaveNamespace(reason, rooms: rooms)
        let hooks = bound.value.hooks?.hooks
        close()
        namespace.metrics.disconnected(reason)
        namespace.metrics.sockets.change(by: -1)
        namespace.server.logger.debug(
            "a socket disconnected",
            metadata: [
                LogKey.socket: "\(id)", LogKey.namespace: "\(QuotedText(namespace.name))", LogKey.reason: "\(reason.description)",
            ]
        )
        if let hooks, hooks.concernsEnd { run(hooks, Disconnection(reason: reason, rooms: rooms), of: client) }
        namespace.release()
    }

    /// Cancels the tasks of the socket, and releases everything that the application has registered.
    func close() {
        let remains = bound.value.close()
        for task in remains.running { task.cancel() }
    }

    private func leaveNamespace(_ reason: DisconnectReason, rooms: NameSet) {
        if bound.value.held != nil {
            // The session is kept once it is here; see `parkAtOnce(_:missed:after:)`.
            if reason.isRecoverable { return }
            bound.value.held = nil
        }
        let isKept = reason.isRecoverable && park(rooms: rooms)
        if !isKept { namespace.localAdapter.remove(self) }
    }

    /// Parks a session that arrived for a client which has disconnected again.
    func parkAtOnce(_ state: SessionState, missed: [BroadcastPacket], after offset: MessageID?) {
        guard let held = bound.value.held, let pid,
            var buffer = namespace.server.makeRecoveryBuffer(for: self, base: offset)
        else { return }
        bound.value.held = nil
        for packet in Self.joined(missed, held) { buffer.append(packet, pings: .max) }
        let state = SessionState(id: id, rooms: namespace.localAdapter.rooms(of: self), data: state.data)
        let session = RecoverableSession(pid: pid, state: state, buffer: buffer)
        guard namespace.adapter.parkSession(of: self, session) else { return namespace.localAdapter.remove(self) }
        namespace.scheduleDiscard(of: session, on: eventLoop)
    }

    /// The missed packets, followed by the held packets that are not among them.
    static func joined(_ missed: [BroadcastPacket], _ held: [BroadcastPacket]) -> [BroadcastPacket] {
        let known = Set(missed.compactMap(\.offset))
        return missed + held.filter { packet in packet.offset.map { !known.contains($0) } ?? true }
    }

    /// Discards the held packets, since the session will not arrive, and the rest of a disconnected socket.
    func dropHeld() {
        guard bound.value.held != nil else { return }
        bound.value.held = nil
        if bound.value.phase == .disconnecting { namespace.localAdapter.remove(self) }
    }

    private func park(rooms: NameSet) -> Bool {
        guard let session = makeSession(rooms: rooms), namespace.adapter.parkSession(of: self, session) else { return false }
        namespace.scheduleDiscard(of: session, on: eventLoop)
        return true
    }

    private func makeSession(rooms: NameSet) -> RecoverableSession? {
        guard let pid, let buffer = bound.value.recovery?.buffer else { return nil }
        let data = data.encoded()
        guard namespace.localAdapter.mayKeep(data, of: id) else { return nil }
        return RecoverableSession(pid: pid, state: SessionState(id: id, rooms: rooms, data: data), buffer: buffer)
    }

    private func failAcknowledgements() {
        let pending = bound.value.takeAcknowledgements()
        for acknowledgement in pending {
            if let timer = acknowledgement.timer { namespace.server.context(of: eventLoop).timers.cancel(timer) }
            acknowledgement.fail(SocketIOError(.disconnected, "the client was disconnected before it acknowledged"))
        }
    }
}

extension Socket: Hashable, CustomStringConvertible {
    /// Whether both are the same connection.
    public static func == (left: Socket, right: Socket) -> Bool { left === right }
    /// Hashes the id.
    public func hash(into hasher: inout Hasher) { Bytewise.hash(id, into: &hasher) }
    /// The namespace and id.
    public var description: String { "Socket(\(namespace.name), \(id))" }
}

extension Socket: LocalSocket {
    /// Called by adapters, on the loop.
    public func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) { write(packet, volatile: flags.volatile) }

    /// Called by adapters, on the loop.
    public func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        guard
            bound.value.await(
                .broadcast(acknowledgements.from(self.id)),
                id: id,
                limit: namespace.server.configuration.limits.pendingAcknowledgements,
                now: eventLoop.now
            )
        else {
            return acknowledgements.clientIsGone()
        }
        write(packet, volatile: false)
        bound.value.client?.acknowledgementAwaited()
    }

    /// Called by adapters, on the loop.
    public func forgetAcknowledgement(_ id: UInt64) { _ = bound.value.takeAcknowledgement(id) }

    /// Called by adapters, on the loop.
    public func describe() -> SocketDescription {
        SocketDescription(id: id, handshake: makeHandshake(), data: data.encoded())
    }

    /// Disconnects the socket, or closes the client's connection. Called by adapters, on the loop.
    public func disconnect(closeConnection: Bool) {
        guard let client = bound.value.client else { return }
        if closeConnection {
            client.disconnect()
        } else if bound.value.phase == .connected {
            client.session.send(encoder.disconnect(namespace: namespace.name))
            didDisconnect(.serverNamespaceDisconnect)
        }
    }

    /// Used by adapters, on the loop.
    public func handOverSession() -> RecoverableSession? {
        guard bound.value.phase == .connected, let session = makeSession(rooms: namespace.localAdapter.rooms(of: self)) else { return nil }
        // The session continues elsewhere and must not be kept here as well.
        bound.value.recovery = nil
        bound.value.client?.close(.transportClose)
        // The client's other sockets may take longer.
        if bound.value.phase == .connected { didDisconnect(.transportClose) }
        return session
    }
}
