// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// Events for the other servers of the cluster.
extension BroadcastOperator {
    /// Sends an event to the other processes of the cluster, where `on` of their ``Namespace`` handles it. This process does not receive it.
    ///
    /// As ``emit(_:_:)``, this returns when the event has been accepted; with `confirmed`, when the others are certain to receive it.
    ///
    /// - Throws: `EncodingError` if an argument cannot be encoded; ``SocketIOError`` with `reservedEventName` for `connect`, `connection` and
    ///   `new_namespace`; errors of the adapter if other nodes may not have received it.
    public func serverSideEmit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        let encoded = try encodeServerSide(event) { writer in repeat try writer.append(each arguments) }
        try await namespace.adapter.serverSideEmit(encoded, confirmed: isConfirmed)
    }

    /// Whether the events for other processes are confirmed.
    private var isConfirmed: Bool { options.flags.confirmed || namespace.server.configuration.confirmsBroadcasts }

    /// Sends an event with encoded arguments to the other processes of the cluster.
    ///
    /// - Throws: As ``serverSideEmit(_:_:)``.
    public func serverSideEmit(_ event: String, raw arguments: EventArguments) async throws {
        try await namespace.adapter.serverSideEmit(encodeServerSide(event, raw: arguments), confirmed: isConfirmed)
    }

    /// Sends an event to the other processes of the cluster and collects their answers, one of each.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of an answer's first value.
    /// - Throws: As ``serverSideEmit(_:_:)``; ``SocketIOCore/IncompleteResponseError`` of `[R]` if nodes did not answer in time; it carries
    ///   the answers that arrived. See ``serverSideEmitWithAvailableAcks(_:_:as:)``.
    public func serverSideEmitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> [R] {
        try await decoded(as: type) { try await serverSideEmitWithAck(event, repeat each arguments) }
    }

    /// Sends an event with encoded arguments to the other processes of the cluster and collects their answers, one of each.
    ///
    /// - Throws: As ``serverSideEmitWithAck(_:_:as:)``.
    public func serverSideEmitWithAck<R: Decodable & Sendable>(
        _ event: String,
        raw arguments: EventArguments,
        as type: R.Type
    ) async throws -> [R] {
        try await decoded(as: type) { try await serverSideEmitWithAck(event, raw: arguments) }
    }

    /// Sends an event to the other processes of the cluster and collects their answers, still encoded.
    ///
    /// - Throws: As ``serverSideEmit(_:_:)``; ``SocketIOCore/IncompleteResponseError`` if nodes did not answer in time.
    public func serverSideEmitWithAck<each A: Encodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A
    ) async throws -> [EventArguments] {
        let encoded = try encodeServerSide(event) { writer in repeat try writer.append(each arguments) }
        return try await namespace.adapter.serverSideEmitWithAck(encoded, timeout: options.flags.timeout)
    }

    /// Sends an event with encoded arguments to the other processes of the cluster and collects their answers, still encoded.
    ///
    /// - Throws: As ``serverSideEmitWithAck(_:_:)``.
    public func serverSideEmitWithAck(_ event: String, raw arguments: EventArguments) async throws -> [EventArguments] {
        let encoded = try encodeServerSide(event, raw: arguments)
        return try await namespace.adapter.serverSideEmitWithAck(encoded, timeout: options.flags.timeout)
    }

    /// Sends an event to the other processes of the cluster and collects the answers that arrive in time.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of an answer's first value.
    /// - Returns: The answers, and the ids of the nodes that did not answer.
    /// - Throws: As ``serverSideEmit(_:_:)``.
    public func serverSideEmitWithAvailableAcks<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> (responses: [R], missingNodes: [String]) {
        let answer = try await available { try await serverSideEmitWithAck(event, repeat each arguments, as: type) }
        return (answer.response, answer.missingNodes)
    }

    private func decoded<R: Decodable & Sendable>(as type: R.Type, _ request: () async throws -> [EventArguments]) async throws -> [R] {
        do {
            return try await request().map { try $0.decode(type, at: 0) }
        } catch let error as IncompleteResponseError<[EventArguments]> {
            throw IncompleteResponseError(
                partial: error.partial.compactMap { try? $0.decode(type, at: 0) },
                missingNodes: error.missingNodes
            )
        }
    }

    private func encodeServerSide(_ event: String, raw arguments: EventArguments) throws -> EventArguments {
        try encodeServerSide(event) { writer in try writer.append(contentsOf: arguments) }
    }

    private func encodeServerSide(_ event: String, _ arguments: (inout ArgumentsWriter) throws -> Void) throws -> EventArguments {
        if let problem = EventName.problem(ofServerSide: event) { throw SocketIOError(.reservedEventName, problem) }
        return try namespace.encoder.arguments { writer in
            try writer.append(event)
            try arguments(&writer)
        }
    }
}
