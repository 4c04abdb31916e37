// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
public import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

/// A client's connection to one namespace.
///
/// A socket lives on one event loop, where its handlers run one after the other. Every method may be called from any task; on the
/// socket's own loop, as in its handlers, what it sends needs no hop.
public final class Socket: Sendable {
    /// The socket's id: random, unique in the cluster, and the name of the room that only this socket is in.
    public let id: SocketID
    /// The namespace that the client is connected to.
    public let namespace: Namespace
    /// The event loop that the socket lives on.
    public let eventLoop: any EventLoop
    /// Whether the client came back with its session: it has its id, rooms and data again, and gets what it missed.
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

    /// Runs `body` on the socket's loop: at once if called there, else in order with whatever else the caller sends there.
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

    /// The client is in the namespace from here on.
    func didConnect() {
        isConnected.store(true, ordering: .relaxed)
        namespace.didServe()
        namespace.server.metrics.connects.increment()
        namespace.server.metrics.sockets.change(by: 1)
    }

    /// The client has left. Does nothing the second time.
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
        namespace.server.metrics.disconnects.increment()
        namespace.server.metrics.sockets.change(by: -1)
        if let hooks, hooks.concernsEnd { run(hooks, Disconnection(reason: reason, rooms: rooms), of: client) }
        namespace.release()
    }

    /// Ends what runs for the socket, and lets go of all that the application has registered.
    func close() {
        let remains = bound.value.close()
        for task in remains.running { task.cancel() }
    }

    private func leaveNamespace(_ reason: DisconnectReason, rooms: NameSet) {
        if bound.value.held != nil {
            // The session is kept once it is here; see `keep(_:missed:after:)`.
            if reason.isRecoverable { return }
            bound.value.held = nil
        }
        let isKept = reason.isRecoverable && park(rooms: rooms)
        if !isKept { namespace.localAdapter.remove(self) }
    }

    /// A session has come for a client that has gone again: keeps it for the next time.
    func keep(_ session: RecoverableSession, missed: [BroadcastPacket], after offset: MessageID?) {
        guard let held = bound.value.held, var buffer = namespace.server.makeRecoveryBuffer(for: self, base: offset) else { return }
        bound.value.held = nil
        for packet in Self.joined(missed, held) { buffer.append(packet, pings: .max) }
        let rooms = namespace.localAdapter.rooms(of: self)
        let session = RecoverableSession(id: id, pid: session.pid, rooms: rooms, data: session.data, buffer: buffer)
        guard namespace.adapter.persistSession(of: self, session) else { return namespace.localAdapter.remove(self) }
        namespace.forgetSession(session, on: eventLoop)
    }

    /// What was missed, and what came since without being part of it.
    static func joined(_ missed: [BroadcastPacket], _ held: [BroadcastPacket]) -> [BroadcastPacket] {
        let known = Set(missed.compactMap(\.offset))
        return missed + held.filter { packet in packet.offset.map { !known.contains($0) } ?? true }
    }

    /// The session that was to come will not come: nothing is left of the socket.
    func dropHeld() {
        guard bound.value.held != nil else { return }
        bound.value.held = nil
        if bound.value.phase == .disconnecting { namespace.localAdapter.remove(self) }
    }

    private func park(rooms: NameSet) -> Bool {
        guard let session = makeSession(rooms: rooms), namespace.adapter.persistSession(of: self, session) else { return false }
        namespace.forgetSession(session, on: eventLoop)
        return true
    }

    private func makeSession(rooms: NameSet) -> RecoverableSession? {
        guard let pid, let buffer = bound.value.recovery?.buffer else { return nil }
        let data = data.encoded()
        guard namespace.localAdapter.mayKeep(data, of: id) else { return nil }
        return RecoverableSession(id: id, pid: pid, rooms: rooms, data: data, buffer: buffer)
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
    /// Used by adapters, on the loop.
    public func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) { write(packet, volatile: flags.volatile) }

    /// Used by adapters, on the loop.
    public func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        guard
            bound.value.await(
                .broadcast(acknowledgements.from(self.id)),
                id: id,
                limit: namespace.server.configuration.pendingAcknowledgements,
                now: eventLoop.now
            )
        else {
            return acknowledgements.clientIsGone()
        }
        write(packet, volatile: false)
        bound.value.client?.acknowledgementAwaited()
    }

    /// Used by adapters, on the loop.
    public func forgetAcknowledgement(_ id: UInt64) { _ = bound.value.takeAcknowledgement(id) }

    /// Used by adapters, on the loop.
    public func describe() -> SocketDescription {
        SocketDescription(id: id, handshake: makeHandshake(), data: data.encoded())
    }

    /// Ends the connection to the namespace, or the client's whole connection. Used by adapters, on the loop.
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
    public func surrenderSession() -> RecoverableSession? {
        guard bound.value.phase == .connected, let session = makeSession(rooms: namespace.localAdapter.rooms(of: self)) else { return nil }
        // The session goes on elsewhere: what ends here must not be kept a second time.
        bound.value.recovery = nil
        bound.value.client?.close(.transportClose)
        // The client's others may take their time.
        if bound.value.phase == .connected { didDisconnect(.transportClose) }
        return session
    }
}
