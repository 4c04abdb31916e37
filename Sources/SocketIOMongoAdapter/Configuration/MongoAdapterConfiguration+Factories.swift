// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import SocketIOCore
import SocketIOText

/// Makes the parts of a node or an emitter from its configuration.
extension MongoAdapterConfiguration {
    /// Makes the wire format of a node.
    ///
    /// - Parameter epoch: The node's first epoch.
    func makeWireFormat(epoch: UInt64) -> any SocketIOMongoAdapter.WireFormat {
        switch wireFormat.value {
        case .native: NativeWireFormat(cluster: clusterName, signer: makeSigner())
        case .nodeJS: NodeJSWireFormat(addsCreatedAt: !expiration.isCapped, life: epoch, writeTimeout: cluster.writeTimeout)
        case .socketioxide: SocketioxideWireFormat(hasDates: !expiration.isCapped)
        }
    }

    /// Makes the wire format of an emitter.
    ///
    /// - Parameter epoch: The emitter's epoch.
    func makeEmitterWireFormat(epoch: UInt64) -> any SocketIOMongoAdapter.WireFormat {
        // Documents of the Node.js emitter do not name a node.
        wireFormat == .nodeJS
            ? NodeJSWireFormat(addsCreatedAt: !expiration.isCapped, life: 0, isEmitter: true) : makeWireFormat(epoch: epoch)
    }

    /// Makes the signer and verifier of documents; nil without keys.
    func makeSigner() -> Signer? { Signer(keys: signingKeys, acceptsUnsigned: acceptsUnsigned) }

    /// Makes the driver that writes and reads messages in a wire format.
    func makeDriver(_ format: any SocketIOMongoAdapter.WireFormat) -> any MongoDriver {
        let connection = MongoConnection(self, format: format)
        guard reading == .tailable, let format = format as? any TailableWireFormat else {
            return ChangeStreamDriver(connection: connection)
        }
        return TailableDriver(connection: connection, format: format)
    }

    /// ``cluster``, adapted to a wire format.
    func clusterConfiguration(_ traits: WireFormatTraits) -> ClusterConfiguration {
        var result = cluster
        result.announcesNamespaces = traits.announcesNamespaces
        result.unwrittenKinds = traits.unwrittenKinds
        result.reportsEachMissingAcknowledgement = traits.reportsEachMissingAcknowledgement
        result.pacing = cluster.pacing ?? traits.pacing
        // A wire format without partial answers has exactly one answer.
        if traits.socketsPerAnswer == .max { result.maximumSocketsPerAnswer = .max }
        result.maximumBatchBytes = max(1_000, cluster.maximumBatchBytes / traits.expansion)
        return result
    }

    /// The maximum size of a document. A quarter of a capped collection, so that a few messages cannot overwrite all others.
    var documentLimit: Int {
        let limit = 15 << 20
        guard case .capped(let bytes) = expiration.value else { return limit }
        return max(1, min(limit, bytes / 4))
    }
}
#endif
