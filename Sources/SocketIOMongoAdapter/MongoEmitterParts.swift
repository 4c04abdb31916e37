#if MongoDB
package import SocketIOCore

/// What an emitter over MongoDB consists of: it writes as a node does, and does nothing else that nodes do.
package struct MongoEmitterParts: Sendable {
    /// Carries the messages. Its stream is never opened.
    package let driver: any Driver
    /// How messages are written.
    package let configuration: ClusterConfiguration
    /// Who the messages come from.
    package let identity: NodeIdentity

    /// - Parameter configuration: How to reach MongoDB, and how to use it.
    package init(_ configuration: MongoAdapterConfiguration) {
        var configuration = configuration
        configuration.lanes = 1
        self.configuration = configuration.clusterConfiguration
        let id = configuration.nodeID ?? "emitter-" + String(UInt64.random(in: .min ... .max), radix: 16)
        self.identity = NodeIdentity(id: id, epoch: UInt64.random(in: 1...UInt64(Int64.max) - 1_000_000))
        self.driver = ChangeStreamDriver(
            connection: MongoConnection(configuration, format: NativeWireFormat(cluster: configuration.cluster))
        )
    }
}
#endif
