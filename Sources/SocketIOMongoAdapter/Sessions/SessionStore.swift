// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOConcurrency
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

/// The sessions of nodes that leave, and copies of those that nodes have, in a collection of their own: messages are in one that may be
/// capped, from which nothing can be taken.
struct SessionStore: SnapshotStore {
    let connection: MongoConnection

    private static let attempts = 3
    /// Milliseconds that a session outlives its retention; clocks differ.
    private static let grace: Int64 = 60_000

    private func collection() throws(MongoAdapterError) -> MongoCollection {
        guard let messages = connection.collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        return messages.database.collection(messages.name + ".sessions")
    }

    /// Writes sessions so that a majority has them.
    func store(_ sessions: [StoredSession], for duration: Duration) async throws(MongoAdapterError) {
        try await store(sessions, .init(owner: nil, duration: duration, now: connection.time.milliseconds))
    }

    /// Writes copies of sessions so that a majority has them.
    func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws {
        try await store(sessions, .init(owner: owner, duration: duration, now: connection.time.milliseconds))
    }

    /// The fields that all sessions of a batch share.
    private struct Terms {
        /// The node that still has them.
        var owner: NodeIdentity?
        var until: Int64

        init(owner: NodeIdentity?, duration: Duration, now: Int64) {
            self.owner = owner
            self.until = now + duration.components.seconds * 1_000 + SessionStore.grace
        }
    }

    private func store(_ sessions: [StoredSession], _ terms: Terms) async throws(MongoAdapterError) {
        guard !sessions.isEmpty else { return }
        let collection = try collection()
        // Copies are stored all the time.
        if terms.owner == nil || !connection.sessions.isSetUp { try await setUp(collection) }
        let first = try await run(insertion(sessions, terms, into: collection), in: collection.database)
        // Those that were stored before, such as by a node to which their clients then went. Updates one by one are slow, so they come
        // second.
        let known = first.writeErrors.filter(\.isDuplicateID).compactMap { sessions.indices.contains($0.index) ? sessions[$0.index] : nil }
        guard known.count == first.writeErrors.count, first.writeConcernError == nil else { throw Self.incomplete }
        guard !known.isEmpty else { return }
        let second = try await run(replacement(known, terms, in: collection), in: collection.database)
        guard second.isComplete else { throw Self.incomplete }
    }

    private func run(_ command: BSONDocument, in database: MongoDatabase) async throws(MongoAdapterError) -> MongoInsertResult {
        let reply = try await write(command, database)
        do throws(MongoError) { return try MongoInsertResult(reply) } catch { throw MongoAdapterError(error, while: "storing sessions") }
    }

    private static var incomplete: MongoAdapterError { MongoAdapterError(.failed, "not all sessions could be stored") }

    private func insertion(_ sessions: [StoredSession], _ terms: Terms, into collection: MongoCollection) -> BSONDocument {
        BSONDocument { command in
            command.append("insert", collection.name)
            command.append("ordered", false)
            command.append("documents", array: sessions.map { document($0, terms) })
        }
    }

    private func replacement(_ sessions: [StoredSession], _ terms: Terms, in collection: MongoCollection) -> BSONDocument {
        BSONDocument { command in
            command.append("update", collection.name)
            command.append("ordered", false)
            command.appendArray("updates") { updates in
                for session in sessions {
                    updates.appendDocument { update in
                        update.appendDocument("q") { $0.append("_id", id(session.pid, session.namespace)) }
                        update.append("u", document(session, terms))
                        update.append("upsert", true)
                    }
                }
            }
        }
    }

    /// Retries only writes that were certainly not applied: a session that another node has taken meanwhile must not reappear.
    private func write(_ command: BSONDocument, _ database: MongoDatabase) async throws(MongoAdapterError) -> BSONDocument {
        var attempt = 1
        while true {
            do throws(MongoError) {
                return try await database.run(command, as: .write, writeConcern: .majority.timeout(.seconds(8)))
            } catch {
                guard error.outcome == .notApplied, attempt < Self.attempts else {
                    throw MongoAdapterError(error, while: "storing sessions")
                }
            }
            attempt += 1
            do { try await Task.sleep(for: .milliseconds(200)) } catch { throw MongoAdapterError(.closed, "the task was cancelled") }
        }
    }

    /// The index deletes sessions at the time in the field.
    private func setUp(_ collection: MongoCollection) async throws(MongoAdapterError) {
        var index = MongoIndex(keys: BSONDocument { $0.append("until", Int32(1)) }, name: "until_ttl")
        index.expireAfter = .zero
        do throws(MongoError) { try await collection.createIndexes([index], commitQuorum: connection.commitQuorum) } catch {
            throw MongoAdapterError(error, while: "creating the TTL index of \(collection.namespace)")
        }
        connection.sessions.wasSetUp()
    }

    /// Finds a session that was given up and removes it: of several callers one gets it.
    func take(_ pid: String, in namespace: String) async throws(MongoAdapterError) -> StoredSession? {
        try await take(pid, in: namespace, sparing: nil)
    }

    /// Finds a session and removes it, unless it is a copy of one of these nodes.
    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession? {
        try await take(pid, in: namespace, sparing: Optional(owners))
    }

    private func take(
        _ pid: String,
        in namespace: String,
        sparing owners: Set<NodeIdentity>?
    ) async throws(MongoAdapterError) -> StoredSession? {
        let found = try await connection.sessions.take(id(pid, namespace), sparing: owners, from: try collection())
        guard let found, isTrusted(found, pid, namespace) else { return nil }
        return StoredSession(namespace: namespace, pid: pid, payload: found.payload, isSnapshot: found.owner != nil)
    }

    /// Whether a session is signed with a key of this cluster and has not expired. The expiry prevents replaying it later.
    private func isTrusted(_ found: SessionTaker.Found, _ pid: String, _ namespace: String) -> Bool {
        guard let signer = connection.signer else { return true }
        let content = signed(pid, namespace, until: found.until, owner: found.owner, found.payload)
        var reason = signer.refusal(of: content, signature: found.signature)
        if reason == nil, found.until < connection.time.milliseconds { reason = "it has expired" }
        if let reason { connection.sessionUntrusted(reason) }
        return reason == nil
    }

    private func signed(_ pid: String, _ namespace: String, until: Int64, owner: NodeIdentity?, _ data: ByteBuffer) -> SignedContent {
        SignedContent(session: (connection.configuration.clusterName, namespace, pid), until: until, owner: owner, data: data)
    }

    /// Removes copies of a node.
    func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws {
        let filter = BSONDocument { filter in
            filter.appendDocument("_id") { $0.append("$in", array: pids.map { id($0, namespace) }) }
            filter.append("owner.id", owner)
        }
        let collection = try collection()
        do throws(MongoError) { try await collection.delete(filter, writeConcern: .majority.timeout(.seconds(8))) } catch {
            throw MongoAdapterError(error, while: "removing sessions")
        }
    }

    private func id(_ pid: String, _ namespace: String) -> BSONDocument {
        BSONDocument { id in
            id.append("cluster", connection.configuration.clusterName)
            id.append("nsp", namespace)
            id.append("pid", pid)
        }
    }

    private func document(_ session: StoredSession, _ terms: Terms) -> BSONDocument {
        BSONDocument(capacity: session.payload.readableBytes + 192) { document in
            document.append("_id", id(session.pid, session.namespace))
            document.append("until", dateMilliseconds: terms.until)
            if let owner = terms.owner { document.append("owner", BSONDocument(owner)) }
            document.append("data", binary: session.payload)
            guard let signer = connection.signer else { return }
            let content = signed(session.pid, session.namespace, until: terms.until, owner: terms.owner, session.payload)
            document.append("sig", binary: signer.sign(content))
        }
    }
}

extension BSONDocument {
    /// A node as the documents of sessions represent it.
    init(_ node: NodeIdentity) {
        self.init { document in
            document.append("id", node.id)
            document.append("epoch", Int64(bitPattern: node.epoch))
        }
    }
}
#endif
