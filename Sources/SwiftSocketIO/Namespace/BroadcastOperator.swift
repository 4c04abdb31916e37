// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
public import SocketIOCore
public import SocketIOText

/// Selected sockets of a namespace, and modifiers for what they are sent. A value: keep it, pass it on, refine it.
public struct BroadcastOperator: BroadcastModifying {
    let namespace: Namespace
    var options: BroadcastOptions

    init(namespace: Namespace, options: BroadcastOptions = .init()) {
        self.namespace = namespace
        self.options = options
    }

    /// Returns the selection with changed options.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> BroadcastOperator {
        var copy = self
        change(&copy.options)
        return copy
    }

    /// The options, if they are within the limits.
    func checkedOptions(with rooms: [Room] = []) throws(SocketIOError) -> BroadcastOptions {
        try namespace.localAdapter.limits.check(options, adding: rooms)
        guard namespace.server.configuration.confirmsBroadcasts else { return options }
        var confirmed = options
        confirmed.flags.confirmed = true
        return confirmed
    }

    // MARK: Sending

    /// Sends an event to the selected sockets. It has been handed to those of this process when this returns or throws.
    ///
    /// In a cluster it has been accepted for the others: it is sent to them in the order of the calls, once, and again if the database
    /// cannot be reached. This waits only if too much is queued already. What fails afterwards goes to ``SocketIOServer/onError(_:)``, with the
    /// selection in ``HandlerFailure/undelivered``. To wait until every other process is certain to receive the event, and to have an
    /// error thrown otherwise, use `confirmed`.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values; `Data`, `[UInt8]` and `ByteBuffer` inside them travel as binary.
    /// - Throws: `EncodingError` if an argument cannot be encoded; ``SocketIOError`` with `reservedEventName`, `invalidRoom` or `tooManyRooms`;
    ///   errors of the adapter if other processes do not receive it, because it is too large, the server is closed, or there was no room
    ///   for it in time.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        let packet = try namespace.encodeBroadcast(event, flags: options.flags) { writer in repeat try writer.append(each arguments) }
        try await namespace.adapter.broadcast(packet, to: checkedOptions())
    }

    /// Sends an event with encoded arguments.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emit(_ event: String, raw arguments: EventArguments) async throws {
        let packet = try namespace.encodeBroadcast(event, flags: options.flags) { writer in try writer.append(contentsOf: arguments) }
        try await namespace.adapter.broadcast(packet, to: checkedOptions())
    }

    /// Sends an event named `message`.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func send<each A: Encodable & Sendable>(_ arguments: repeat each A) async throws {
        try await emit("message", repeat each arguments)
    }

    /// Sends an event to the selected sockets and returns their acknowledgements as they arrive.
    ///
    /// The sequence ends when all have answered or are disconnected, or after the selection's timeout; without one, after
    /// ``SocketIOConfiguration/broadcastAcknowledgementTimeout``.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of an acknowledgement's first argument.
    /// - Throws: As ``emit(_:_:)``.
    public func emitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> Acknowledgements<R> {
        let packet = try namespace.encode(event) { writer in repeat try writer.append(each arguments) }
        return Acknowledgements(try await start(packet))
    }

    /// Sends an event to the selected sockets and returns their acknowledgements, still encoded, as they arrive.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emitWithAck<each A: Encodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A
    ) async throws -> BroadcastAcknowledgements {
        try await start(try namespace.encode(event) { writer in repeat try writer.append(each arguments) })
    }

    /// Sends an event with encoded arguments and returns the acknowledgements as they arrive.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emitWithAck<R: Decodable & Sendable>(
        _ event: String,
        raw arguments: EventArguments,
        as type: R.Type
    ) async throws -> Acknowledgements<R> {
        Acknowledgements(try await emitWithAck(event, raw: arguments))
    }

    /// Sends an event with encoded arguments and returns the acknowledgements, still encoded, as they arrive.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emitWithAck(_ event: String, raw arguments: EventArguments) async throws -> BroadcastAcknowledgements {
        try await start(try namespace.encode(event) { writer in try writer.append(contentsOf: arguments) })
    }

    private func start(_ packet: EncodedPacket) async throws -> BroadcastAcknowledgements {
        var options = try checkedOptions()
        let timeout = options.flags.timeout ?? namespace.server.configuration.broadcastAcknowledgementTimeout
        options.flags.timeout = timeout
        let stream = try await namespace.adapter.broadcastWithAck(BroadcastPacket(packet), to: options)
        namespace.server.end(stream, after: timeout)
        return stream
    }

    // MARK: The sockets

    /// The selected sockets, from all processes.
    ///
    /// - Throws: ``SocketIOCore/IncompleteResponseError`` of `[RemoteSocket]` if nodes did not answer; it carries the answers that
    ///   arrived. Errors of the adapter if no node could be asked. See ``fetchAvailableSockets()``.
    public func fetchSockets() async throws -> [RemoteSocket] {
        do {
            return try await namespace.adapter.fetchSockets(checkedOptions()).map(remote)
        } catch let error as IncompleteResponseError<[SocketDescription]> {
            throw IncompleteResponseError(partial: error.partial.map(remote), missingNodes: error.missingNodes)
        }
    }

    /// The selected sockets of the processes that answer, and the ids of the nodes that do not.
    ///
    /// - Throws: Errors of the adapter if no node could be asked.
    public func fetchAvailableSockets() async throws -> (sockets: [RemoteSocket], missingNodes: [String]) {
        let answer = try await available { try await fetchSockets() }
        return (answer.response, answer.missingNodes)
    }

    private func remote(_ description: SocketDescription) -> RemoteSocket { RemoteSocket(namespace: namespace, description: description) }

    /// The rooms that the selected sockets are in, in all processes.
    ///
    /// - Throws: ``SocketIOCore/IncompleteResponseError`` of `NameSet` if nodes did not answer; it carries the answers that arrived.
    ///   Errors of the adapter if no node could be asked. See ``availableRooms()``.
    public func rooms() async throws -> NameSet { try await namespace.adapter.rooms(checkedOptions()) }

    /// The rooms that the selected sockets are in, in the processes that answer, and the ids of the nodes that do not.
    ///
    /// - Throws: Errors of the adapter if no node could be asked.
    public func availableRooms() async throws -> (rooms: NameSet, missingNodes: [String]) {
        let answer = try await available { try await rooms() }
        return (answer.response, answer.missingNodes)
    }

    /// Returns an incomplete response with the nodes that are missing, instead of throwing it.
    func available<Response: Sendable>(
        _ request: () async throws -> Response
    ) async throws -> (response: Response, missingNodes: [String]) {
        do {
            return (try await request(), [])
        } catch let error as IncompleteResponseError<Response> {
            return (error.partial, error.missingNodes)
        }
    }

    /// Makes the selected sockets join rooms, in all processes.
    public func socketsJoin(_ rooms: Room...) async throws { try await socketsJoin(rooms) }

    /// Makes the selected sockets join rooms, in all processes.
    ///
    /// This returns when the sockets of this process have joined, and the others are going to, as with ``emit(_:_:)``: an event that is
    /// emitted afterwards arrives there after they have joined.
    ///
    /// A socket that is in as many rooms as allowed does not join; the process that it is connected to calls ``SocketIOServer/onError(_:)``.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func socketsJoin(_ rooms: [Room]) async throws {
        try await namespace.adapter.addSockets(checkedOptions(with: rooms), to: rooms)
    }

    /// Makes the selected sockets leave rooms, in all processes.
    public func socketsLeave(_ rooms: Room...) async throws { try await socketsLeave(rooms) }

    /// Makes the selected sockets leave rooms, in all processes.
    ///
    /// - Throws: As ``socketsJoin(_:)-([Room])``.
    public func socketsLeave(_ rooms: [Room]) async throws {
        try await namespace.adapter.removeSockets(checkedOptions(with: rooms), from: rooms)
    }

    /// Disconnects the selected sockets, in all processes; those of other processes a little later, as with ``emit(_:_:)``.
    ///
    /// - Parameter close: Whether to close the clients' connections, with all their namespaces. Default: only this namespace.
    /// - Throws: As ``emit(_:_:)``.
    public func disconnectSockets(close: Bool = false) async throws {
        try await namespace.adapter.disconnectSockets(checkedOptions(), closeConnection: close)
    }
}

extension BroadcastModifying where Selection == BroadcastOperator {
    /// Waits until the other processes are certain to carry out what follows: an event, a change of rooms, a disconnection or a server-side
    /// event.
    ///
    /// `emit` then returns when a majority of the database's members has stored the message, which takes as long as a write, and the length
    /// of an election if there is one; a serial handler holds back its client's next event for that time. It throws a
    /// `ClusterError`: with the code `unknown`, other nodes may receive the message; with any other code, none does. Use it where the answer
    /// to a client depends on it. `volatile` events do not wait, whether confirmed or not, and `emitWithAck` is not changed: its
    /// acknowledgements say who has received the event. ``SocketIOConfiguration/confirmsBroadcasts`` makes it the default.
    public var confirmed: BroadcastOperator { selecting { $0.flags.confirmed = true } }
    /// Only sockets of this process.
    public var local: BroadcastOperator { selecting { $0.flags.local = true } }
    /// How long to wait for acknowledgements, or for the answers of other nodes.
    public func timeout(_ timeout: Duration) -> BroadcastOperator { selecting { $0.flags.timeout = timeout } }
}
