// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
public import SocketIOText

/// A socket of any process, as it was when it was fetched, with operations that reach it in its process.
public struct RemoteSocket: Sendable {
    private let namespace: Namespace
    private let description: SocketDescription
    private var timeout: Duration?

    init(namespace: Namespace, description: SocketDescription) {
        self.namespace = namespace
        self.description = description
    }

    /// The socket's id.
    public var id: SocketID { description.id }
    /// The request with which the client connected.
    public var handshake: Handshake { description.handshake }
    /// The parts that were omitted because they are larger than ``SocketIOConfiguration/Limits/descriptionBytes`` of the socket's node.
    public var omitted: SocketDescription.Omissions { description.omitted }
    /// The rooms that the socket was in, including its own.
    public var rooms: NameSet { description.rooms }
    /// The id of the node that the socket is connected to; nil without a cluster. Operations go to this node
    /// only: if the client has moved to another node since, fetch the socket again.
    public var node: String? { description.node }

    /// The values that the socket's process had attached to ``Socket/data``.
    public var data: RemoteSocketData { RemoteSocketData(encoded: description.data) }

    /// The same socket, with the time that an acknowledgement may take. Default: ``SocketIOConfiguration/broadcastAcknowledgementTimeout``.
    public func timeout(_ timeout: Duration) -> RemoteSocket {
        var copy = self
        copy.timeout = timeout
        return copy
    }

    private var broadcast: BroadcastOperator {
        // Only the node that has the socket needs the message.
        var options = BroadcastOptions(rooms: [id], node: description.node)
        options.flags.expectSingleResponse = true
        options.flags.timeout = timeout
        return BroadcastOperator(namespace: namespace, options: options)
    }

    /// Sends an event to the client.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await broadcast.emit(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments to the client.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``.
    public func emit(_ event: String, raw arguments: EventArguments) async throws {
        try await broadcast.emit(event, raw: arguments)
    }

    /// Sends an event to the client and waits for the acknowledgement.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of the acknowledgement's first argument.
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``; ``SocketIOError`` with `acknowledgementTimeout` (see ``timeout(_:)``), `disconnected` or
    ///   `unexpectedArguments`.
    public func emitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> R {
        try await first(of: Acknowledgements(await broadcast.emitWithAck(event, repeat each arguments)))
    }

    /// Sends an event with encoded arguments to the client and waits for the acknowledgement.
    ///
    /// - Throws: As ``emitWithAck(_:_:as:)``.
    public func emitWithAck<R: Decodable & Sendable>(
        _ event: String,
        raw arguments: EventArguments,
        as type: R.Type
    ) async throws -> R {
        try await first(of: Acknowledgements(await broadcast.emitWithAck(event, raw: arguments)))
    }

    /// Sends an event to the client and waits for the acknowledgement, which stays encoded.
    ///
    /// - Throws: As ``emitWithAck(_:_:as:)``.
    public func emitWithAck<each A: Encodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A
    ) async throws -> EventArguments {
        try await first(of: await broadcast.emitWithAck(event, repeat each arguments))
    }

    /// Sends an event with encoded arguments to the client and waits for the acknowledgement, which stays encoded.
    ///
    /// - Throws: As ``emitWithAck(_:_:as:)``.
    public func emitWithAck(_ event: String, raw arguments: EventArguments) async throws -> EventArguments {
        try await first(of: await broadcast.emitWithAck(event, raw: arguments))
    }

    private func first<R>(of acknowledgements: Acknowledgements<R>) async throws -> R {
        for try await answer in acknowledgements { return answer }
        throw Self.noAnswer(acknowledgements.raw)
    }

    private func first(of acknowledgements: BroadcastAcknowledgements) async throws -> EventArguments {
        for await answer in acknowledgements { return answer }
        throw Self.noAnswer(acknowledgements)
    }

    private static func noAnswer(_ acknowledgements: BroadcastAcknowledgements) -> SocketIOError {
        guard acknowledgements.summary.timedOut else { return SocketIOError(.disconnected, "the client was gone before it acknowledged") }
        return SocketIOError(.acknowledgementTimeout, "the client did not acknowledge in time")
    }

    /// Makes the socket join rooms.
    public func join(_ rooms: Room...) async throws {
        try await broadcast.socketsJoin(rooms)
    }

    /// Makes the socket leave a room.
    public func leave(_ room: Room) async throws {
        try await broadcast.socketsLeave([room])
    }

    /// Ends the connection.
    ///
    /// - Parameter close: Whether the client's whole connection ends. Default: only this namespace.
    public func disconnect(close: Bool = false) async throws { try await broadcast.disconnectSockets(close: close) }
}
