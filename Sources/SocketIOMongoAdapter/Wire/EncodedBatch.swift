// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
package import SocketIOMongoClient
import SocketIOCore
import SocketIOText

/// The documents of a batch of messages, up to the first message that cannot be written at all.
package struct EncodedBatch: Sendable {
    /// The documents, in order.
    package private(set) var documents: [BSONDocument] = []
    /// How many messages the documents hold.
    package private(set) var messages = 0
    /// Why there is no document for the next message.
    package private(set) var refusal: (any Error)?
    private let limit: Int
    /// The first message of each document; nil as long as each has one of its own.
    private var owners: [Int]?

    /// - Parameter limit: The largest document, in bytes.
    package init(limit: Int) { self.limit = limit }

    /// Adds the documents of the next messages.
    ///
    /// - Parameters:
    ///   - documents: None, one or several.
    ///   - messages: How many messages they hold. With more than one there is one document.
    /// - Throws: ``SocketIOCluster/ClusterError`` with `tooLarge` if one exceeds the limit; nothing is added then.
    package mutating func append(_ documents: [BSONDocument], messages count: Int = 1) throws {
        if let document = documents.first(where: { $0.count > limit }) {
            throw ClusterError(.tooLarge, "the message takes \(document.count) bytes, the collection carries \(limit)")
        }
        if documents.count != 1 || count != 1 || owners != nil {
            owners = owners ?? Array(0..<messages)
            owners?.append(contentsOf: repeatElement(messages, count: documents.count))
        }
        self.documents += documents
        messages += count
    }

    /// The next message cannot be written, so the batch ends before it.
    package mutating func refuse(_ error: any Error) { refusal = error }

    /// The first message of a document.
    package func message(of document: Int) -> Int { owners?[document] ?? document }
}
#endif
