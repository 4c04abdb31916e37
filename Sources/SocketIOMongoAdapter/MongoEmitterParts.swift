// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOCore

/// What an emitter over MongoDB consists of: it writes as a node does, and does nothing else that nodes do.
package struct MongoEmitterParts: Sendable {
    /// Carries the messages. Its stream is never opened.
    package let driver: any Driver
    /// How messages are written.
    package let configuration: ClusterConfiguration
    /// Who the messages come from.
    package let identity: NodeIdentity

    /// - Parameters:
    ///   - configuration: How to reach MongoDB, and how to use it.
    ///   - parser: The parser of the servers.
    ///   - recovers: Whether they have connection state recovery on.
    package init(_ configuration: MongoAdapterConfiguration, parser: PacketFormat, recovers: Bool) {
        var configuration = configuration
        configuration.lanes = 1
        let epoch = ClusterNode.makeEpoch()
        let format = configuration.makeEmitterWireFormat(epoch: epoch)
        format.serve(parser, recovers: recovers)
        self.configuration = configuration.clusterConfiguration(format.traits)
        // 16 characters, which is what the wire format of Rust asks for.
        let random = String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16)
        let id = configuration.wireFormat == .nodeJS ? NodeJSWireFormat.emitter : configuration.nodeID ?? random
        self.identity = NodeIdentity(id: id, epoch: epoch)
        self.driver = EmitterDriver(connection: MongoConnection(configuration, format: format))
    }
}

/// Writes, and reads nothing: any deployment will do, and one connection.
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

extension MongoAdapterConfiguration {
    fileprivate func makeEmitterWireFormat(epoch: UInt64) -> any SocketIOMongoAdapter.WireFormat {
        // Documents of emitters in Node.js are of nobody in particular.
        wireFormat == .nodeJS
            ? NodeJSWireFormat(addsCreatedAt: !expiration.isCapped, life: 0, isEmitter: true) : makeWireFormat(epoch: epoch)
    }

    /// Makes what carries messages in a format.
    func makeDriver(_ format: any SocketIOMongoAdapter.WireFormat) -> any MongoDriver {
        let connection = MongoConnection(self, format: format)
        guard reading == .tailable, let format = format as? any TailableWireFormat else {
            return ChangeStreamDriver(connection: connection)
        }
        return TailableDriver(connection: connection, format: format)
    }
}
#endif
