// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

/// The format of `socketioxide-mongodb` 0.1.3, so that Swift and Rust nodes are one cluster.
///
/// | field | type | meaning |
/// | --- | --- | --- |
/// | `_id` | ObjectId | the message's id |
/// | `t` | string | `Req` or `Res` |
/// | `request` | string | the request that is answered; only in answers |
/// | `target` | string | the only node that it is for, if it is not for all |
/// | `ns` | string | the namespace |
/// | `origin` | string | who wrote it |
/// | `data` | array of int32 | the payload, one element for each byte: ``SocketioxidePayloadWriter`` |
/// | `createdAt` | date | when it was written, for the TTL index; not in a capped collection |
package final class SocketioxideWireFormat: SelectiveWireFormat {
    private struct State {
        var recent = RecentDocuments()
        var tallies = SocketioxideTallies()
        /// The epoch of the node's last message, which documents do not contain.
        var epoch: UInt64 = 0
    }

    /// Whether documents carry the time of writing.
    private let hasDates: Bool
    private let state = Mutex(State())

    /// - Parameter hasDates: Whether documents carry the time of writing, which they do unless the collection is capped.
    package init(hasDates: Bool) { self.hasDates = hasDates }

    package var traits: WireFormatTraits {
        var traits = WireFormatTraits(name: "socketioxide")
        traits.expiryIndex = "createdAt_1"
        traits.announcesNamespaces = true
        traits.unwrittenKinds = [.draining, .leave, .errorAnswer, .serverSideEmitAnswer, .sessionAnswer]
        // Rust nodes count answers: a second one from a node would be counted as that of another node.
        traits.socketsPerAnswer = .max
        traits.socketIDLength = SocketioxideID.length
        traits.recoversSessions = false
        traits.expansion = 12
        traits.reportsEachMissingAcknowledgement = true
        // Half of the buffer that a Rust node has for each client, and about as fast as a Rust node writes.
        traits.pacing = WritePacing(batchMessages: 64, messagesPerSecond: 1_280)
        return traits
    }

    /// Parses the id of a request from its text in documents; nil if it is malformed.
    package static func requestID(_ text: String) -> ClusterRequestID? { SocketioxideID.request(text) }

    /// Whether a node or a socket can have this id.
    package static func isValid(id: String) -> Bool { SocketioxideID.isValid(id) }

    package func documentsOfNodes(since id: ObjectID) -> BSONDocument {
        BSONDocument { filter in
            filter.appendDocument("_id") { $0.append("$gte", id) }
            EmitterID.exclude("origin", from: &filter)
        }
    }

    // MARK: Encoding

    package func encode(_ message: ClusterMessage, createdAt milliseconds: Int64) throws -> [BSONDocument] {
        let header = message.header
        state.withLock { $0.epoch = header.origin.epoch }
        guard let payload = try SocketioxidePayloadWriter.payload(of: message) else { return [] }
        return [document(of: header, payload, createdAt: milliseconds)]
    }

    package func refusal(of body: ClusterBody, in namespace: String, limit: Int) -> ClusterError? {
        switch body.kind {
        case .serverSideEmit, .serverSideEmitWithAck, .claimSession: break
        // A byte of a message takes two in the payload at most, and each of them 13 in the document.
        default: guard body.estimatedByteCount > limit / 26 else { return nil }
        }
        return refusal(of: body, in: namespace, from: SocketioxideID.unassigned, limit: limit) { message in
            guard let payload = try SocketioxidePayloadWriter.payload(of: message) else { return [] }
            // Before the document is made, which takes several times as much.
            guard payload.readableBytes <= limit / 7 else {
                let text = "a message of about \(body.estimatedByteCount) bytes takes more than the \(limit) that a document may have"
                throw ClusterError(.tooLarge, text)
            }
            return [document(of: message.header, payload, createdAt: 0)]
        }
    }

    private func document(of header: ClusterHeader, _ payload: ByteBuffer, createdAt milliseconds: Int64) -> BSONDocument {
        BSONDocument(capacity: payload.readableBytes * 12 + 200 + header.namespace.utf8.count) { document in
            document.append("_id", ObjectID(header.id))
            document.append("t", header.kind.isAnswer ? "Res" : "Req")
            if header.kind.isAnswer, let request = header.request { document.append("request", SocketioxideID.text(request)) }
            if let target = header.target { document.append("target", target) }
            document.append("ns", header.namespace)
            document.append("origin", header.origin.id)
            document.append("data", integersOf: payload)
            if hasDates { document.append("createdAt", dateMilliseconds: milliseconds) }
        }
    }

    // MARK: Decoding

    package func decode(_ document: BSONDocument, for node: NodeID, into items: inout [DriverItem]) {
        do { try read(SocketioxideFields(document), for: node, into: &items) } catch {
            items.append(.skipped("the document is malformed: \(error)"))
        }
    }

    private func read(_ fields: SocketioxideFields, for node: NodeID, into items: inout [DriverItem]) throws {
        guard let id = fields.id.map({ MessageID($0) }) else { return items.append(.skipped("the _id is not an ObjectId")) }
        guard let origin = fields.origin, SocketioxideID.isValid(origin), let namespace = fields.namespace,
            namespace.utf8.count <= ClusterHeader.namespaceLimit
        else {
            return items.append(.skipped("the origin or the namespace is missing or too long"))
        }
        if origin == node {
            return items.append(.own(id, origin: NodeIdentity(id: origin, epoch: state.withLock(\.epoch))))
        }
        guard !fields.hasWrongType, let data = fields.data else {
            return items.append(.skipped("a field is missing or has a wrong type"))
        }
        guard state.withLock({ $0.recent.insert(id) }) else { return }
        // The format does not carry an epoch. Not 0: only heartbeats make it a node, and emitters send none.
        let identity = NodeIdentity(id: origin, epoch: 1)
        let header = ClusterHeader(id: id, kind: .broadcast, namespace: namespace, origin: identity, target: fields.target)
        let reader = SocketioxidePayloadReader(data, namespace: namespace)
        switch fields.tag {
        case "Req": items.append(try request(reader, header))
        case "Res": try response(reader, header, fields.request, into: &items)
        default: items.append(.skipped("the document is neither a request nor a response"))
        }
    }

    private func request(_ reader: SocketioxidePayloadReader, _ header: ClusterHeader) throws -> DriverItem {
        var reader = reader
        var header = header
        let (id, kind) = try reader.readRequestHeader()
        header.kind = kind
        if kind.isRequest { header.request = id }
        return .message(
            header,
            .deferred { [reader] in
                var reader = reader
                do { return try reader.readRequestBody(kind) } catch let error as ClusterError { throw error } catch {
                    throw ClusterError(.malformed, "the payload is not that of \(kind)", cause: error)
                }
            }
        )
    }

    private func response(
        _ reader: SocketioxidePayloadReader,
        _ header: ClusterHeader,
        _ request: String?,
        into items: inout [DriverItem]
    ) throws {
        var reader = reader
        guard let request = request.flatMap({ Self.requestID($0) }) else {
            return items.append(.skipped("the id of the request is missing"))
        }
        let response = try reader.readResponse()
        let answerer = SocketioxideTallies.Answerer(request: request, node: header.origin.id)
        for body in state.withLock({ $0.tallies.bodies(of: response, from: answerer) }) {
            var header = header
            header.kind = body.kind
            header.request = request
            items.append(.message(header, .decoded(body)))
        }
    }

    // MARK: Filters

    package func changeStreamStages(for node: NodeID) -> [BSONDocument] {
        let fields = ["_id", "t", "request", "target", "ns", "origin"]
        return DocumentFilter(node: node, target: "target", origin: ("origin", node), fields: fields).changeStreamStages()
    }
}

/// The fields of a document as they are, each nil if it is missing or of another type.
private struct SocketioxideFields {
    var id: ObjectID?
    var tag: String?
    var request: String?
    var target: NodeID?
    var namespace: String?
    var origin: String?
    var data: ByteBuffer?
    /// Whether a field that may be missing is there and wrong.
    var hasWrongType = false

    init(_ document: BSONDocument) throws {
        var reader = BSONReader(document)
        while let element = try reader.next() { read(element) }
    }

    private mutating func read(_ element: BSONElement) {
        switch element.key {
        case "_id": id = element.objectID
        case "t": tag = element.string
        case "request":
            request = element.string
            if request == nil { hasWrongType = true }
        case "target":
            target = element.string
            if target == nil { hasWrongType = true }
        case "ns": namespace = element.string
        case "origin": origin = element.string
        case "data": data = element.bytesOfIntegers
        default: break
        }
    }
}
#endif
