// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import NIOCore
public import SocketIOText

/// Connects the sockets of one namespace in this process with those of other processes.
///
/// Rooms live in the ``CoreLocalAdapter`` that the server makes for the namespace and hands over in ``AdapterContext``. An adapter for
/// many processes keeps it in ``local``, applies every operation to it first and then tells the others. All requirements but
/// ``local`` and ``serverSideEmit(_:confirmed:)`` have a default that serves this process only, so an adapter implements what it can carry.
/// The article <doc:WritingAnAdapter> shows one.
public protocol Adapter: AnyObject, Sendable {
    /// The rooms of this process.
    var local: CoreLocalAdapter { get }

    /// Called once, before the namespace serves its first client.
    ///
    /// - Throws: An error that ends the start of the server, with advice in its message.
    func start() async throws

    /// Called once, after the namespace's last socket has been removed.
    func close() async

    /// The number of processes that take part, this one included.
    func serverCount() async throws -> Int

    /// Sends a packet to the selected sockets. Local sockets get it before this returns or throws.
    ///
    /// Handlers wait for this call, so it should return as soon as the packet has its place among those that are being sent, and wait only
    /// if too many are. What fails after that goes to ``AdapterContext/onUndelivered``. With `flags.confirmed` it returns when other
    /// processes are certain to receive the packet. Volatile packets never wait; they may be dropped.
    ///
    /// - Parameters:
    ///   - packet: The packet, encoded.
    ///   - options: The selection; with `flags.local`, other processes are not involved.
    /// - Throws: An error if it is known that other processes do not receive the packet; with `flags.confirmed` also if they may not.
    func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws

    /// Sends an event to the selected sockets and collects their acknowledgements.
    ///
    /// Sockets remember pending acknowledgements until the stream ends. An implementation that throws after it has sent the packet to some
    /// sockets must therefore call ``BroadcastAcknowledgements/cancel()`` first.
    ///
    /// - Parameters:
    ///   - packet: The packet, encoded without an acknowledgement id; each process adds its own.
    ///   - options: The selection.
    /// - Returns: The acknowledgements as they arrive. The caller ends them after a time.
    /// - Throws: An error if other processes may not receive the packet.
    func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements

    /// Makes the selected sockets join rooms. What was said of ``broadcast(_:to:)`` also holds for this and the following commands.
    func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws

    /// Makes the selected sockets leave rooms.
    func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws

    /// Disconnects the selected sockets.
    ///
    /// - Parameters:
    ///   - options: The selection.
    ///   - closeConnection: Whether to close the clients' connections, with all their namespaces.
    func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws

    /// Describes the selected sockets.
    ///
    /// - Throws: ``IncompleteResponseError`` if nodes did not answer; it carries the answers that arrived.
    func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription]

    /// The rooms that the selected sockets are in.
    ///
    /// - Throws: ``IncompleteResponseError`` if nodes did not answer; it carries the answers that arrived.
    func rooms(_ options: BroadcastOptions) async throws -> NameSet

    /// Sends an event to the other processes. It has no default, since it serves nothing but other processes: an adapter that cannot carry
    /// it should throw.
    ///
    /// - Parameters:
    ///   - arguments: The event's name and arguments.
    ///   - confirmed: As `flags.confirmed` of ``broadcast(_:to:)``.
    func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws

    /// Sends an event to the other processes and collects their answers, one of each.
    ///
    /// - Parameters:
    ///   - arguments: The event's name and arguments.
    ///   - timeout: How long to wait; nil for the adapter's default.
    /// - Throws: ``IncompleteResponseError`` if nodes did not answer; it carries the answers that arrived.
    func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments]

    /// Called on the event loop of a socket that was sent a packet which no other socket received, if the packet has an offset.
    func emitted(_ packet: BroadcastPacket, to id: SocketID)

    /// Creates the offset that clients present when they reconnect, to identify the last packet that they received; see
    /// ``restoreSession(pid:offset:to:)``. Default: the id.
    ///
    /// It must have at most 320 bytes: longer ones that clients present are ignored.
    ///
    /// - Parameter id: The packet's id, new and unique.
    func makeOffset(_ id: MessageID) -> String

    /// Creates the private id of a new session, which the client presents when it reconnects to any process. Default: the characters.
    ///
    /// It must have at most 320 bytes: clients that present a longer one receive a new session immediately.
    ///
    /// - Parameter random: Characters that cannot be guessed; there is no full stop among them.
    func makeSessionID(_ random: String) -> String

    /// Parks the session of a socket whose client has lost its connection: keeps it until the client returns. Called on the socket's event
    /// loop, as the last call for this socket.
    ///
    /// - Returns: Whether the session is kept; for other code, the socket has then left its rooms.
    func parkSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool

    /// Claims the session of a client that has returned, and restores it.
    ///
    /// - Parameters:
    ///   - pid: The private session id that the client presented.
    ///   - offset: The offset of the last packet that the client received; nil if it received none.
    ///   - claimant: Creates the new socket; see ``SessionClaimant``.
    /// - Returns: Whether the session was restored. If not, the client receives a new one.
    func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool
}

/// What an adapter needs from the server to restore the session of a client that has returned. Called on ``eventLoop``.
public protocol SessionClaimant: AnyObject, Sendable {
    /// The event loop of the client's new connection.
    var eventLoop: any EventLoop { get }
    /// Makes the socket that continues the session. It holds back the packets that it is given until ``resume(_:missed:after:)``.
    ///
    /// - Parameters:
    ///   - id: The session's socket id.
    ///   - pid: The private session id.
    /// - Returns: The socket, or nil if the client is disconnected again.
    func makeSocket(id: SocketID, pid: String) -> (any LocalSocket)?
    /// Gives the socket its data and the packets that it missed, in order; from here on it is live.
    ///
    /// - Parameters:
    ///   - state: The state of the session.
    ///   - missed: The packets that the client has not received.
    ///   - offset: The last packet that the client has received; nil if it has received none.
    func resume(_ state: SessionState, missed: [BroadcastPacket], after offset: MessageID?)
    /// Discards the socket, because the session could not be restored after all.
    func abandon()
}

/// Nodes did not answer a request in time, or died before they did. Carries the answers that arrived.
public struct IncompleteResponseError<Response: Sendable>: Error, CustomStringConvertible {
    /// The answers that arrived.
    public var partial: Response
    /// The ids of the nodes whose answer is missing.
    public var missingNodes: [String]

    /// Creates an error.
    public init(partial: Response, missingNodes: [String]) {
        self.partial = partial
        self.missingNodes = missingNodes
    }

    /// Names the missing nodes.
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
    /// Called before the server closes: it accepts no new clients and is about to disconnect the others.
    func drain() async
    /// Called once after all adapters are closed.
    func close() async
    /// Makes the adapter of a namespace.
    func makeAdapter(_ context: AdapterContext) -> any Adapter
    /// The number of characters of a socket's id. Default: 15, which need no memory of their own; some wire formats require 16.
    var socketIDLength: Int { get }
    /// Whether clients that reconnect to another process can recover their session, with everything they missed. Default: true. If not, the
    /// server keeps no sessions, whatever its configuration: a session that may lack messages must not be called recovered.
    var recoversSessions: Bool { get }
    /// Why this process should get no new clients at the moment, such as a lost connection to the database; nil if it may. Part of
    /// `SocketIOServer.readiness`, so it may be asked at any time and must not wait. Default: nil.
    var problem: String? { get }
    /// Called once, when a server is created with this adapter: the adapter logs to the server's logger from now on, unless it was given a
    /// logger of its own. Default: does nothing.
    func useLogger(_ logger: Logger)
}

extension AdapterFactory {
    /// 15.
    public var socketIDLength: Int { 15 }
    /// True.
    public var recoversSessions: Bool { true }
    /// Nil.
    public var problem: String? { nil }
    /// Does nothing.
    public func useLogger(_ logger: Logger) {}
    /// Does nothing.
    public func start() async throws {}
    /// Does nothing.
    public func drain() async {}
    /// Does nothing.
    public func close() async {}
}

/// The input for a new adapter.
public struct AdapterContext: Sendable {
    /// The namespace's name, with its leading slash.
    public var namespace: String
    /// The rooms of this process.
    public var local: CoreLocalAdapter
    /// Must be called with the events that other processes send with `serverSideEmit`.
    public var onServerSideEmit: @Sendable (EventArguments, (@Sendable (EventArguments) -> Void)?) -> Void
    /// Must be called with what the adapter had accepted and could not bring to other processes, volatile events excepted. It may be called
    /// for every namespace of the server, and after the adapter is closed.
    public var onUndelivered: @Sendable (UndeliveredOperation) -> Void

    /// Creates a context.
    public init(
        namespace: String,
        local: CoreLocalAdapter,
        onUndelivered: @escaping @Sendable (UndeliveredOperation) -> Void = { _ in },
        onServerSideEmit: @escaping @Sendable (EventArguments, (@Sendable (EventArguments) -> Void)?) -> Void
    ) {
        self.namespace = namespace
        self.local = local
        self.onUndelivered = onUndelivered
        self.onServerSideEmit = onServerSideEmit
    }
}
