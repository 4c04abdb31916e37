// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOCore

/// The backend of an emitter over MongoDB: it writes messages as a node does, and never reads any.
package struct MongoEmitterBackend: Sendable {
    /// Writes the messages. Its stream is never opened.
    package let driver: any Driver
    /// How messages are batched, queued and retried.
    package let configuration: ClusterConfiguration
    /// The sender of the messages.
    package let identity: NodeIdentity

    /// - Parameters:
    ///   - configuration: How to connect to MongoDB and how to use it.
    ///   - parser: The parser of the servers.
    ///   - recovers: Whether connection state recovery is enabled in the servers.
    package init(_ configuration: MongoAdapterConfiguration, parser: PacketFormat, recovers: Bool) {
        var configuration = configuration
        configuration.cluster.lanes = 1
        let epoch = ClusterNode.makeEpoch()
        let format = configuration.makeEmitterWireFormat(epoch: epoch)
        format.serve(parser, recovers: recovers)
        self.configuration = configuration.clusterConfiguration(format.traits)
        // 16 characters, as the wire format of socketioxide requires.
        let random = String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16)
        let id = configuration.wireFormat == .nodeJS ? NodeJSWireFormat.emitter : configuration.nodeID ?? random
        self.identity = NodeIdentity(id: id, epoch: epoch)
        self.driver = EmitterDriver(connection: MongoConnection(configuration, format: format))
    }
}

/// Only writes, so that any deployment and a single connection suffice.
private final class EmitterDriver: MongoDriver {
    let connection: MongoConnection
    private let writer: BatchWriter

    init(connection: MongoConnection) {
        self.connection = connection
        self.writer = BatchWriter(connection: connection)
    }

    var isUnstable: Bool { false }

    func start() async throws { try await connection.start(needsChangeStreams: nil, threads: 1) }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome { await writer.write(batch) }

    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { AsyncStream { nil } }
}
#endif
