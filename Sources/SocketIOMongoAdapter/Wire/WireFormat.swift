// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOMongoClient
package import SocketIOCore
import SocketIOText

/// How the documents of a collection represent the messages of a cluster. Each server uses one format.
///
/// A format is created once for each node, so it may have state; all state that grows with the collection's content must be bounded.
package protocol WireFormat: Sendable {
    /// The properties of the format that a node needs.
    var traits: WireFormatTraits { get }

    /// Called when a namespace is created, before any of its messages is written or read.
    ///
    /// - Parameters:
    ///   - parser: The parser of the server, in which packets travel inside of the process.
    ///   - recovers: Whether connection state recovery is on.
    func serve(_ parser: PacketFormat, recovers: Bool)

    /// Makes the documents of a message.
    ///
    /// It is called again with the same message when a batch is written again; the ids of the documents must be the same then. The last
    /// document must have the message's id, unless there is none.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - milliseconds: The time of writing, since 1970.
    /// - Returns: The documents, in order; none if the format has no document for the message, and other nodes do not need it.
    /// - Throws: ``SocketIOCluster/ClusterError``: `tooLarge`; `unsupported`, with advice, for what the format cannot express.
    func encode(_ message: ClusterMessage, createdAt milliseconds: Int64) throws -> [BSONDocument]

    /// Makes the documents of a batch. Default: those of its messages, one after the other.
    ///
    /// - Parameters:
    ///   - batch: The messages, in order. The same ones make the same documents, but for the time.
    ///   - milliseconds: The time of writing, since 1970.
    ///   - limit: The largest document, in bytes.
    func encode(_ batch: [ClusterMessage], createdAt milliseconds: Int64, limit: Int) -> EncodedBatch

    /// Reads a document, whatever it is; what cannot be a message of this format is `skipped`.
    ///
    /// - Parameters:
    ///   - document: A document that the filter let pass.
    ///   - node: The id of this node.
    ///   - items: Receives the document's content, in order; nothing if the document concerns neither this node nor its clients.
    func decode(_ document: BSONDocument, for node: NodeID, into items: inout [DriverItem])

    /// The filter for documents that only nodes write, not emitters.
    ///
    /// - Parameter id: Older documents are left out.
    func documentsOfNodes(since id: ObjectID) -> BSONDocument

    /// The stages of a change stream that leave out what is not for a node, and the payload of its own documents.
    func changeStreamStages(for node: NodeID) -> [BSONDocument]
}

extension WireFormat {
    /// Nothing has to be known.
    package func serve(_ parser: PacketFormat, recovers: Bool) {}

    /// The documents of each message, one after the other.
    package func encode(_ batch: [ClusterMessage], createdAt milliseconds: Int64, limit: Int) -> EncodedBatch {
        var encoded = EncodedBatch(limit: limit)
        do {
            for message in batch { try encoded.append(try encode(message, createdAt: milliseconds)) }
        } catch {
            encoded.refuse(error)
        }
        return encoded
    }
}

/// A format that cannot express every message.
package protocol SelectiveWireFormat: WireFormat {
    /// Why no document can ever be made of a message; nil if one can. It is asked before a message is accepted: for an ordinary message it
    /// costs little, and nothing else changes.
    ///
    /// - Parameters:
    ///   - body: The message.
    ///   - namespace: Its namespace.
    ///   - limit: The largest document, in bytes.
    func refusal(of body: ClusterBody, in namespace: String, limit: Int) -> ClusterError?
}

extension SelectiveWireFormat {
    /// Why the documents of a message cannot be made: they are made, and discarded.
    ///
    /// - Parameters:
    ///   - origin: The longest id of a node.
    ///   - encode: Makes the documents of a message.
    func refusal(
        of body: ClusterBody,
        in namespace: String,
        from origin: NodeID,
        limit: Int,
        _ encode: (ClusterMessage) throws -> [BSONDocument]
    ) -> ClusterError? {
        let header = ClusterHeader(
            id: MessageID(seconds: 0, process: 0, counter: 0),
            kind: body.kind,
            namespace: namespace,
            origin: NodeIdentity(id: origin, epoch: 1),
            request: body.kind.isRequest ? ClusterRequestID(high: 1, low: 1) : nil
        )
        do {
            var batch = EncodedBatch(limit: limit)
            try batch.append(try encode(ClusterMessage(header: header, body: body)))
            return nil
        } catch let error as ClusterError { return error } catch {
            return ClusterError(.unsupported, "the wire format \(traits.name) cannot express the message", cause: error)
        }
    }
}

/// The ids of emitters begin like this, by which they differ from those of nodes; ``MongoAdapterConfiguration/validate()`` sees to that.
enum EmitterID {
    static let prefix = "emitter"

    /// Appends the condition that a document was not written by an emitter, for formats whose emitters have a number in their ids.
    static func exclude(_ field: String, from filter: inout BSONWriter) {
        filter.appendDocument(field) { condition in
            condition.appendDocument("$not") { $0.append("$regex", "^" + prefix) }
        }
    }
}

/// The properties of a wire format that a node needs.
package struct WireFormatTraits: Sendable {
    /// The name of the format in messages for people.
    package var name: String
    /// The field with the time of writing, which the TTL index is on.
    package var expiryField = "createdAt"
    /// The name of that index. Servers refuse the same index under another name, so it is the one that the others give it.
    package var expiryIndex = "createdAt_ttl"
    /// See ``SocketIOCluster/ClusterConfiguration/announcesNamespaces``.
    package var announcesNamespaces = false
    /// See ``SocketIOCluster/ClusterConfiguration/unwrittenKinds``.
    package var unwrittenKinds: Set<ClusterMessageKind> = []
    /// See ``SocketIOCluster/ClusterConfiguration/maximumSocketsPerAnswer``.
    package var socketsPerAnswer = ClusterConfiguration().maximumSocketsPerAnswer
    /// The field by which sessions are found among the messages, which needs an index; nil if they are not among them.
    package var sessionIndex: String?
    /// Whether sessions of nodes that leave can be stored and taken over.
    package var keepsSessions = false
    /// Whether copies of sessions can be kept for the case that their node crashes: all nodes must be of this package.
    package var keepsSnapshots = false
    /// See ``SocketIOCore/AdapterFactory/socketIDLength``.
    package var socketIDLength = 15
    /// See ``SocketIOCore/AdapterFactory/recoversSessions``.
    package var recoversSessions = true
    /// See ``SocketIOCluster/ClusterConfiguration/reportsEachMissingAcknowledgement``.
    package var reportsEachMissingAcknowledgement = false
    /// How fast the other implementation can take messages, unless the configuration says so; nil for no limit.
    package var pacing: WritePacing?
    /// How many bytes of a document there are for a byte of a message, about.
    package var expansion = 1

    /// - Parameter name: The name of the format in messages for people.
    package init(name: String) { self.name = name }
}

/// A format whose documents a tailable cursor can find again: they have a field `ts` that the primary fills.
package protocol TailableWireFormat: WireFormat {
    /// The filter of a tailable cursor: documents for a node, from a time on.
    func tailFilter(for node: NodeID, from time: BSONTimestamp) -> BSONDocument

    /// Which fields a tailable cursor reads; `ts` must be among them.
    func tailProjection(for node: NodeID) -> BSONDocument

    /// A document that is not a message: a tailable cursor needs at least one document. The server puts its time into `ts`.
    func marker(_ id: ObjectID, createdAt milliseconds: Int64) -> BSONDocument
}
#endif
