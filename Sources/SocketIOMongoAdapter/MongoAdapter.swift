// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import Logging
public import SocketIOCluster
public import SocketIOCore

/// Makes this process a node of a cluster over MongoDB: operations on the server's sockets apply to the sockets of all nodes.
///
/// ```swift
/// let io = SocketIOServer(adapter: .mongo("mongodb://db1,db2,db3/?replicaSet=rs0"))
/// ```
///
/// The server starts the adapter, and closes it last. Keep a reference if a readiness probe checks its ``health``.
public final class MongoAdapter: AdapterFactory {
    /// The node: its id, the other nodes, and its health.
    public let node: ClusterNode
    private let driver: any MongoDriver
    private let format: any WireFormat

    /// Creates an adapter without starting it. ``start()`` throws if the configuration is not valid; see also
    /// ``MongoAdapterConfiguration/validate()``.
    ///
    /// - Parameter configuration: How to connect to MongoDB and how to use it.
    public init(_ configuration: MongoAdapterConfiguration) {
        let epoch = ClusterNode.makeEpoch()
        let format = configuration.makeWireFormat(epoch: epoch)
        self.format = format
        self.driver = configuration.makeDriver(format)
        let behaviour = configuration.clusterConfiguration(format.traits)
        var options = ClusterNode.Options(id: configuration.nodeID, configuration: behaviour)
        options.epoch = epoch
        options.ownLogger = configuration.ownLogger
        options.metrics = ClusterMetrics(factory: configuration.metricsFactory)
        options.onEvent = configuration.onEvent
        let node = ClusterNode(driver: driver, options: options)
        self.node = node
        // The node has the driver, which has the format.
        (format as? NodeJSWireFormat)?.onForeignSession { [weak node] pid, namespace in node?.discardSession(pid: pid, in: namespace) }
    }

    /// The health of the node. Readiness probes should check ``SocketIOCluster/ClusterHealth/takesPart``: if it is false, messages from or
    /// to other nodes may not arrive. A stream that loses its position three times within a minute counts as deaf, until a minute passes
    /// without another loss. If another program has made the collection anew with other options, it is
    /// ``SocketIOCluster/ClusterHealth/mismatched``; the log says how they differ.
    public var health: ClusterHealth { node.health }

    /// Why no clients should be routed to this node; nil if its ``health`` says that it takes part.
    public var problem: String? { health.problem }

    /// Logs to the server's logger from now on, unless the configuration has a logger.
    public func useLogger(_ logger: Logger) {
        node.useLogger(logger)
        driver.connection.logger.use(logger)
    }

    /// Checks the deployment, sets up the collection and starts the node. Returns when the node reads messages, or after
    /// ``SocketIOCluster/ClusterConfiguration/settleTimeout``.
    ///
    /// - Throws: ``MongoAdapterError``: `invalidConfiguration`; `unreachable` or `authentication` within the server selection timeout;
    ///   `unauthorized`; `noChangeStreams`; `collectionMismatch`; `failed`.
    public func start() async throws {
        try driver.connection.configuration.validate()
        try await node.start()
    }

    /// Announces that this node is about to leave. Until then it still counts and answers requests.
    public func drain() async { await node.drain() }

    /// Writes queued messages, announces that this node has left, and closes its client: within
    /// ``SocketIOCluster/ClusterConfiguration/closeTimeout``, whatever MongoDB does, and whether or not the task is cancelled.
    public func close() async { await node.close() }

    /// Stores sessions as the driver does when a node leaves, for tests.
    package func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try await driver.storeSessions(sessions, for: duration)
    }

    /// Takes a session as the driver does for a client that comes back, for tests.
    package func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? {
        try await driver.takeSession(pid, in: namespace)
    }

    /// The store of session snapshots, for tests.
    package var snapshotStore: (any SnapshotStore)? { driver.snapshotStore }

    /// The length that the wire format requires.
    public var socketIDLength: Int { format.traits.socketIDLength }

    /// Whether the wire format supports connection state recovery.
    public var recoversSessions: Bool { format.traits.recoversSessions }

    /// Makes the adapter of a namespace.
    public func makeAdapter(_ context: AdapterContext) -> any Adapter {
        format.serve(context.local.format, recovers: context.local.recovers)
        return node.makeAdapter(context)
    }
}

extension AdapterFactory where Self == MongoAdapter {
    /// Makes the server a node of a cluster over MongoDB, with the defaults of ``MongoAdapterConfiguration``.
    ///
    /// - Parameter connectionString: `mongodb://…` or `mongodb+srv://…` with all its options; its path may name the database.
    public static func mongo(_ connectionString: String) -> MongoAdapter {
        MongoAdapter(MongoAdapterConfiguration(connectionString: connectionString))
    }

    /// Makes the server a node of a cluster over MongoDB.
    ///
    /// - Parameter configuration: How to connect to MongoDB and how to use it.
    public static func mongo(_ configuration: MongoAdapterConfiguration) -> MongoAdapter { MongoAdapter(configuration) }
}
#endif
