// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIO
public import SocketIOCore
import SocketIOText

/// The options of a ``SocketIOServer``, by Socket.IO's names and with its defaults.
public struct SocketIOConfiguration: Sendable {
    /// The options of the transports: path, ping, sizes, CORS, cookies.
    public var engine = EngineConfiguration()
    /// The parser; clients must use the same. Default: JSON.
    public var parser = PacketFormat.json
    /// How long a client may take to join its first namespace before its connection is closed. Default 45 s.
    public var connectTimeout: Duration = .seconds(45)
    /// Whether a child of a dynamic namespace is forgotten when its last socket is gone. Default: false, as in Socket.IO.
    public var cleanupEmptyChildNamespaces = false
    /// Keeps the sessions of clients that are cut off. Default: nil, off, as in Socket.IO.
    public var connectionStateRecovery: ConnectionStateRecovery?
    /// Binary attachments of one packet; more close the connection. Default 10.
    public var maxAttachments = 10
    /// Values of one packet from a client: its arguments and whatever is inside them, arrays, objects, their elements and keys counted one
    /// by one. A packet with more closes the connection with the reason `parse error`. At least 1; default 65 536.
    ///
    /// Decoding takes time for each value, on the client's event loop, however few bytes it has: this bounds how long one packet may hold
    /// up the other clients. If yours send more, such as long arrays of numbers, send them as binary, or raise the limit.
    public var maxPacketValues = 65_536
    /// Bytes that a client's name of an event may have; a longer one closes the connection with `parse error`. Default 256, since names are
    /// written in code; at most 65 536. Names with more than 64 combining marks in a row are refused whatever the limit is.
    public var maxEventNameLength = 256
    /// Namespaces that one client may join, those included for which middleware still runs; further ones are refused. Default 100.
    public var maxNamespacesPerClient = 100
    /// Children that dynamic namespaces may have in all. When there are so many, a client that asks for another one takes the place of a child
    /// that has no clients, whatever ``cleanupEmptyChildNamespaces`` says; if there is none, it is refused. Default 10 000.
    public var maxChildNamespaces = 10_000
    /// Children of dynamic namespaces that may exist because this client asked for them first. At the limit it takes the place of one of
    /// its own that has no clients; if there is none, it is refused, and only this client. At least 1. Default 100.
    public var maxChildNamespacesPerClient = 100
    /// Bytes of the `auth` that a client may send when it joins a namespace; with more it is refused, and learns why. The server keeps it for
    /// as long as the socket lives. At least 1. Default 16 KiB, as much as a request may have headers, so that every token fits.
    public var maxAuthSize = 16 << 10
    /// Bytes of `auth` that one client may have in all of its namespaces together; it is refused in further ones, and learns why. At least
    /// ``maxAuthSize``. Default 256 KiB.
    public var maxAuthSizePerClient = 256 << 10
    /// How many rooms a socket may be in and an operation may name, and how long a room's name may be.
    public var rooms = RoomLimits()
    /// Bytes of what `fetchSockets` reports of one socket. What does not fit is left out and named by ``RemoteSocket/omitted``: of data, rooms,
    /// `auth` and request, in this order, what is too large for the rest. At least 1 024. Default 32 KiB.
    ///
    /// A socket's `data` may have as many if its session is to be kept for recovery, or taken over from another node: with more it is not, which
    /// is counted and logged, and the client starts anew.
    public var maxDescriptionSize = 32 << 10
    /// Events of other processes that one namespace may be handling at a time; further ones are dropped, counted, and reported to the error
    /// hook once, until half of them are done. Default 10 000.
    public var maxServerSideEvents = 10_000
    /// Bytes of the arguments of these events, with the same outcome beyond; a larger one is handled if it is the only one. At least 1.
    /// Default 64 MiB.
    public var maxServerSideEventBytes = 64 << 20
    /// How many events of one client may wait for their handlers.
    public var eventQueue = EventQueueLimits()
    /// Acknowledgements of one client that may be pending; further `emitWithAck` throw. Default 10 000.
    public var pendingAcknowledgements = 10_000
    /// How long `socket.emitWithAck` waits if `timeout` is not given; nil for as long as the client is connected. Default: nil, as in Socket.IO.
    public var acknowledgementTimeout: Duration?
    /// How long a broadcast's acknowledgements are waited for if `timeout` is not given. Default 5 s.
    public var broadcastAcknowledgementTimeout: Duration = .seconds(5)
    /// Whether handlers run on the global thread pool instead of their client's event loop. Set it if they block their thread, as with
    /// synchronous file or database calls; it costs two thread hops an event. Default: false.
    public var handlersBlock = false
    /// Over how long the clients are let go when the server is shut down, in random batches, so that they do not all come back at
    /// once elsewhere. Default 5 s; a batch every 100 ms, so few clients go sooner.
    public var drainDuration: Duration = .seconds(5)
    /// How long the end of the server may take after the clients have gone: hooks that still run, sessions to be stored, messages to be
    /// written, the other nodes to be told, and with ``SocketIOServer/run(host:port:responder:onListening:)`` connections to be ended. What
    /// takes longer is cut off, which is logged. Hooks have a quarter of the time before they are cancelled. Positive. Default 20 s,
    /// enough for an election of the database; with ``drainDuration``, 25 s, and Kubernetes gives a process 30 s.
    public var closeTimeout: Duration = .seconds(20)
    /// A file with the JavaScript client, served as `<path>/socket.io.js`; read when the server starts. Default: nil, none.
    public var serveClient: String?
    /// Gets every change of a room in this process, with the namespace's name. Runs on the event loop where it happens. Default: nil.
    public var onRoomEvent: (@Sendable (_ namespace: String, _ event: RoomEvent) -> Void)?

    /// The default configuration.
    public init() {}

    /// Checks what would only be noticed when it is too late.
    ///
    /// - Throws: ``SocketIOError`` with `invalidConfiguration`, which says what to change.
    func validate() throws {
        do { try engine.validate() } catch { throw SocketIOError(.invalidConfiguration, "engine.\(error)") }
        let rules: [(Bool, String)] = [
            (connectTimeout > .zero, "connectTimeout must be positive"),
            (maxAttachments >= 0 && maxNamespacesPerClient > 0, "maxAttachments and maxNamespacesPerClient must not be negative"),
            (maxPacketValues > 0, "maxPacketValues must be positive"),
            ((1...65_536).contains(maxEventNameLength), "maxEventNameLength must be between 1 and 65 536"),
            (maxServerSideEvents > 0 && maxChildNamespaces >= 0, "maxServerSideEvents must be positive"),
            (maxServerSideEventBytes > 0, "maxServerSideEventBytes must be positive"),
            (maxChildNamespacesPerClient > 0, "maxChildNamespacesPerClient must be positive"),
            (maxAuthSize > 0, "maxAuthSize must be positive"),
            (maxAuthSizePerClient >= maxAuthSize, "maxAuthSizePerClient must not be less than maxAuthSize"),
            (
                rooms.perSocket > 0 && rooms.nameBytes > 0 && rooms.perOperation > 0,
                "rooms.perSocket, nameBytes and perOperation must be positive"
            ),
            (maxDescriptionSize >= 1_024, "maxDescriptionSize must be at least 1 024"),
            (closeTimeout > .zero && drainDuration >= .zero, "closeTimeout must be positive, and drainDuration not negative"),
            ((connectionStateRecovery?.claimsPerClient ?? 1) > 0, "connectionStateRecovery.claimsPerClient must be positive"),
            (eventQueue.events > 0 && eventQueue.bytes > 0, "eventQueue.events and bytes must be positive"),
            (
                eventQueue.hardEvents >= eventQueue.events && eventQueue.hardBytes >= eventQueue.bytes,
                "eventQueue's hard limits must not be below its high water"
            ),
            (connectionStateRecovery?.maxDisconnectionDuration ?? .seconds(1) > .zero, "maxDisconnectionDuration must be positive"),
        ]
        for (holds, message) in rules where !holds { throw SocketIOError(.invalidConfiguration, message) }
    }
}

/// Keeps the session of a client that is cut off: when it comes back, it has its id, rooms and data again and gets what it missed.
public struct ConnectionStateRecovery: Sendable {
    /// How long a session is kept. Default 2 minutes.
    public var maxDisconnectionDuration: Duration
    /// Whether middleware is skipped for recovered sessions. Default: true. If not, it runs before the session is restored, and only
    /// decides: what it stores in the socket's `data` or registers on the socket does not outlast it.
    public var skipMiddlewares: Bool
    /// What is kept of each session.
    public var buffer: RecoveryBuffer.Limit
    /// Sessions that are kept in each namespace for each event loop; further clients start anew. Default 10 000.
    public var sessions: Int
    /// Bytes that all sessions of the server may keep together, those of connected clients included; a packet that many of them keep counts
    /// once. While it is exceeded, sessions keep nothing, and clients that have missed something start anew. Default 256 MiB.
    public var bytes: Int
    /// Sessions that one client may be asking for at the same time, in several namespaces; the next ones wait. Each asks the other nodes.
    /// After as many failures as ``SocketIOConfiguration/maxNamespacesPerClient`` the client starts anew without asking. At least 1. Default 8.
    public var claimsPerClient: Int

    /// Creates a configuration.
    public init(
        maxDisconnectionDuration: Duration = .seconds(120),
        skipMiddlewares: Bool = true,
        buffer: RecoveryBuffer.Limit = .init(),
        sessions: Int = 10_000,
        bytes: Int = 256 << 20,
        claimsPerClient: Int = 8
    ) {
        self.maxDisconnectionDuration = maxDisconnectionDuration
        self.skipMiddlewares = skipMiddlewares
        self.buffer = buffer
        self.sessions = sessions
        self.bytes = bytes
        self.claimsPerClient = claimsPerClient
    }
}
