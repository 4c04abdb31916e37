// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
public import SocketIOCore

/// A selection of sockets in a namespace, with modifiers for the events sent to them. It is a value: keep it, pass it on, refine it.
///
/// An event that is ``SocketIOCore/BroadcastModifying/volatile`` is written to the cluster like any other; the nodes may drop it.
public struct EmitterOperator: BroadcastModifying {
    let emitter: SocketIOEmitter
    let namespace: String
    var options = BroadcastOptions()

    init(emitter: SocketIOEmitter, namespace: String) {
        self.emitter = emitter
        self.namespace = namespace
    }

    /// Returns the selection with changed options.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> EmitterOperator {
        var copy = self
        change(&copy.options)
        return copy
    }

    // MARK: Events

    /// Sends an event to the selected sockets. When it returns, a majority has stored the message, and every running node receives it.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values; `Data`, `[UInt8]` and `ByteBuffer` inside them travel as binary.
    /// - Throws: `EncodingError` if an argument cannot be encoded; ``SocketIOEmitterError`` with `reservedEventName` or `invalidNamespace`;
    ///   `ClusterError` with `notSent`, `tooLarge`, `unsupported` or `closed` if no node receives it, with `unknown` if nodes may.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await emit(event) { writer in repeat try writer.append(each arguments) }
    }

    /// Sends an event with arguments that are encoded already, by the parser of ``SocketIOEmitter/Options/parser``.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emit(_ event: String, raw arguments: EventArguments) async throws {
        try await emit(event) { writer in try writer.append(contentsOf: arguments) }
    }

    private func emit(_ event: String, _ arguments: (inout ArgumentsWriter) throws -> Void) async throws {
        try check(event)
        let encoder = PacketEncoder(format: emitter.options.parser)
        let offset = emitter.options.connectionStateRecovery && !options.flags.volatile ? emitter.sender.makeID() : nil
        let packet = try encoder.event(event, namespace: namespace) { writer in
            try arguments(&writer)
            if let offset {
                try writer.append(offset.description)
            } else if emitter.options.connectionStateRecovery {
                // JavaScript's client takes the last string of every event for its offset, even the event's own name.
                try writer.append(String?.none)
            }
        }
        let id = offset ?? emitter.sender.makeID()
        try await emitter.sender.send(.broadcast(BroadcastPacket(packet, offset: offset), options), namespace: namespace, id: id)
    }

    // MARK: Sockets

    /// Makes the selected sockets join rooms.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func socketsJoin(_ rooms: Room...) async throws { try await socketsJoin(rooms) }
    /// Makes the selected sockets join rooms.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func socketsJoin(_ rooms: [Room]) async throws { try await send(.addSockets(options, rooms: rooms)) }
    /// Makes the selected sockets leave rooms.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func socketsLeave(_ rooms: Room...) async throws { try await socketsLeave(rooms) }
    /// Makes the selected sockets leave rooms.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func socketsLeave(_ rooms: [Room]) async throws { try await send(.removeSockets(options, rooms: rooms)) }
    /// Disconnects the selected sockets.
    ///
    /// - Parameter close: Whether to close the clients' connections, with all their namespaces. Default: false.
    /// - Throws: As ``emit(_:_:)``.
    public func disconnectSockets(close: Bool = false) async throws { try await send(.disconnectSockets(options, closeConnection: close)) }

    // MARK: Servers

    /// Sends an event to all servers themselves; rooms have no effect. There are no answers.
    ///
    /// - Throws: As ``emit(_:_:)``. With the wire format of `socketioxide`, which has no such events, `ClusterError` with `unsupported`.
    public func serverSideEmit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await serverSideEmit(event) { writer in repeat try writer.append(each arguments) }
    }

    /// Sends an event to the servers themselves, with arguments that are encoded already.
    ///
    /// - Throws: As ``serverSideEmit(_:_:)``.
    public func serverSideEmit(_ event: String, raw arguments: EventArguments) async throws {
        try await serverSideEmit(event) { writer in try writer.append(contentsOf: arguments) }
    }

    private func serverSideEmit(_ event: String, _ arguments: (inout ArgumentsWriter) throws -> Void) async throws {
        try checkNamespace()
        if let problem = EventName.problem(ofServerSide: event) { throw SocketIOEmitterError(.reservedEventName, problem) }
        let encoded = try PacketEncoder(format: emitter.options.parser).arguments { writer in
            try writer.append(event)
            try arguments(&writer)
        }
        try await send(.serverSideEmit(encoded))
    }

    private func send(_ body: ClusterBody) async throws {
        try checkNamespace()
        try await emitter.sender.send(body, namespace: namespace)
    }

    // MARK: Checks

    private func check(_ event: String) throws(SocketIOEmitterError) {
        try checkNamespace()
        if let problem = EventName.problem(of: event) { throw SocketIOEmitterError(.reservedEventName, problem) }
    }

    private func checkNamespace() throws(SocketIOEmitterError) {
        if let problem = NamespaceName.problem(of: namespace) { throw SocketIOEmitterError(.invalidNamespace, problem) }
    }
}
