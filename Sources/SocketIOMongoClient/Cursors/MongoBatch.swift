// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText

/// The documents of one answer to a cursor.
public struct MongoBatch: Sendable {
    /// The documents in the order of the server: events of a change stream, documents of a find. They are slices of one buffer; use
    /// ``BSONDocument/copied()`` for what is kept.
    public let documents: [BSONDocument]

    /// Change streams only: opening a new stream with it continues right after this batch. It moves on even when nothing matches, and
    /// a batch without documents is yielded when it does.
    public let postBatchResumeToken: BSONDocument?

    /// The server's time when it answered, on replica sets and sharded clusters.
    public let operationTime: BSONTimestamp?
}

/// A cursor's reply taken apart.
struct CursorReply {
    let cursorID: Int64
    let namespace: String
    let batch: MongoBatch

    /// - Throws: ``MongoError/Code/invalidBSON`` if it is not the reply of a cursor command.
    init(_ reply: BSONDocument) throws(MongoError) {
        guard let cursor = reply["cursor"]?.document else {
            throw .invalidBSON("the reply has no cursor")
        }
        var (id, namespace, token) = (Int64?.none, "", BSONDocument?.none)
        var documents: [BSONDocument] = []
        var reader = BSONReader(cursor)
        while let element = try reader.next() {
            switch element.key {
            case "id": id = element.integer
            case "ns": namespace = element.string ?? ""
            case "postBatchResumeToken": token = element.document
            case "firstBatch", "nextBatch": documents = try Self.documents(in: element)
            default: break
            }
        }
        guard let id else { throw .invalidBSON("the reply has no cursor id") }
        cursorID = id
        self.namespace = namespace
        batch = MongoBatch(
            documents: documents,
            postBatchResumeToken: token?.copied(),
            operationTime: reply["operationTime"]?.timestamp
        )
    }

    private static func documents(in element: BSONElement) throws(MongoError) -> [BSONDocument] {
        guard let array = element.array else { throw .invalidBSON("the batch of a cursor is not an array") }
        var documents: [BSONDocument] = []
        var reader = BSONReader(array)
        while let element = try reader.next() {
            guard let document = element.document else { throw .invalidBSON("the batch of a cursor contains more than documents") }
            documents.append(document)
        }
        return documents
    }
}

#endif
