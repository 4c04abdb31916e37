// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

/// The format of this package: a BSON header that routes, and a MessagePack payload as binary.
///
/// | field | type | meaning |
/// | --- | --- | --- |
/// | `_id` | ObjectId | the message's id |
/// | `v` | int32 | version, 1 |
/// | `cluster` | string | the name of the cluster |
/// | `kind` | int32 | ``SocketIOCluster/ClusterMessageKind``; -1 for a marker, -2 for several messages |
/// | `nsp` | string | the namespace; empty for the node as a whole |
/// | `origin`, `epoch` | string, int64 | who wrote it |
/// | `target` | string or null | the only node that it is for |
/// | `request` | binary, 16 bytes | the request that it makes or answers, if any |
/// | `lane`, `number` | int32, int64 | its place in the sequence; not in messages about membership |
/// | `void` | array of int64 | first and last of each range of numbers that readers must not count as lost, if any |
/// | `createdAt` | date | when it was written, for the TTL index |
/// | `ts` | timestamp | filled in by the primary |
/// | `data` | binary | the payload, ``SocketIOCluster/ClusterPayloadCoder`` |
/// | `sig` | binary, 32 bytes | the signature, if the cluster has keys: ``Signer`` |
/// | `ids` | binary, 12 bytes each | instead of `nsp`, `request`, `number` and `void`: the ids of several messages, the first is also `_id` |
///
/// The payload of several messages is one MessagePack array for each: kind, namespace, request (binary or nil), number, void numbers,
/// payload.
package struct NativeWireFormat: TailableWireFormat {
    static let version: Int32 = 1
    /// The kind of markers.
    static let markerKind: Int32 = -1

    /// The name of the cluster.
    let cluster: String

    /// Signs and verifies documents; nil if signing is off.
    let signer: Signer?

    /// - Parameters:
    ///   - cluster: The name of the cluster.
    ///   - signer: Signs and verifies documents; nil if signing is off.
    package init(cluster: String, signer: Signer? = nil) {
        self.cluster = cluster
        self.signer = signer
    }

    package var traits: WireFormatTraits {
        var traits = WireFormatTraits(name: "native")
        traits.keepsSessions = true
        traits.keepsSnapshots = true
        return traits
    }

    package func encode(_ message: ClusterMessage, createdAt milliseconds: Int64) throws -> [BSONDocument] {
        [try document(of: message, createdAt: milliseconds)]
    }

    /// The document of a message.
    package func document(of message: ClusterMessage, createdAt milliseconds: Int64) throws -> BSONDocument {
        self.document(of: message.header, try ClusterPayloadCoder.encode(message.body), createdAt: milliseconds)
    }

    func document(of header: ClusterHeader, _ payload: ByteBuffer, createdAt milliseconds: Int64) -> BSONDocument {
        BSONDocument(capacity: payload.readableBytes + 288 + header.namespace.utf8.count) { document in
            begin(&document, header, kind: Int32(header.kind.rawValue))
            document.append("nsp", header.namespace)
            if let request = header.request { document.append("request", binary: ByteBuffer(request)) }
            if let stamp = header.stamp { document.append(stamp) }
            document.append("createdAt", dateMilliseconds: milliseconds)
            document.append("ts", BSONTimestamp(time: 0, increment: 0))
            document.append("data", binary: payload)
            guard let signer else { return }
            let kind = Int32(header.kind.rawValue)
            let content = SignedContent(header, kind: kind, version: Self.version, cluster: cluster, data: payload)
            document.append("sig", binary: signer.sign(content))
        }
    }

    /// Writes the fields that every document of a node begins with.
    func begin(_ document: inout BSONWriter, _ header: ClusterHeader, kind: Int32) {
        document.append("_id", ObjectID(header.id))
        document.append("v", Self.version)
        document.append("cluster", cluster)
        document.append("kind", kind)
        document.append("origin", header.origin.id)
        document.append("epoch", Int64(bitPattern: header.origin.epoch))
        if let target = header.target { document.append("target", target) } else { document.appendNull("target") }
    }

    package func marker(_ id: ObjectID, createdAt milliseconds: Int64) -> BSONDocument {
        BSONDocument(capacity: 160) { document in
            document.append("_id", id)
            document.append("v", Self.version)
            document.append("cluster", cluster)
            document.append("kind", Self.markerKind)
            document.appendNull("target")
            document.append("createdAt", dateMilliseconds: milliseconds)
            document.append("ts", BSONTimestamp(time: 0, increment: 0))
        }
    }

    // MARK: Filters

    package func documentsOfNodes(since id: ObjectID) -> BSONDocument {
        BSONDocument { filter in
            filter.appendDocument("_id") { $0.append("$gte", id) }
            filter.append("cluster", cluster)
            EmitterID.exclude("origin", from: &filter)
        }
    }

    private static func documents(for node: NodeID) -> DocumentFilter {
        DocumentFilter(
            node: node,
            target: "target",
            origin: ("origin", node),
            fields: ["_id", "v", "kind", "nsp", "origin", "epoch", "target", "request", "lane", "number", "void", "ids", "sig"]
        )
    }

    package func changeStreamStages(for node: NodeID) -> [BSONDocument] {
        Self.documents(for: node).changeStreamStages { $0.append("fullDocument.cluster", cluster) }
    }

    package func tailFilter(for node: NodeID, from time: BSONTimestamp) -> BSONDocument {
        BSONDocument { filter in
            filter.appendDocument("ts") { $0.append("$gte", time) }
            filter.append("cluster", cluster)
            Self.documents(for: node).appendTarget(to: &filter)
        }
    }

    package func tailProjection(for node: NodeID) -> BSONDocument {
        BSONDocument { fields in
            fields.append("ts", Int32(1))
            Self.documents(for: node).appendFields(to: &fields)
        }
    }
}

extension BSONWriter {
    fileprivate mutating func append(_ stamp: NumberStamp) {
        append("lane", Int32(stamp.lane))
        append("number", Int64(bitPattern: stamp.number))
        guard !stamp.void.isEmpty else { return }
        appendArray("void") { array in
            for range in stamp.void {
                array.append(Int64(bitPattern: range.lowerBound))
                array.append(Int64(bitPattern: range.upperBound))
            }
        }
    }
}

extension ObjectID {
    /// The same twelve bytes.
    init(_ id: MessageID) { self.init(time: id.seconds, uniquePart: id.rest) }
}

extension MessageID {
    /// The same twelve bytes.
    init(_ id: ObjectID) { self.init(seconds: id.time, rest: id.uniquePart) }
}

extension ByteBuffer {
    init(_ id: ClusterRequestID) {
        self.init()
        writeInteger(id.high)
        writeInteger(id.low)
    }
}
#endif
