// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import EngineIOCore
import NIOCore
public import SocketIOCore
public import SocketIOText

/// Sending to the client, and to others from it.
extension Socket: BroadcastSelecting {
    /// Sends an event to the client. Events of one task arrive in order.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values; `Data`, `[UInt8]` and `ByteBuffer` inside them travel as binary.
    /// - Throws: `EncodingError` if an argument cannot be encoded; ``SocketIOError`` with `reservedEventName`. If the client is
    ///   disconnected, nothing is sent and nothing thrown.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) throws {
        try operatorWithoutFlags.emit(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emit(_ event: String, raw arguments: EventArguments) throws {
        try operatorWithoutFlags.emit(event, raw: arguments)
    }

    /// Sends an event named `message`.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func send<each A: Encodable & Sendable>(_ arguments: repeat each A) throws {
        try emit("message", repeat each arguments)
    }

    /// Sends an event and waits for the client's acknowledgement.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of the acknowledgement's first argument.
    /// - Returns: The acknowledgement's first argument.
    /// - Throws: As ``emit(_:_:)``, and ``SocketIOError`` with `disconnected`, `acknowledgementTimeout` (see ``timeout(_:)``),
    ///   `unexpectedArguments` or `tooManyPendingAcknowledgements`.
    public func emitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> R {
        try await operatorWithoutFlags.emitWithAck(event, repeat each arguments, as: type)
    }

    /// Sends an event and waits for the client's acknowledgement, which stays encoded.
    ///
    /// - Throws: As ``emitWithAck(_:_:as:)``.
    public func emitWithAck<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws -> EventArguments {
        try await operatorWithoutFlags.emitWithAck(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments and waits for the client's acknowledgement.
    ///
    /// - Throws: As ``emitWithAck(_:_:as:)``.
    public func emitWithAck<R: Decodable & Sendable>(_ event: String, raw arguments: EventArguments, as type: R.Type) async throws -> R {
        try await operatorWithoutFlags.emitWithAck(event, raw: arguments, as: type)
    }

    /// Sends an event with encoded arguments and waits for the client's acknowledgement, which stays encoded.
    ///
    /// - Throws: As ``emitWithAck(_:_:as:)``.
    public func emitWithAck(_ event: String, raw arguments: EventArguments) async throws -> EventArguments {
        try await operatorWithoutFlags.emitWithAck(event, raw: arguments)
    }

    /// The next event may be dropped if the client is not ready to receive.
    public var volatile: EmitOperator { operatorWithoutFlags.volatile }

    /// Has no effect: this server sends messages uncompressed. It is here for code that is ported from Node.js.
    public func compress(_ compress: Bool) -> EmitOperator { operatorWithoutFlags.compress(compress) }

    /// How long the next event's acknowledgement may take. Default: ``SocketIOConfiguration/acknowledgementTimeout``.
    public func timeout(_ timeout: Duration) -> EmitOperator { operatorWithoutFlags.timeout(timeout) }

    private var operatorWithoutFlags: EmitOperator { EmitOperator(socket: self) }

    // MARK: Other sockets

    /// All sockets of the namespace except this one.
    public var broadcast: BroadcastOperator {
        var options = BroadcastOptions(except: [id])
        options.sender = id
        return BroadcastOperator(namespace: namespace, options: options)
    }

    /// Returns a selection with changed options; as in ``broadcast``, this socket is not part of it.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> BroadcastOperator { broadcast.selecting(change) }

    // MARK: Rooms

    /// Joins rooms. Does nothing once the socket is disconnected.
    ///
    /// Rooms beyond ``SocketIOConfiguration/Limits/rooms`` are not joined, and ``SocketIOServer/onError(_:)`` receives a ``SocketIOError`` with
    /// `tooManyRooms` or `invalidRoom`.
    public func join(_ rooms: Room...) { joinRooms(rooms) }

    /// Joins rooms, and returns when the socket is in them.
    public func join(_ rooms: Room...) async { await joinRooms(rooms) }

    /// Joins rooms, as the variadic `join` does.
    public func join(_ rooms: [Room]) { joinRooms(rooms) }

    /// Joins rooms, and returns when the socket is in them.
    public func join(_ rooms: [Room]) async { await joinRooms(rooms) }

    private func joinRooms(_ rooms: [Room]) { perform { [self] in applyJoin(rooms) } }
    private func joinRooms(_ rooms: [Room]) async { await onLoop { [self] in applyJoin(rooms) } }

    private func applyJoin(_ rooms: [Room]) {
        switch bound.value.phase {
        case .connecting: collect(rooms)
        case .connected: namespace.localAdapter.join(self, rooms: rooms)
        case .disconnecting: break
        }
    }

    /// Keeps rooms until the connection is complete.
    private func collect(_ rooms: [Room]) {
        let limits = namespace.localAdapter.limits
        for room in rooms {
            // One more, so that joining them reports the limit.
            guard bound.value.lastRooms.count <= limits.perSocket, limits.allow(room) else {
                let reason: RoomRefusal.Reason = limits.allow(room) ? .socketIsFull : .nameTooLong
                return namespace.server.errors.limitReached(.rooms(RoomRefusal(reason: reason, count: 1, socket: id)), in: namespace.name)
            }
            bound.value.lastRooms.insert(room)
        }
    }

    /// Leaves a room.
    public func leave(_ room: Room) { perform { [self] in applyLeave(room) } }

    /// Leaves a room, and returns when the socket has left.
    public func leave(_ room: Room) async { await onLoop { [self] in applyLeave(room) } }

    private func applyLeave(_ room: Room) {
        switch bound.value.phase {
        case .connecting: bound.value.lastRooms.remove(room)
        case .connected: namespace.localAdapter.leave(self, room: room)
        case .disconnecting: break
        }
    }

    /// The rooms that the socket is in, including its own; while the `disconnecting` hooks run, those that it was in.
    public var rooms: NameSet {
        get async {
            await onLoop { [self] in
                bound.value.phase == .connected ? namespace.localAdapter.rooms(of: self) : bound.value.lastRooms
            }
        }
    }

    // MARK: The end

    /// Disconnects the socket once everything sent before has been delivered. As in Socket.IO, the client does not reconnect by itself. The
    /// socket's tasks and its running handler are cancelled, even if that handler makes the call.
    ///
    /// - Parameter close: Whether the client's whole connection ends, with all its namespaces. Default: only this namespace.
    public func disconnect(close: Bool = false) { perform { [self] in disconnect(closeConnection: close) } }

    // MARK: Writing

    /// Sends a packet that is not an event.
    func write(_ packet: EncodedPacket) {
        perform { [self] in bound.value.client?.session.send(packet) }
    }

    /// Hands an event to the transport. On the loop.
    func write(_ packet: BroadcastPacket, volatile: Bool) {
        if !volatile, let session = bound.value.openSession { return session.send(packet.encoded) }
        guard let client = bound.value.client, bound.value.phase == .connected else { return writeToSuccessor(packet) }
        if bound.value.held != nil {
            if !volatile { hold(packet) }
            return
        }
        if !bound.value.handlers.anyOutgoing.isEmpty { notifyOutgoing(packet) }
        guard !volatile else {
            if !client.session.sendVolatile(packet.encoded) { namespace.server.metrics.droppedVolatile.increment() }
            return
        }
        client.session.send(packet.encoded)
        bound.value.recovery?.buffer.append(packet, pings: client.session.pingsSent)
    }

    /// Holds an event until the session has moved here. The event loop that it comes from may be busy for long, so no more is held than could
    /// be replayed.
    private func hold(_ packet: BroadcastPacket) {
        let limit = namespace.server.configuration.connectionStateRecovery?.buffer.packets ?? 0
        if let count = bound.value.held?.count, count < limit {
            bound.value.held?.append(packet)
        } else {
            let client = bound.value.client
            dropHeld()
            client?.close(.sendBufferFull)
        }
    }

    /// The client is disconnected, but its session may be kept, or may continue in another socket with the same id.
    private func writeToSuccessor(_ packet: BroadcastPacket) {
        guard packet.offset != nil, bound.value.phase == .disconnecting else { return }
        if bound.value.held != nil { return hold(packet) }
        namespace.localAdapter.deliver(packet, to: BroadcastOptions(rooms: [id]))
    }

    private func notifyOutgoing(_ packet: BroadcastPacket) {
        guard let event = OutgoingEvent.parse(packet.encoded, format: encoder.format) else { return }
        for handler in bound.value.handlers.anyOutgoing {
            if case .sync(let body) = handler.body { _ = try? body(SocketEvent(name: event.name, arguments: event.arguments)) }
        }
    }

    /// The number of bytes that are queued for the client.
    public var bufferedBytes: Int { get async { await onLoop { [self] in bound.value.client?.session.bufferedBytes ?? 0 } } }
}
