// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import SocketIOText

/// Connects the sockets of one namespace in this process with those of other processes.
///
/// Rooms live in the ``CoreLocalAdapter`` that the server makes for the namespace and hands over in ``AdapterContext``. An adapter for
/// many processes keeps it in ``local``, applies every operation to it first and then tells the others. All requirements but
/// ``local`` have a default that serves this process only, so an adapter implements what it can carry. The article
/// <doc:WritingAnAdapter> shows one.
public protocol Adapter: AnyObject, Sendable {
    /// The rooms of this process.
    var local: CoreLocalAdapter { get }

    /// Called once, before the namespace serves its first client.
    ///
    /// - Throws: An error that ends the start of the server, with advice in its message.
    func start() async throws

    /// Called once, after the namespace's last socket is gone.
    func close() async

    /// The number of processes that take part, this one included.
    func serverCount() async throws -> Int

    /// Sends a packet to the selected sockets. Local sockets get it before this returns or throws.
    ///
    /// - Parameters:
    ///   - packet: The packet, encoded.
    ///   - options: The selection; with `flags.local`, other processes are not told.
    /// - Throws: An error if other processes may not get the packet.
    func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws

    /// Sends an event to the selected sockets and collects their acknowledgements.
    ///
    /// Sockets that were asked remember it until the stream ends. So an implementation that throws after it has asked some must call
    /// ``BroadcastAcknowledgements/cancel()`` first.
    ///
    /// - Parameters:
    ///   - packet: The packet, encoded without an acknowledgement id; each process adds its own.
    ///   - options: The selection.
    /// - Returns: The acknowledgements as they arrive. The caller ends them by time.
    /// - Throws: An error if other processes may not get the packet.
    func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements

    /// Makes the selected sockets join rooms.
    func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws

    /// Makes the selected sockets leave rooms.
    func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws

    /// Ends the selected sockets.
    ///
    /// - Parameters:
    ///   - options: The selection.
    ///   - closeConnection: Whether the clients' whole connections end.
    func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws

    /// Describes the selected sockets.
    ///
    /// - Throws: ``IncompleteResponseError`` if nodes did not answer; it carries what arrived.
    func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription]

    /// The rooms that the selected sockets are in.
    ///
    /// - Throws: ``IncompleteResponseError`` if nodes did not answer; it carries what arrived.
    func rooms(_ options: BroadcastOptions) async throws -> NameSet

    /// Sends an event to the other processes themselves.
    func serverSideEmit(_ arguments: EventArguments) async throws

    /// Sends an event to the other processes and collects their answers, one of each.
    ///
    /// - Parameters:
    ///   - arguments: The event's name and arguments.
    ///   - timeout: How long to wait; nil for the adapter's default.
    /// - Throws: ``IncompleteResponseError`` if nodes did not answer; it carries what arrived.
    func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments]

    /// A socket of this process alone was given a packet. Called on its event loop, for packets with an offset.
    func emitted(_ packet: BroadcastPacket, to id: SocketID)

    /// Makes the text by which clients tell that they have got a packet; what they present is given to
    /// ``restoreSession(pid:offset:to:)``. Default: the id.
    ///
    /// It must have at most 320 bytes: longer ones that clients present are not passed on.
    ///
    /// - Parameter id: The packet's id, new and unique.
    func makeOffset(_ id: MessageID) -> String

    /// Makes the private id of a new session, by which a client that comes back to any process finds it. Default: the characters.
    ///
    /// It must have at most 320 bytes: clients that present a longer one get a new session at once.
    ///
    /// - Parameter random: Characters that nobody can guess; no full stop among them.
    func makeSessionID(_ random: String) -> String

    /// Takes over the session of a socket whose client is away. Called on the socket's event loop, in its last moment there.
    ///
    /// - Returns: Whether the session is kept; the socket then is gone from its rooms as far as others can see.
    func persistSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool

    /// Gives a session to a client that has come back.
    ///
    /// - Parameters:
    ///   - pid: The private session id that the client presented.
    ///   - offset: The offset of the last packet that the client got; nil if it got none.
    ///   - claimant: Makes the new socket; see ``SessionClaimant``.
    /// - Returns: Whether the session was restored. If not, the client gets a new one.
    func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool
}

/// What an adapter needs of the server to give a session to a client that has come back. Called on ``eventLoop``.
public protocol SessionClaimant: AnyObject, Sendable {
    /// The event loop of the client's new connection.
    var eventLoop: any EventLoop { get }
    /// Makes the socket that takes the session over. It holds back what it is given until ``resume(_:missed:)``.
    ///
    /// - Parameters:
    ///   - id: The session's socket id.
    ///   - pid: The private session id.
    /// - Returns: The socket, or nil if the client has gone again.
    func makeSocket(id: SocketID, pid: String) -> (any LocalSocket)?
    /// Gives the socket its data and what it missed, in order, and lets it go live.
    func resume(_ session: RecoverableSession, missed: [BroadcastPacket])
    /// The session could not be had after all: the socket is dropped.
    func abandon()
}

/// Nodes did not answer a request in time, or died before they did. What arrived is here.
public struct IncompleteResponseError<Response: Sendable>: Error, CustomStringConvertible {
    /// What arrived.
    public var partial: Response
    /// The ids of the nodes whose answer is missing.
    public var missingNodes: [String]

    /// Creates an error.
    public init(partial: Response, missingNodes: [String]) {
        self.partial = partial
        self.missingNodes = missingNodes
    }

    /// Says which nodes are missing.
    public var description: String {
        missingNodes.isEmpty
            ? "not all clients answered in time; `partial` holds what the others answered"
            : "no answer from \(missingNodes.count) node(s): \(missingNodes.joined(separator: ", ")); `partial` holds what the others answered"
    }
}

/// Makes the adapters of a server's namespaces.
public protocol AdapterFactory: Sendable {
    /// Called once before the server accepts clients.
    func start() async throws
    /// The server is going to stop: it takes no new clients, and those it has are about to go.
    func drain() async
    /// Called once after all adapters are closed.
    func close() async
    /// Makes the adapter of a namespace.
    func makeAdapter(_ context: AdapterContext) -> any Adapter
    /// How many characters the ids of sockets have. Default: 15, which need no memory of their own; wire formats of others may ask
    /// for 16.
    var socketIDLength: Int { get }
    /// Whether a client that comes back can find its session on another process, and what it has missed. Default: true. If not, the
    /// server keeps no sessions, whatever its configuration says: a session that may lack messages must not be called recovered.
    var recoversSessions: Bool { get }
}

extension AdapterFactory {
    /// 15.
    public var socketIDLength: Int { 15 }
    /// They can.
    public var recoversSessions: Bool { true }
    /// Does nothing.
    public func start() async throws {}
    /// Does nothing.
    public func drain() async {}
    /// Does nothing.
    public func close() async {}
}

/// What a new adapter gets.
public struct AdapterContext: Sendable {
    /// The namespace's name, with its leading slash.
    public var namespace: String
    /// The rooms of this process.
    public var local: CoreLocalAdapter
    /// Gets the events that other processes send with `serverSideEmit`.
    public var onServerSideEmit: @Sendable (EventArguments, (@Sendable (EventArguments) -> Void)?) -> Void

    /// Creates a context.
    public init(
        namespace: String,
        local: CoreLocalAdapter,
        onServerSideEmit: @escaping @Sendable (EventArguments, (@Sendable (EventArguments) -> Void)?) -> Void
    ) {
        self.namespace = namespace
        self.local = local
        self.onServerSideEmit = onServerSideEmit
    }
}
