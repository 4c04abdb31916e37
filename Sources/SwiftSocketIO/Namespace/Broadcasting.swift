// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
public import SocketIOText

/// The operations of a server or namespace that concern all of its sockets: ``BroadcastOperator`` with nothing selected yet.
public protocol Broadcasting: BroadcastModifying where Selection == BroadcastOperator {
    /// All sockets.
    var broadcastOperator: BroadcastOperator { get }
}

extension Namespace: Broadcasting {
    /// All sockets of the namespace.
    public var broadcastOperator: BroadcastOperator { BroadcastOperator(namespace: self) }
}

extension SocketIOServer: Broadcasting {
    /// All sockets of the main namespace, `/`.
    public var broadcastOperator: BroadcastOperator { sockets.broadcastOperator }
}

extension Broadcasting {
    /// Returns a selection of all sockets with changed options.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> BroadcastOperator { broadcastOperator.selecting(change) }

    /// Sends an event to all clients; see ``BroadcastOperator/emit(_:_:)``.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await broadcastOperator.emit(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments to all clients; see ``BroadcastOperator/emit(_:raw:)``.
    public func emit(_ event: String, raw arguments: EventArguments) async throws {
        try await broadcastOperator.emit(event, raw: arguments)
    }

    /// Sends an event named `message` to all clients.
    public func send<each A: Encodable & Sendable>(_ arguments: repeat each A) async throws {
        try await broadcastOperator.send(repeat each arguments)
    }

    /// Sends an event to all clients and returns their acknowledgements; see ``BroadcastOperator/emitWithAck(_:_:as:)``.
    public func emitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> Acknowledgements<R> {
        try await broadcastOperator.emitWithAck(event, repeat each arguments, as: type)
    }

    /// Sends an event to all clients and returns their acknowledgements, still encoded; see ``BroadcastOperator/emitWithAck(_:_:)``.
    public func emitWithAck<each A: Encodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A
    ) async throws -> BroadcastAcknowledgements {
        try await broadcastOperator.emitWithAck(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments to all clients; see ``BroadcastOperator/emitWithAck(_:raw:as:)``.
    public func emitWithAck<R: Decodable & Sendable>(
        _ event: String,
        raw arguments: EventArguments,
        as type: R.Type
    ) async throws -> Acknowledgements<R> {
        try await broadcastOperator.emitWithAck(event, raw: arguments, as: type)
    }

    /// Sends an event with encoded arguments to all clients; see ``BroadcastOperator/emitWithAck(_:raw:)``.
    public func emitWithAck(_ event: String, raw arguments: EventArguments) async throws -> BroadcastAcknowledgements {
        try await broadcastOperator.emitWithAck(event, raw: arguments)
    }

    /// All sockets, of all processes; see ``BroadcastOperator/fetchSockets()``.
    public func fetchSockets() async throws -> [RemoteSocket] { try await broadcastOperator.fetchSockets() }
    /// All sockets of the processes that answer; see ``BroadcastOperator/fetchAvailableSockets()``.
    public func fetchAvailableSockets() async throws -> (sockets: [RemoteSocket], missingNodes: [String]) {
        try await broadcastOperator.fetchAvailableSockets()
    }
    /// All rooms, of all processes; see ``BroadcastOperator/rooms()``.
    public func rooms() async throws -> NameSet { try await broadcastOperator.rooms() }
    /// All rooms of the processes that answer; see ``BroadcastOperator/availableRooms()``.
    public func availableRooms() async throws -> (rooms: NameSet, missingNodes: [String]) { try await broadcastOperator.availableRooms() }
    /// Makes all sockets join rooms.
    public func socketsJoin(_ rooms: Room...) async throws { try await broadcastOperator.socketsJoin(rooms) }
    /// Makes all sockets leave rooms.
    public func socketsLeave(_ rooms: Room...) async throws { try await broadcastOperator.socketsLeave(rooms) }
    /// Disconnects all sockets; see ``BroadcastOperator/disconnectSockets(close:)``.
    public func disconnectSockets(close: Bool = false) async throws { try await broadcastOperator.disconnectSockets(close: close) }

    /// Sends an event to the other processes; see ``BroadcastOperator/serverSideEmit(_:_:)``.
    public func serverSideEmit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await broadcastOperator.serverSideEmit(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments to the other processes; see ``BroadcastOperator/serverSideEmit(_:raw:)``.
    public func serverSideEmit(_ event: String, raw arguments: EventArguments) async throws {
        try await broadcastOperator.serverSideEmit(event, raw: arguments)
    }

    /// Sends an event to the other processes and collects their answers; see ``BroadcastOperator/serverSideEmitWithAck(_:_:as:)``.
    public func serverSideEmitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> [R] {
        try await broadcastOperator.serverSideEmitWithAck(event, repeat each arguments, as: type)
    }

    /// Sends an event to the other processes and collects their answers, still encoded.
    public func serverSideEmitWithAck<each A: Encodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A
    ) async throws -> [EventArguments] {
        try await broadcastOperator.serverSideEmitWithAck(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments to the other processes and collects their answers; see
    /// ``BroadcastOperator/serverSideEmitWithAck(_:raw:as:)``.
    public func serverSideEmitWithAck<R: Decodable & Sendable>(
        _ event: String,
        raw arguments: EventArguments,
        as type: R.Type
    ) async throws -> [R] {
        try await broadcastOperator.serverSideEmitWithAck(event, raw: arguments, as: type)
    }

    /// Sends an event with encoded arguments to the other processes and collects their answers, still encoded.
    public func serverSideEmitWithAck(_ event: String, raw arguments: EventArguments) async throws -> [EventArguments] {
        try await broadcastOperator.serverSideEmitWithAck(event, raw: arguments)
    }

    /// Sends an event to the other processes and collects the answers that arrive in time; see
    /// ``BroadcastOperator/serverSideEmitWithAvailableAcks(_:_:as:)``.
    public func serverSideEmitWithAvailableAcks<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> (responses: [R], missingNodes: [String]) {
        try await broadcastOperator.serverSideEmitWithAvailableAcks(event, repeat each arguments, as: type)
    }

    /// The number of processes in the cluster, including this one.
    public func serverCount() async throws -> Int { try await broadcastOperator.namespace.adapter.serverCount() }
}
