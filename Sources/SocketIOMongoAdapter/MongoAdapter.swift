// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import SocketIOCluster
public import SocketIOCore

/// Makes this process a node of a cluster over MongoDB: whatever the server does with its sockets, it does with those of all nodes.
///
/// ```swift
/// let io = SocketIOServer(adapter: .mongo("mongodb://db1,db2,db3/?replicaSet=rs0"))
/// ```
///
/// The server starts it and closes it last. Keep the adapter if a readiness probe is to ask for its ``health``.
public final class MongoAdapter: AdapterFactory {
    /// The node: its id, the other nodes, and its health.
    public let node: ClusterNode
    private let driver: any MongoDriver
    private let format: any WireFormat

    /// Makes an adapter that has not started. What is wrong with the configuration is told by its start; see also
    /// ``MongoAdapterConfiguration/validate()``.
    ///
    /// - Parameter configuration: How to reach MongoDB, and how to use it.
    public init(_ configuration: MongoAdapterConfiguration) {
        let epoch = ClusterNode.makeEpoch()
        let format = configuration.makeWireFormat(epoch: epoch)
        self.format = format
        self.driver = configuration.makeDriver(format)
        let behaviour = configuration.clusterConfiguration(format.traits)
        var options = ClusterNode.Options(id: configuration.nodeID, configuration: behaviour)
        options.epoch = epoch
        options.logger = configuration.logger
        options.metrics = ClusterMetrics(factory: configuration.metricsFactory)
        options.onEvent = configuration.onEvent
        let node = ClusterNode(driver: driver, options: options)
        self.node = node
        // The node has the driver, which has the format.
        (format as? NodeJSWireFormat)?.onForeignSession { [weak node] pid, namespace in node?.forgetSession(pid: pid, in: namespace) }
    }

    /// How well the node takes part. A readiness probe asks for its ``SocketIOCore/ClusterHealth/takesPart``: if that is false, other nodes
    /// may not hear this one, or it them. A stream that loses its place three times within a minute counts as deaf, until
    /// a minute has passed without another loss.
    public var health: ClusterHealth {
        let health = node.health
        return health.takesPart && driver.isUnstable ? .deaf : health
    }

    /// Looks at the deployment, sets the collection up and starts to take part. Returns when the node listens, or after
    /// ``SocketIOCluster/ClusterConfiguration/settleTimeout``.
    ///
    /// - Throws: ``MongoAdapterError``: `invalidConfiguration`; `unreachable` or `authentication` within the server selection timeout;
    ///   `unauthorized`; `noChangeStreams`; `collectionMismatch`; `failed`.
    public func start() async throws { try await node.start() }

    /// Tells the other nodes that this one is going to leave. It is still counted and still answers.
    public func drain() async { await node.drain() }

    /// Writes what waits, tells the other nodes that this one has left, and closes its client: within
    /// ``SocketIOCluster/ClusterConfiguration/closeTimeout``, whatever MongoDB does, and whether or not the task is cancelled.
    public func close() async { await node.close() }

    /// Stores sessions as the driver does for a node that leaves, for tests.
    package func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try await driver.storeSessions(sessions, for: duration)
    }

    /// Takes a session as the driver does for a client that comes back, for tests.
    package func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? {
        try await driver.takeSession(pid, in: namespace)
    }

    /// Where copies of sessions are kept, for tests.
    package var snapshotStore: (any SnapshotStore)? { driver.snapshotStore }

    /// What the wire format asks for.
    public var socketIDLength: Int { format.traits.socketIDLength }

    /// Whether the wire format can express it.
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
    /// - Parameter configuration: How to reach MongoDB, and how to use it.
    public static func mongo(_ configuration: MongoAdapterConfiguration) -> MongoAdapter { MongoAdapter(configuration) }
}
#endif
