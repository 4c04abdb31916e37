// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIO
public import SocketIOCore
import SocketIOText

/// The options of a ``SocketIOServer``, with the names and defaults of Socket.IO.
public struct SocketIOConfiguration: Sendable {
    /// The options of the transports: path, ping, sizes, CORS, cookies.
    public var engine = EngineConfiguration()
    /// The parser; clients must use the same one. Default: JSON.
    public var parser = PacketFormat.json
    /// How long a client may take to join its first namespace before its connection is closed. Default 45 s.
    public var connectTimeout: Duration = .seconds(45)
    /// Whether a child of a dynamic namespace is removed when its last socket has left. Default: false, as in Socket.IO.
    public var cleanupEmptyChildNamespaces = false
    /// Keeps the sessions of clients whose connection breaks. Default: nil, off, as in Socket.IO.
    public var connectionStateRecovery: ConnectionStateRecovery?
    /// Bounds of what clients and other servers can make this server keep or do.
    public var limits = Limits()
    /// How long `socket.emitWithAck` waits if `timeout` is not given; nil for as long as the client is connected. Positive. Default 1 minute.
    ///
    /// Socket.IO waits indefinitely. Here, a handler that waited so long would hold up all further events of its client, since they are
    /// handled one after the other. If people have to answer, pass a longer `timeout`, or nil here.
    public var acknowledgementTimeout: Duration? = .seconds(60)
    /// How long a broadcast waits for acknowledgements if `timeout` is not given. Positive. Default 5 s.
    public var broadcastAcknowledgementTimeout: Duration = .seconds(5)
    /// Whether every broadcast waits until the other processes are certain to receive it, as if `confirmed` was used;
    /// the same goes for commands to remote sockets and for `serverSideEmit`. Then a handler that emits holds back its client's next event
    /// for the time of a write to the database. Default: false. It has no effect without a cluster.
    public var confirmsBroadcasts = false
    /// Whether handlers run on the global thread pool instead of their client's event loop. Set it if they block their thread, for example
    /// in synchronous file or database calls; it costs two thread hops per event. Default: false.
    public var handlersBlock = false
    /// The period over which clients are disconnected at shutdown, in random batches, so that they do not all reconnect elsewhere at once.
    /// Default 5 s; there is a batch every 100 ms, so a few clients are disconnected sooner.
    public var drainDuration: Duration = .seconds(5)
    /// How long closing may take after the clients have been disconnected: running hooks, storing sessions, writing messages, notifying the
    /// other nodes, and with ``SocketIOServer/run(host:port:signals:responder:onListening:)`` closing connections. The rest is aborted, which is
    /// logged. Hooks are cancelled after a quarter of the time. Positive. Default 20 s, enough for an election of the database; with
    /// ``drainDuration`` that makes 25 s, and Kubernetes gives a process 30 s.
    public var closeTimeout: Duration = .seconds(20)
    /// A file with the JavaScript client, served as `<path>/socket.io.js`; it is read when the server starts. Default: nil, none.
    public var serveClient: String?
    /// Called for every change of a room in this process, with the namespace's name, on the event loop where it happens. Default: nil.
    public var onRoomEvent: (@Sendable (_ namespace: String, _ event: RoomEvent) -> Void)?

    /// Creates the default configuration.
    public init() {}

    /// Checks that all options have values with which a server can work. ``SocketIOServer/start()`` does it too.
    ///
    /// - Throws: ``SocketIOError`` with `invalidConfiguration`, which says what to change.
    public func validate() throws {
        do { try engine.validate() } catch { throw SocketIOError(.invalidConfiguration, "engine.\(error)") }
        let rules: [(Bool, String)] = [
            (connectTimeout > .zero, "connectTimeout must be positive"),
            (closeTimeout > .zero && drainDuration >= .zero, "closeTimeout must be positive, and drainDuration not negative"),
            (acknowledgementTimeout ?? .seconds(1) > .zero, "acknowledgementTimeout must be positive, or nil"),
            (broadcastAcknowledgementTimeout > .zero, "broadcastAcknowledgementTimeout must be positive"),
            ((connectionStateRecovery?.claimsPerClient ?? 1) > 0, "connectionStateRecovery.claimsPerClient must be positive"),
            (connectionStateRecovery?.maxDisconnectionDuration ?? .seconds(1) > .zero, "maxDisconnectionDuration must be positive"),
        ]
        for (holds, message) in rules + limits.rules where !holds { throw SocketIOError(.invalidConfiguration, message) }
    }
}

/// Keeps the session of a client whose connection breaks: when it reconnects, it has its id, rooms and data again and gets what it missed.
public struct ConnectionStateRecovery: Sendable {
    /// How long a session is kept. Default 2 minutes.
    public var maxDisconnectionDuration: Duration
    /// Whether middleware is skipped for recovered sessions. Default: true. If not, it runs before the session is restored and can only
    /// accept or refuse: values that it stores in the socket's `data` and handlers that it registers are discarded.
    public var skipMiddlewares: Bool
    /// The events that are kept for each session.
    public var buffer: RecoveryBuffer.Limit
    /// Sessions that are kept per namespace and event loop; further clients get a new session. Default 10 000.
    public var sessions: Int
    /// Bytes that all sessions of the server may keep together, including those of connected clients; a packet that several of them keep
    /// counts once. Beyond that, sessions keep nothing, and clients that have missed something get a new session. Default 256 MiB.
    public var bytes: Int
    /// Sessions that one client may claim at the same time, in several namespaces; further claims wait. Each claim is a request to the other
    /// nodes. After as many failed claims as ``SocketIOConfiguration/Limits/namespacesPerClient`` the client gets new sessions without a
    /// request. At least 1. Default 8.
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
