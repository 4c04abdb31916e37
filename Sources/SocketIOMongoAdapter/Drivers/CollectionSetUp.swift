// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Logging
import SocketIOMongoClient
import SocketIOText

/// Creates the collection and its index, or sees that they are as the configuration says. Idempotent; any number of nodes may do it at
/// the same time.
struct CollectionSetUp: Sendable {
    let collection: MongoCollection
    let expiration: MongoAdapterConfiguration.Expiration
    let managesTTL: Bool
    /// The field that the TTL index is on.
    let expiryField: String
    /// The name of the index, if it is made here.
    let indexName: String
    /// The field by which sessions are found, if they are among the messages.
    let sessionField: String?
    let logger: Logger
    /// How many members must have built the index; nil where the server does not let one choose.
    let commitQuorum: Int?

    /// How often the collection is looked up, and created if it is missing, before an error is thrown.
    private static let attempts = 5

    /// - Returns: The UUID of the collection, if it is capped.
    func run() async throws(MongoAdapterError) -> BSONBinary? {
        let found = try await createOrCheck()
        await createSessionIndex()
        switch expiration.value {
        case .ttl(let duration):
            try await createIndex(seconds: duration.components.seconds)
            return nil
        case .capped: return found["info"]?.document?["uuid"]?.binary
        }
    }

    // MARK: Collection

    /// The collection may be dropped again before it is found. A write without the UUID of a capped one would then create an ordinary one.
    private func createOrCheck() async throws(MongoAdapterError) -> BSONDocument {
        for _ in 0..<Self.attempts {
            if let found = try await find() {
                try check(found)
                return found
            }
            try await create()
        }
        let text = "The collection \(collection.namespace) keeps being dropped: find out who drops it, or use another one"
        throw MongoAdapterError(.failed, text)
    }

    private func create() async throws(MongoAdapterError) {
        do throws(MongoError) {
            switch expiration.value {
            case .ttl: try await collection.create()
            case .capped(let bytes): try await collection.createCapped(bytes: bytes)
            }
        } catch  where error.serverCode == .namespaceExists {
            // Another node was faster, with whatever options.
        } catch {
            throw MongoAdapterError(error, while: "creating the collection \(collection.namespace)")
        }
    }

    private func find() async throws(MongoAdapterError) -> BSONDocument? {
        do throws(MongoError) {
            return try await collection.database.listCollections(filter: BSONDocument { $0.append("name", collection.name) }).first
        } catch {
            throw MongoAdapterError(error, while: "looking for the collection \(collection.namespace)")
        }
    }

    private func check(_ found: BSONDocument) throws(MongoAdapterError) {
        let description = CollectionDescription(found)
        guard let difference = description.difference(from: expiration) else { return }
        let text = "The collection \(collection.namespace) exists and \(difference)"
        throw MongoAdapterError(.collectionMismatch, text)
    }

    // MARK: Index

    /// Recovery works without it, but reads all messages since the client was disconnected.
    private func createSessionIndex() async {
        guard let sessionField else { return }
        var index = MongoIndex(keys: BSONDocument { $0.append(sessionField, Int32(1)) }, name: sessionField + "_1")
        index.isSparse = true
        do throws(MongoError) {
            try await collection.createIndexes([index], commitQuorum: commitQuorum)
        } catch  where error.serverCode.map(MongoErrorCode.indexConflict.contains) ?? false {
            // There is one, with other options.
        } catch {
            logger.warning(
                "the index on \(sessionField) could not be created; recovering sessions takes longer without it",
                metadata: [LogKey.collection: "\(collection.namespace)", LogKey.error: "\(error)"]
            )
        }
    }

    private func createIndex(seconds: Int64) async throws(MongoAdapterError) {
        let keys = BSONDocument { $0.append(expiryField, Int32(1)) }
        var index = MongoIndex(keys: keys, name: indexName)
        index.expireAfter = .seconds(seconds)
        do throws(MongoError) {
            try await collection.createIndexes([index], commitQuorum: commitQuorum)
        } catch  where error.serverCode.map(MongoErrorCode.indexConflict.contains) ?? false {
            try await adopt(keys, seconds: seconds, error)
        } catch  where error.serverCode.map(MongoErrorCode.refusedIndex.contains) ?? false {
            let text = "The collection \(collection.namespace) is capped and takes no TTL index: drop it, or set expiration to .capped"
            throw MongoAdapterError(.collectionMismatch, text, cause: error)
        } catch {
            throw MongoAdapterError(error, while: "creating the TTL index of \(collection.namespace)")
        }
    }

    /// There is an index of those keys, under whatever name, or of that name.
    private func adopt(_ keys: BSONDocument, seconds: Int64, _ conflict: MongoError) async throws(MongoAdapterError) {
        let indexes: [BSONDocument]
        do throws(MongoError) { indexes = try await collection.listIndexes() } catch {
            throw MongoAdapterError(error, while: "listing the indexes of \(collection.namespace)")
        }
        guard let found = indexes.first(where: { $0["key"]?.document.map { Self.isSame($0, expiryField) } ?? false }) else {
            let text = "\(collection.namespace) has an index named \(indexName) on other keys: drop that index"
            throw MongoAdapterError(.collectionMismatch, text, cause: conflict)
        }
        let present = found["expireAfterSeconds"]?.integer
        guard present != seconds else { return }
        guard managesTTL else {
            let lifetime = present.map { "deletes messages after \($0) s" } ?? "deletes nothing"
            let text =
                "The index on \(expiryField) of \(collection.namespace) \(lifetime), the configuration says \(seconds) s: "
                + "set expiration to what it is, or managesTTL to true to change it"
            throw MongoAdapterError(.collectionMismatch, text, cause: conflict)
        }
        let change = BSONDocument { change in
            change.appendDocument("index") { index in
                index.append("keyPattern", keys)
                index.append("expireAfterSeconds", seconds)
            }
        }
        do throws(MongoError) { try await collection.modify(change) } catch {
            throw MongoAdapterError(error, while: "changing the lifetime of the messages in \(collection.namespace)")
        }
    }

    /// Whether a key pattern is `{field: 1}`, with whatever type of number.
    private static func isSame(_ keys: BSONDocument, _ field: String) -> Bool {
        var reader = BSONReader(keys)
        guard let first = try? reader.next(), first.hasKey(field), first.integer == 1 else { return false }
        return reader.isAtEnd
    }
}

/// A collection as `listCollections` describes it.
struct CollectionDescription: Equatable {
    var type: String
    var isCapped: Bool
    var size: Int64
    var maximumDocuments: Int64

    init(_ entry: BSONDocument) {
        let options = entry["options"]?.document ?? BSONDocument()
        type = entry["type"]?.string ?? "collection"
        isCapped = options["capped"]?.bool ?? false
        size = options["size"]?.integer ?? 0
        maximumDocuments = options["max"]?.integer ?? 0
    }

    /// The difference from what is expected, and what to do about it; nil if there is none.
    func difference(from expiration: MongoAdapterConfiguration.Expiration) -> String? {
        guard type == "collection" else { return "is a \(type): use the name of another collection" }
        switch expiration.value {
        case .ttl:
            guard isCapped else { return nil }
            return "is capped, which takes no TTL index: drop it, use another one, or set expiration to .capped(bytes: \(size))"
        case .capped(let bytes):
            guard isCapped else { return "is not capped: drop it, use another one, or set expiration to .ttl" }
            guard maximumDocuments == 0 else {
                return "is limited to \(maximumDocuments) documents: drop it or use another one"
            }
            let wanted = (Int64(bytes) + 255) / 256 * 256
            guard size == wanted else {
                return "has \(size) bytes instead of \(wanted): drop it, or set expiration to .capped(bytes: \(size))"
            }
            return nil
        }
    }
}
#endif
