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
/// All nodes of a cluster must agree on ``database``, ``collection``, ``cluster`` and ``expiration``, and should use the same
/// ``heartbeatInterval`` and ``heartbeatTimeout``. ``validate()`` tells what is out of bounds; so does the start of the server.
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
        /// `commandThreads` must be more than ``MongoAdapterConfiguration/lanes``.
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
        /// cluster. The collection is the cluster: ``MongoAdapterConfiguration/cluster`` has no meaning. With ``Expiration/ttl(_:)`` the
        /// Node.js servers need the option `addCreatedAtField`; with ``Expiration/capped(bytes:)`` they must not have it. Needs
        /// ``Reading/changeStream``. See <doc:MixingNodes>.
        public static let nodeJS = WireFormat(value: .nodeJS)
        /// The format of `socketioxide-mongodb` 0.1: nodes of this package and of Rust form one cluster. The collection is the cluster:
        /// ``MongoAdapterConfiguration/cluster`` has no meaning. Socket ids have 16 characters then, and connection state recovery is
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
    public var cluster = "default"
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

    /// How often a node says that it is alive. Default: 5 s. Bounds: 100 ms to 1 h.
    public var heartbeatInterval = Duration.seconds(5)
    /// After what silence a node is taken for dead. Default: 10 s. Bounds: at least twice ``heartbeatInterval``.
    public var heartbeatTimeout = Duration.seconds(10)
    /// How long a request to other nodes, such as `fetchSockets`, waits for answers if its caller does not say. Default: 5 s.
    /// Bounds: above 0.
    public var requestTimeout = Duration.seconds(5)
    /// How long a node that has just started waits for the others to say that they are there, before it makes requests such as
    /// `fetchSockets`; what is emitted behind an `emitWithAck` waits with it. It counts from the return of the node's first message.
    /// Default: 300 ms. Bounds: 0 to 1 min.
    public var settleTime = Duration.milliseconds(300)
    /// After what time requests are made in any case, also if nothing has come back; the start of the server waits no longer for its
    /// stream either. Default: 5 s. Bounds: at least ``settleTime``, at most 1 h.
    public var settleLimit = Duration.seconds(5)
    /// The number of requests of this node that wait for answers; further ones throw `tooManyRequests`. Default: 10 000.
    /// Bounds: at least 1.
    public var maximumPendingRequests = 10_000
    /// The size in bytes of all answers to one request; a node whose answer exceeds it counts as missing. Default: 64 MiB.
    /// Bounds: at least 1.
    public var maximumAnswerBytes = 64 << 20
    /// The number of sockets in one message that answers `fetchSockets`; more are sent in several, and so are those that are too large
    /// for one. Default: 1 000. Bounds: 1 to 100 000.
    public var socketsPerAnswer = 1_000
    /// How long a message may wait to be written before `emit` throws. It is also the time for which writing is tried again.
    /// Default: 30 s, longer than an election. Bounds: at least 1 s.
    public var writeDeadline = Duration.seconds(30)
    /// How long the closing of the adapter takes at most, whatever MongoDB does: storing sessions, writing what waits, saying that the node
    /// leaves, and ending the connections. Default: 15 s, longer than an election. Bounds: 1 s to 1 h.
    public var closeTimeout = Duration.seconds(15)
    /// The same if MongoDB cannot be written to when the closing begins. Default: 5 s. Bounds: 1 s to 1 h.
    public var unreachableCloseTimeout = Duration.seconds(5)
    /// How late a message of the node itself may come back before the stream is opened again and the node calls itself deaf.
    /// It may be shorter than ``heartbeatInterval``: only what was written is waited for. Default: 10 s. Bounds: at least 1 s; 30 s or
    /// more on a sharded cluster, whose streams wait for the slowest shard.
    public var deafnessLimit = Duration.seconds(10)
    /// The number of acknowledgements of one broadcast that wait to be read; further ones are dropped and counted. Default: 100 000.
    /// Bounds: at least 1.
    public var acknowledgementBuffer = 100_000

    /// Whether copies of the sessions of connected clients are kept in MongoDB, so that connection state recovery works also after their
    /// node has crashed: **at least once**, with what ``SocketIOCore/ClusterConfiguration/snapshotsSessions`` says of cost and
    /// limits. All nodes must have the same; it has no effect unless the server has connection state recovery on. Needs
    /// ``WireFormat-swift.struct/native``. Default: false. See <doc:RunningManyNodes>.
    public var snapshotsSessions = false

    /// The number of batches that are written at the same time. All messages of a namespace use one lane, so that their order is kept;
    /// more lanes help only applications with several busy namespaces. Default: 1. Bounds: 1 to 64.
    public var lanes = 1
    /// The largest number of messages in a batch. Default: 1 000. Bounds: 1 to 10 000.
    public var batchMessages = 1_000
    /// The largest size of a batch in bytes, unless it is one message. Default: 8 MB. Bounds: 1 kB to 15 MB.
    public var batchBytes = 8_000_000
    /// The number of messages that wait in a lane; when it is reached, `emit` waits. Of answers to other nodes no more are kept; the
    /// node that asked gets an error instead. Default: 10 000. Bounds: at least 1.
    public var queueMessages = 10_000
    /// The size in bytes of the messages that wait in a lane; when it is reached, `emit` waits. The same bounds the answers to other
    /// nodes. Default: 64 MiB. Bounds: at least 1.
    public var queueBytes = 64 << 20

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
        configuration.heartbeatInterval = .seconds(10)
        configuration.heartbeatTimeout = .seconds(60)
        return configuration
    }
}
#endif
