// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
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
        if connection.mismatch != nil {
            do { try await connection.setUp() } catch { return .notWritten(error) }
        }
        let limit = connection.configuration.documentLimit
        let encoded = connection.format.encode(batch, createdAt: connection.time.milliseconds, limit: limit)
        let documents = encoded.documents
        var insert = OrderedInsertStateMachine(sizes: documents.map(\.count), bytesPerCommand: Self.bytesPerCommand)
        let uuid = connection.collectionUUID
        while true {
            switch insert.next {
            case .insert(let range): await Self.perform(&insert, range, documents, collection, uuid)
            case .look(let range): insert.found(await Self.countConfirmed(documents[range], collection))
            case .finish(.written):
                connection.updateTime()
                return encoded.refusal.map { .refused(index: encoded.messages, error: $0) } ?? .written
            case .finish(.refused(let index, let error)): return .refused(index: encoded.message(of: index), error: error)
            case .finish(let outcome):
                if insert.cannotCompareUUIDs { connection.stopComparingUUIDs() }
                // The reader does it too, but it may be elsewhere, or slower.
                guard insert.isCollectionGone else { return outcome }
                do throws(MongoAdapterError) { try await connection.setUp() } catch {
                    // How the collection differs says more than that it is another one.
                    guard error.code == .collectionMismatch else { return outcome }
                    if case .notWritten = outcome { return .notWritten(error) }
                    return .unknown(error)
                }
                return outcome
            }
        }
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
