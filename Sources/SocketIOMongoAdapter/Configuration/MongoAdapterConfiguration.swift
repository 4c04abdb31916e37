// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import SocketIOCluster
public import Logging
public import Metrics
public import SocketIOMongoClient
import SocketIOCore

/// How a node takes part in a cluster over MongoDB.
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

        /// The adapter makes a client of its own and closes it.
        public static func connectionString(_ string: String) -> Connection { Connection(value: .connectionString(string)) }
        /// The adapter uses a client of the application, which must close it after the server. Its
        /// `commandThreads` must be more than ``MongoAdapterConfiguration/cluster``.`lanes`.
        public static func client(_ client: MongoClient) -> Connection { Connection(value: .client(client)) }
    }

    /// How old messages go away. Nodes read messages within milliseconds; what is kept longer only helps a tailable cursor over a
    /// fail-over, and people who look into the collection.
    public struct Expiration: Hashable, Sendable {
        enum Value: Hashable, Sendable {
            case ttl(Duration)
            case capped(bytes: Int)
        }
        let value: Value

        /// An ordinary collection with a TTL index: the server deletes messages about that long after they were written.
        /// Bounds: whole seconds, 1 s to 30 days.
        public static func ttl(_ duration: Duration) -> Expiration { Expiration(value: .ttl(duration)) }
        /// A capped collection of that size, which overwrites its oldest messages: nothing has to be deleted one by one. Rounded up to
        /// a multiple of 256 by the server. Bounds: 1 MiB to 1 TiB.
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

        /// A change stream: what a majority of the replica set has. Needs a replica set or a sharded cluster; works with both
        /// expirations.
        public static let changeStream = Reading(value: .changeStream)
        /// A tailable cursor on the primary: about a third of the latency, and it works on a standalone `mongod`. Needs
        /// ``MongoAdapterConfiguration/Expiration/capped``; does not work on a sharded cluster. What a primary loses in a fail-over may
        /// have been read before; the node that wrote it writes it again, unless it dies in that moment, and then some nodes have got
        /// the message and others never do.
        public static let tailable = Reading(value: .tailable)
    }

    /// How messages stand in the collection. All nodes of a cluster use the same; changing it means to stop all of them.
    public struct WireFormat: Hashable, Sendable {
        enum Value: Hashable, Sendable { case native, nodeJS, socketioxide }
        let value: Value

        /// The format of this package: compact, numbered, and with all that it offers.
        public static let native = WireFormat(value: .native)
        /// The format of `@socket.io/mongo-adapter` 0.4 and `@socket.io/mongo-emitter` 0.2: nodes of this package and of Node.js form one
        /// cluster. The collection is the cluster: ``MongoAdapterConfiguration/clusterName`` has no meaning. With ``Expiration/ttl(_:)`` the
        /// Node.js servers need the option `addCreatedAtField`; with ``Expiration/capped(bytes:)`` they must not have it. Needs
        /// ``Reading/changeStream``. See <doc:MixingNodes>.
        public static let nodeJS = WireFormat(value: .nodeJS)
        /// The format of `socketioxide-mongodb` 0.1: nodes of this package and of Rust form one cluster. The collection is the cluster:
        /// ``MongoAdapterConfiguration/clusterName`` has no meaning. Socket ids have 16 characters then, and connection state recovery is
        /// off. `serverSideEmit` throws `ClusterError` with `unsupported`. Start from ``MongoAdapterConfiguration/socketioxide(connectionString:)``,
        /// which has the defaults of the Rust adapter. Needs ``Reading/changeStream``. See <doc:MixingNodes>.
        public static let socketioxide = WireFormat(value: .socketioxide)
    }

    /// How to reach MongoDB.
    public var connection: Connection
    /// The database. Default `nil`: the one that the path of the connection string names, else `socketio`.
    public var database: String?
    /// The collection. It is created if it is not there. Default: `socketio`.
    public var collection = "socketio"
    /// The name that the nodes of one cluster share. Several clusters may use one collection. Default: `default`. Bounds: 1 to 128 bytes.
    public var clusterName = "default"
    /// The id of this node, unique among those that are alive. Default `nil`: 16 random hexadecimal digits. Bounds: 1 to 128 bytes.
    public var nodeID: NodeID?

    /// How messages stand in the collection. Default: ``WireFormat-swift.struct/native``.
    public var wireFormat = WireFormat.native

    /// Keys with which nodes and emitters sign what they write, so that it does not suffice to write to the database, or to read it, to speak
    /// for the server. The first one signs; what is signed with any of them is read. What is not is skipped, counted and logged, and
    /// shows in ``MongoAdapter/health``. All nodes and emitters of the cluster must have a key in common, and clocks
    /// that agree within ten minutes. Needs ``WireFormat-swift.struct/native``. Default: none, nothing is signed. Bounds: up to 8 keys of 32 to 1 024 bytes.
    /// See <doc:RunningManyNodes>.
    public var signingKeys: [SigningKey] = []
    /// Whether what has no signature is read all the same, for the time in which keys are being introduced: whoever may write to the database
    /// can leave the signature out. Default: false.
    public var acceptsUnsigned = false

    /// How old messages go away. Default: ``Expiration/ttl-swift.type.property``, 60 s.
    public var expiration = Expiration.ttl
    /// Whether the lifetime of an index that is there already may be changed to that of ``expiration``; if not, another lifetime ends
    /// the start of the server. Default: false.
    public var managesTTL = false
    /// How messages are read. Default: ``Reading/changeStream``.
    public var reading = Reading.changeStream

    /// How the node takes part in its cluster: heartbeats, requests, batches, and limits.
    ///
    /// The properties ``SocketIOCluster/ClusterConfiguration/announcesNamespaces`` and
    /// ``SocketIOCluster/ClusterConfiguration/unwrittenKinds`` follow from ``wireFormat``; what they are set to has no effect. On a sharded
    /// cluster, set ``SocketIOCluster/ClusterConfiguration/deafnessTimeout`` to 30 s or more.
    /// ``SocketIOCluster/ClusterConfiguration/snapshotsSessions`` needs ``WireFormat-swift.struct/native``.
    public var cluster = ClusterConfiguration()

    /// How long the server waits for a message before it answers with nothing. It does not delay messages; it bounds how long closing
    /// takes. Default: 500 ms. Bounds: 10 ms to 10 s.
    public var maxAwaitTime = Duration.milliseconds(500)
    /// Messages in one answer of the server at most. Default `nil`: as many as fit into 16 MiB. Bounds: at least 1.
    public var readBatchSize: Int?

    /// Where the node logs. Default: a logger labelled `socketio.cluster`.
    public var logger = Logger(label: "socketio.cluster")
    /// Gets the metrics. Default `nil`: the factory that is bootstrapped for the process.
    public var metricsFactory: (any MetricsFactory)?
    /// Gets what happens in the cluster, such as gaps. Called from any thread; it must not wait.
    public var onEvent: @Sendable (ClusterEvent) -> Void = { _ in }

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
