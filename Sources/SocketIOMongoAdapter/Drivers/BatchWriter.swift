#if MongoDB
import MongoClient
import SocketIOCore

/// Writes batches of messages: each attempt ends with what is certain.
struct BatchWriter: Sendable {
    let connection: MongoConnection

    /// Below the socket timeout, so that a majority that is gone does not cost the connection.
    private static let confirmation = MongoWriteConcern.majority.timeout(.seconds(8))
    private static let bytesPerCommand = MongoCollection.maximumCommandSize - 64 * 1_024

    func write(_ batch: [ClusterMessage]) async -> BatchOutcome {
        guard let collection = connection.collection else {
            return .notWritten(MongoAdapterError(.closed, "the adapter is closed"))
        }
        let encoded = encode(batch)
        let documents = encoded.documents
        var insert = OrderedInsertStateMachine(sizes: documents.map(\.count), bytesPerCommand: Self.bytesPerCommand)
        let uuid = connection.collectionUUID
        while true {
            switch insert.next {
            case .insert(let range): await Self.perform(&insert, range, documents, collection, uuid)
            case .look(let range): insert.found(await Self.countConfirmed(documents[range], collection))
            case .finish(.written): return encoded.refusal.map { .refused(index: encoded.messages, error: $0) } ?? .written
            case .finish(.refused(let index, let error)): return .refused(index: encoded.message(of: index), error: error)
            case .finish(let outcome):
                if insert.cannotCompareUUIDs { connection.stopComparingUUIDs() }
                // The reader does it too, but it may be elsewhere, or slower.
                if insert.isCollectionGone { try? await connection.setUp() }
                return outcome
            }
        }
    }

    /// The documents of a batch up to the first message that cannot be written at all.
    private struct Encoded {
        var documents: [BSONDocument] = []
        /// How many messages there are documents of.
        var messages = 0
        /// Why there is none of the next message.
        var refusal: (any Error)?
        /// The message that each document belongs to; nil as long as each has one document.
        private var owners: [Int]?

        mutating func append(_ documents: [BSONDocument]) {
            if documents.count != 1 || owners != nil {
                owners = owners ?? Array(0..<messages)
                owners?.append(contentsOf: repeatElement(messages, count: documents.count))
            }
            self.documents += documents
            messages += 1
        }

        func message(of document: Int) -> Int { owners?[document] ?? document }
    }

    private func encode(_ batch: [ClusterMessage]) -> Encoded {
        let now = WallClock.milliseconds()
        let limit = connection.configuration.documentLimit
        var encoded = Encoded()
        encoded.documents.reserveCapacity(batch.count)
        for message in batch {
            do {
                let documents = try connection.format.encode(message, createdAt: now)
                if let document = documents.first(where: { $0.count > limit }) {
                    let text = "the message takes \(document.count) bytes, the collection carries \(limit)"
                    throw ClusterError(.tooLarge, text)
                }
                encoded.append(documents)
            } catch {
                encoded.refusal = error
                return encoded
            }
        }
        return encoded
    }

    private static func perform(
        _ insert: inout OrderedInsertStateMachine,
        _ range: Range<Int>,
        _ documents: [BSONDocument],
        _ collection: MongoCollection,
        _ uuid: BSONBinary?
    ) async {
        do throws(MongoError) {
            let slice = range.count == documents.count ? documents : Array(documents[range])
            insert.answered(try await collection.insert(slice, writeConcern: confirmation, uuid: uuid), range: range)
        } catch {
            insert.failed(error)
        }
    }

    /// How many of the documents, from the first on, a majority has. Without it a batch of which all but the answer got through would
    /// be repeated document by document.
    private static func countConfirmed(_ documents: ArraySlice<BSONDocument>, _ collection: MongoCollection) async -> Int {
        let ids = documents.compactMap { $0["_id"]?.objectID }
        let filter = BSONDocument { filter in
            filter.appendDocument("_id") { operators in
                operators.appendArray("$in") { array in
                    for id in ids { array.append(id) }
                }
            }
        }
        var options = MongoFindOptions()
        options.projection = BSONDocument { $0.append("_id", Int32(1)) }
        options.readConcernLevel = "majority"
        options.readPreference = .primary
        guard let found = try? await collection.find(filter, options: options) else { return 0 }
        let present = Set(found.compactMap { $0["_id"]?.objectID })
        return ids.prefix { present.contains($0) }.count
    }
}
#endif
