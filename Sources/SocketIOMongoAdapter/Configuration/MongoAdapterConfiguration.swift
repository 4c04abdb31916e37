// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import SocketIOCluster
public import Logging
public import Metrics
public import SocketIOMongoClient
import SocketIOConcurrency
import SocketIOCore

/// The configuration of a node in a cluster over MongoDB.
///
/// All nodes of a cluster must agree on ``database``, ``collection``, ``clusterName`` and ``expiration``, and should use the same
/// heartbeat interval and timeout in ``cluster``. ``validate()`` throws if a value is out of bounds; so does the start of the server.
public struct MongoAdapterConfiguration: Sendable {
    /// How to reach MongoDB.
    public struct Connection: Sendable {
        enum Value: Sendable {
            case connectionString(String)
            case client(MongoClient)
        }
        let value: Value

        /// The adapter creates its own client and closes it.
        public static func connectionString(_ string: String) -> Connection { Connection(value: .connectionString(string)) }
        /// The adapter uses the application's client, which the application must close after the server. Its
        /// `commandThreads` must exceed ``SocketIOCluster/ClusterConfiguration/lanes``.
        public static func client(_ client: MongoClient) -> Connection { Connection(value: .client(client)) }
    }

    /// How old messages are removed. Nodes read messages within milliseconds; keeping them longer only helps a tailable cursor over a
    /// failover, and people who inspect the collection.
    public struct Expiration: Hashable, Sendable {
        enum Value: Hashable, Sendable {
            case ttl(Duration)
            case capped(bytes: Int)
        }
        let value: Value

        /// An ordinary collection with a TTL index: the server deletes messages about that long after they were written.
        /// Bounds: whole seconds, 1 s to 30 days.
        public static func ttl(_ duration: Duration) -> Expiration { Expiration(value: .ttl(duration)) }
        /// A capped collection of that size, which overwrites its oldest messages instead of deleting them one by one. Rounded up to
        /// a multiple of 256 by the server. A message, as a document, may take a quarter of it, at most 15 MiB; a larger one is refused
        /// with `tooLarge`. Bounds: 1 MiB to 1 TiB; with the wire formats of other implementations, whose servers make smaller ones, from
        /// 64 KiB.
        public static func capped(bytes: Int) -> Expiration { Expiration(value: .capped(bytes: bytes)) }

        /// A TTL of 60 s.
        public static let ttl = Expiration.ttl(.seconds(60))
        /// A capped collection of 64 MiB.
        public static let capped = Expiration.capped(bytes: 64 << 20)

        /// Whether the collection is capped.
        var isCapped: Bool { if case .capped = value { true } else { false } }
    }

    /// How messages are read.
    public struct Reading: Hashable, Sendable {
        enum Value: Hashable, Sendable { case changeStream, tailable }
        let value: Value

        /// A change stream: reads what a majority of the replica set has. Needs a replica set or a sharded cluster; works with both
        /// expirations.
        public static let changeStream = Reading(value: .changeStream)
        /// A tailable cursor on the primary: about a third of the latency, and it works on a standalone `mongod`. Needs
        /// ``MongoAdapterConfiguration/Expiration/capped``; does not work on a sharded cluster. A message that a primary loses in a
        /// failover may have been read before. The node that wrote it writes it again, unless that node dies at the same moment: then
        /// some nodes have received the message and others never do.
        public static let tailable = Reading(value: .tailable)
    }

    /// How messages are represented in the collection. All nodes of a cluster must use the same format; changing it requires stopping all
    /// of them.
    public struct WireFormat: Hashable, Sendable {
        enum Value: Hashable, Sendable { case native, nodeJS, socketioxide }
        let value: Value

        /// The format of this package: compact, numbered, and with all of its features.
        public static let native = WireFormat(value: .native)
        /// The format of `@socket.io/mongo-adapter` 0.4 and `@socket.io/mongo-emitter` 0.2: nodes of this package and of Node.js form one
        /// cluster. Each collection is one cluster: ``MongoAdapterConfiguration/clusterName`` has no effect. With ``Expiration/ttl(_:)``,
        /// the Node.js servers need the option `addCreatedAtField`; with ``Expiration/capped(bytes:)`` they must not have it. Needs
        /// ``Reading/changeStream``. See <doc:MixingNodes>.
        public static let nodeJS = WireFormat(value: .nodeJS)
        /// The format of `socketioxide-mongodb` 0.1: nodes of this package and of Rust form one cluster. Each collection is one cluster:
        /// ``MongoAdapterConfiguration/clusterName`` has no effect. Socket ids have 16 characters then, and connection state recovery is
        /// off. `serverSideEmit` throws `ClusterError` with `unsupported`. Start from
        /// ``MongoAdapterConfiguration/socketioxide(connectionString:)``, which has the defaults of the Rust adapter. Unless
        /// ``SocketIOCluster/ClusterConfiguration/pacing`` says otherwise, messages are written in batches of 64, 1 280 a second, because
        /// Rust nodes have small buffers. Needs ``Reading/changeStream``. See <doc:MixingNodes>.
        public static let socketioxide = WireFormat(value: .socketioxide)
    }

    /// How to reach MongoDB.
    public var connection: Connection
    /// The database. Default `nil`: the one in the path of the connection string, or `socketio`.
    public var database: String?
    /// The collection. It is created if it does not exist. Default: `socketio`.
    public var collection = "socketio"
    /// The name that the nodes of one cluster share. Several clusters may use one collection. Default: `default`. Bounds: 1 to 128 bytes.
    public var clusterName = "default"
    /// The id of this node, unique among all running nodes. Default `nil`: 16 random characters, other ones for each adapter. Bounds: 1 to
    /// 128 bytes that do not begin with `emitter`; with ``WireFormat-swift.struct/socketioxide`` it must be nil, because Rust nodes do not announce themselves to an id that
    /// they know from before a restart.
    public var nodeID: NodeID?

    /// How messages are represented in the collection. Default: ``WireFormat-swift.struct/native``.
    public var wireFormat = WireFormat.native

    /// Keys with which nodes and emitters sign their documents, so that access to the database alone is not enough to act as a server. The
    /// first key signs; documents signed with any of the keys are read. Other documents are skipped, counted and logged, and change
    /// ``MongoAdapter/health``. All nodes and emitters of the cluster must share a key, and their clocks must agree within ten minutes.
    /// Needs ``WireFormat-swift.struct/native``. Default: none, nothing is signed. Bounds: up to 8 keys of 32 to 1 024 bytes. See
    /// <doc:RunningManyNodes>.
    public var signingKeys: [SigningKey] = []
    /// Whether unsigned documents are read as well. Use it only while keys are being introduced, because anyone with write access to the
    /// database can leave the signature out. Default: false.
    public var acceptsUnsigned = false

    /// How old messages are removed. Default: ``Expiration/ttl-swift.type.property``, 60 s.
    public var expiration = Expiration.ttl
    /// Whether the lifetime in an existing index may be changed to that of ``expiration``. If not, the server does not start with an index
    /// that has another lifetime. Default: false.
    public var managesTTL = false
    /// How messages are read. Default: ``Reading/changeStream``.
    public var reading = Reading.changeStream

    /// The node's behaviour in its cluster: heartbeats, requests, batches, and limits.
    ///
    /// The properties ``SocketIOCluster/ClusterConfiguration/announcesNamespaces``,
    /// ``SocketIOCluster/ClusterConfiguration/unwrittenKinds`` and
    /// ``SocketIOCluster/ClusterConfiguration/reportsEachMissingAcknowledgement`` follow from ``wireFormat``; what they are set to has no
    /// effect. ``SocketIOCluster/ClusterConfiguration/pacing`` does if it is nil. On a sharded
    /// cluster, set ``SocketIOCluster/ClusterConfiguration/deafnessTimeout`` to 30 s or more.
    /// ``SocketIOCluster/ClusterConfiguration/snapshotsSessions`` needs ``WireFormat-swift.struct/native``.
    public var cluster = ClusterConfiguration()

    /// How long the server waits for a message before it sends an empty answer. It does not delay messages; it bounds how long closing
    /// takes. Default: 500 ms. Bounds: 10 ms to 10 s.
    public var maxAwaitTime = Duration.milliseconds(500)
    /// The maximum number of messages in one answer of the server. Default `nil`: as many as fit into 16 MiB. Bounds: at least 1.
    public var readBatchSize: Int?

    /// The node's logger. Default: the logger of the server that the adapter is given to; until it is set, or a property of it, the value
    /// is a logger labelled `socketio.cluster`.
    public var logger: Logger {
        get { ownLogger ?? NodeLogger.standard }
        set { ownLogger = newValue }
    }
    /// The node's own logger; nil if it uses that of the server.
    var ownLogger: Logger?
    /// The factory of the metrics. Default `nil`: the one that the process has bootstrapped.
    public var metricsFactory: (any MetricsFactory)?
    /// Called with each event in the cluster, such as a gap. It can be called from any thread and must not block.
    public var onEvent: @Sendable (ClusterEvent) -> Void = { _ in }

    /// The time of day in milliseconds since 1970, for tests. What is written carries the server's time, whatever this is.
    package var wallClock: @Sendable () -> Int64 = { WallClock.millisecondsSince1970() }

    /// Makes a configuration with the defaults.
    ///
    /// - Parameter connection: How to reach MongoDB.
    public init(_ connection: Connection) { self.connection = connection }

    /// Makes a configuration with the defaults.
    ///
    /// - Parameter connectionString: `mongodb://…` or `mongodb+srv://…` with all its options.
    public init(connectionString: String) { self.init(.connectionString(connectionString)) }

    /// Makes a configuration for a cluster with Rust nodes, with the defaults of `socketioxide-mongodb` 0.1: its wire format, the
    /// collection `socket.io-adapter`, a TTL of 60 s, a heartbeat every 10 s and death after 60 s of silence. Set ``database`` too.
    ///
    /// - Parameter connectionString: `mongodb://…` or `mongodb+srv://…` with all its options.
    public static func socketioxide(connectionString: String) -> MongoAdapterConfiguration {
        var configuration = MongoAdapterConfiguration(connectionString: connectionString)
        configuration.wireFormat = .socketioxide
        configuration.collection = "socket.io-adapter"
        configuration.cluster.heartbeatInterval = .seconds(10)
        configuration.cluster.heartbeatTimeout = .seconds(60)
        return configuration
    }
}
#endif
