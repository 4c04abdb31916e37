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
    /// Bytes that a client's name of an event may have; a longer one closes the connection with `parse error`. Default 256, since names are
    /// written in code; at most 65 536. Names with more than 256 combining marks in a row are refused whatever the limit is.
    public var maxEventNameLength = 256
    /// Namespaces that one client may join, those included for which middleware still runs; further ones are refused. Default 100.
    public var maxNamespacesPerClient = 100
    /// Children that dynamic namespaces may have in all; a client that asks for another one is refused. Default 10 000.
    public var maxChildNamespaces = 10_000
    /// Events of other processes that one namespace may be handling at a time; further ones are dropped, counted, and reported to the error
    /// hook once, until half of them are done. Default 10 000.
    public var maxServerSideEvents = 10_000
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
        let rules: [(Bool, String)] = [
            (engine.path.hasPrefix("/"), "engine.path must start with a slash"),
            (!engine.transports.isEmpty, "engine.transports must name at least one transport"),
            (engine.pingInterval > .zero && engine.pingTimeout > .zero, "engine.pingInterval and pingTimeout must be positive"),
            (engine.maxHTTPBufferSize > 0, "engine.maxHTTPBufferSize must be positive"),
            (connectTimeout > .zero, "connectTimeout must be positive"),
            (maxAttachments >= 0 && maxNamespacesPerClient > 0, "maxAttachments and maxNamespacesPerClient must not be negative"),
            ((1...65_536).contains(maxEventNameLength), "maxEventNameLength must be between 1 and 65 536"),
            (maxServerSideEvents > 0 && maxChildNamespaces >= 0, "maxServerSideEvents must be positive"),
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

    /// Creates a configuration.
    public init(
        maxDisconnectionDuration: Duration = .seconds(120),
        skipMiddlewares: Bool = true,
        buffer: RecoveryBuffer.Limit = .init(),
        sessions: Int = 10_000,
        bytes: Int = 256 << 20
    ) {
        self.maxDisconnectionDuration = maxDisconnectionDuration
        self.skipMiddlewares = skipMiddlewares
        self.buffer = buffer
        self.sessions = sessions
        self.bytes = bytes
    }
}
