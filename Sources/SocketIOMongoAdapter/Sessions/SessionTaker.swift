// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

/// Takes sessions out of the store, many at a time: when a node has been restarted, all its clients come back at once.
///
/// Requests that arrive while a batch is running form the next one. A session is marked with the batch's own token, which only one batch
/// can do, and read by that token; so a batch whose outcome is unknown is sent again as it is. It is deleted when its time is over.
final class SessionTaker: Sendable {
    /// A stored session.
    struct Found: Sendable {
        var payload: ByteBuffer
        /// The node that had it when it stored it.
        var owner: NodeIdentity?
        /// When it is deleted, in milliseconds.
        var until: Int64
        var signature: ByteBuffer?

        init(_ document: BSONDocument, payload: ByteBuffer) {
            self.payload = payload
            self.until = document["until"]?.dateMilliseconds ?? 0
            self.signature = document["sig"]?.binary?.bytes
            guard let owner = document["owner"]?.document else { return }
            self.owner = NodeIdentity(id: owner["id"]?.string ?? "", epoch: UInt64(bitPattern: owner["epoch"]?.int64 ?? 0))
        }
    }

    private struct Waiting {
        var id: BSONDocument
        /// The nodes whose copies are not meant; nil if none are.
        var spared: Set<NodeIdentity>?
        var answer: CheckedContinuation<Result<Found?, MongoAdapterError>, Never>
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Takes batch after batch as long as callers wait.
        var worker: Task<Void, Never>?
        var isClosed = false
        /// When the collection was last given its index.
        var setUpAt: ContinuousClock.Instant?
    }

    /// Sessions in one batch.
    private static let batchLimit = 128
    /// Sessions that may be asked for at a time.
    private static let limit = 100_000
    private static let attempts = 3
    private static let setUpInterval = Duration.seconds(600)

    private let state = Mutex(State())

    /// Whether the collection has its index. It expires from time to time, because the index may have been dropped.
    var isSetUp: Bool { state.withLock { $0.setUpAt.map { .now - $0 < Self.setUpInterval } ?? false } }
    func wasSetUp() { state.withLock { $0.setUpAt = .now } }

    /// Takes a session.
    ///
    /// - Parameters:
    ///   - id: Its id in the collection.
    ///   - spared: The nodes whose copies are left alone; nil for those of all nodes.
    ///   - collection: The collection.
    /// - Returns: The stored session; nil if there is none, or another caller has taken it.
    func take(
        _ id: BSONDocument,
        sparing spared: Set<NodeIdentity>?,
        from collection: MongoCollection
    ) async throws(MongoAdapterError) -> Found? {
        let result = await withCheckedContinuation { answer in
            let refusal = state.withLock { state -> MongoAdapterError? in
                if state.isClosed { return MongoAdapterError(.closed, "the adapter is closed") }
                guard state.waiting.count < Self.limit else {
                    return MongoAdapterError(.failed, "\(Self.limit) sessions are being looked up: MongoDB cannot keep up with the clients")
                }
                state.waiting.append(Waiting(id: id, spared: spared, answer: answer))
                // A task of its own: a client that goes away must not take the sessions of others with it.
                if state.worker == nil { state.worker = Task { await self.work(collection) } }
                return nil
            }
            if let refusal { answer.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    /// Takes no more.
    func close() async {
        let worker = state.withLock { state in
            state.isClosed = true
            return state.worker
        }
        worker?.cancel()
        await worker?.value
    }

    private func work(_ collection: MongoCollection) async {
        while let batch = nextBatch() {
            let result: Result<[BSONDocument: Found], MongoAdapterError>
            do throws(MongoError) { result = .success(try await take(batch, from: collection)) } catch {
                result = .failure(MongoAdapterError(error, while: "taking sessions"))
            }
            var given: Set<BSONDocument> = []
            for waiting in batch {
                // If several callers ask for the same session at the same time, the first one gets it.
                let isFirst = given.insert(waiting.id).inserted
                waiting.answer.resume(returning: result.map { isFirst ? $0[waiting.id] : nil })
            }
        }
    }

    private func nextBatch() -> [Waiting]? {
        state.withLock { state in
            guard let first = state.waiting.first else {
                state.worker = nil
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchLimit).prefix { $0.spared == first.spared })
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func take(_ batch: [Waiting], from collection: MongoCollection) async throws(MongoError) -> [BSONDocument: Found] {
        let ids = batch.map(\.id)
        let spared = batch.first?.spared
        let token = BSONBinary(bytes: ByteBuffer(bytes: (0..<16).map { _ in UInt8.random(in: .min ... .max) }))
        let marked = try await retrying { () throws(MongoError) in
            try await collection.update(
                free(ids, sparing: spared, for: token),
                mark(token),
                many: true,
                writeConcern: .majority.timeout(.seconds(8))
            )
        }
        guard marked > 0 else { return [:] }
        let mine = BSONDocument { filter in
            filter.append("_id", among(ids))
            filter.append("taker", token)
        }
        var found: [BSONDocument]
        do throws(MongoError) { found = try await retrying { () throws(MongoError) in try await collection.find(mine) } } catch {
            guard error.code == .overloaded else { throw error }
            found = try await oneByOne(ids, token, from: collection)
        }
        var result: [BSONDocument: Found] = [:]
        for document in found {
            guard let id = document["_id"]?.document, let data = document["data"]?.binary?.bytes else { continue }
            result[id.copied()] = Found(document, payload: data)
        }
        return result
    }

    /// Reads sessions one at a time, so that large sessions of some clients do not cost others theirs.
    private func oneByOne(
        _ ids: [BSONDocument],
        _ token: BSONBinary,
        from collection: MongoCollection
    ) async throws(MongoError) -> [BSONDocument] {
        var found: [BSONDocument] = []
        for id in ids {
            let mine = BSONDocument { filter in
                filter.append("_id", id)
                filter.append("taker", token)
            }
            let document = try await retrying { () throws(MongoError) in try await collection.findOne(mine) }
            if let document { found.append(document) }
        }
        return found
    }

    private func retrying<Value: Sendable>(_ body: () async throws(MongoError) -> Value) async throws(MongoError) -> Value {
        for _ in 1..<Self.attempts {
            do throws(MongoError) { return try await body() } catch {
                guard error.code == .network || error.code == .notPrimary || error.code == .serverSelection, !Task.isCancelled else {
                    throw error
                }
            }
        }
        return try await body()
    }

    private func among(_ ids: [BSONDocument]) -> BSONDocument {
        BSONDocument { $0.append("$in", array: ids) }
    }

    /// Matches sessions that are not taken, or were taken by an earlier attempt of this batch.
    private func free(_ ids: [BSONDocument], sparing spared: Set<NodeIdentity>?, for token: BSONBinary) -> BSONDocument {
        BSONDocument { filter in
            filter.append("_id", among(ids))
            if let spared {
                filter.appendDocument("owner") { $0.append("$nin", array: spared.map { BSONDocument($0) }) }
            } else {
                filter.appendNull("owner")
            }
            filter.appendDocument("taker") { taker in
                taker.appendArray("$in") { values in
                    values.appendNull()
                    values.append(token)
                }
            }
        }
    }

    private func mark(_ token: BSONBinary) -> BSONDocument {
        BSONDocument { $0.appendDocument("$set") { $0.append("taker", token) } }
    }
}
#endif
