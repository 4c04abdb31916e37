// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
import SocketIOConcurrency
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
    ///   - onSilence: Called once, at the start, if no node has written to the collection lately.
    package init(
        _ configuration: MongoAdapterConfiguration,
        parser: PacketFormat,
        recovers: Bool,
        onSilence: @escaping @Sendable () -> Void
    ) {
        var configuration = configuration
        configuration.cluster.lanes = 1
        let epoch = ClusterNode.makeEpoch()
        let format = configuration.makeEmitterWireFormat(epoch: epoch)
        format.serve(parser, recovers: recovers)
        self.configuration = configuration.clusterConfiguration(format.traits)
        self.identity = NodeIdentity(id: Self.makeID(configuration.wireFormat), epoch: epoch)
        self.driver = EmitterDriver(connection: MongoConnection(configuration, format: format), onSilence: onSilence)
    }
}

extension MongoEmitterBackend {
    /// Never the id of a node.
    private static func makeID(_ format: MongoAdapterConfiguration.WireFormat) -> String {
        switch format {
        case .nodeJS: EmitterID.prefix
        case .socketioxide: String((EmitterID.prefix + RandomID.make()).prefix(SocketioxideID.length))
        default: EmitterID.prefix + "-" + RandomID.make()
        }
    }
}

/// Only writes, so that any deployment and a single connection suffice.
private final class EmitterDriver: MongoDriver {
    let connection: MongoConnection
    private let writer: BatchWriter
    private let onSilence: @Sendable () -> Void

    init(connection: MongoConnection, onSilence: @escaping @Sendable () -> Void) {
        self.connection = connection
        self.onSilence = onSilence
        self.writer = BatchWriter(connection: connection)
    }

    var isUnstable: Bool { false }

    func start() async throws {
        try await connection.start(needsChangeStreams: nil, threads: 1)
        if await connection.findsNodes() == false { onSilence() }
    }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome { await writer.write(batch) }

    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { AsyncStream { nil } }
}
#endif
