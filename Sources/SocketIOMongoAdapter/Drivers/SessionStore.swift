#if MongoDB
import MongoClient
import NIOCore
import SocketIOCore

/// The sessions of nodes that leave, in a collection of their own: messages are in one that may be capped, from which nothing can be
/// taken.
struct SessionStore: Sendable {
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
        guard !sessions.isEmpty else { return }
        let collection = try collection()
        try await setUp(collection)
        let until = WallClock.milliseconds() + duration.components.seconds * 1_000 + Self.grace
        let first = try await run(insertion(sessions, until: until, into: collection), in: collection.database)
        // Those that were stored before, by a node to which their clients then went. Updates one by one are slow, so they come second.
        let known = first.writeErrors.filter(\.isDuplicateID).compactMap { sessions.indices.contains($0.index) ? sessions[$0.index] : nil }
        guard known.count == first.writeErrors.count, first.writeConcernError == nil else { throw Self.incomplete }
        guard !known.isEmpty else { return }
        let second = try await run(replacement(known, until: until, in: collection), in: collection.database)
        guard second.isComplete else { throw Self.incomplete }
    }

    private func run(_ command: BSONDocument, in database: MongoDatabase) async throws(MongoAdapterError) -> MongoInsertResult {
        let reply = try await write(command, database)
        do throws(MongoError) { return try MongoInsertResult(reply) } catch { throw MongoAdapterError(error, while: "storing sessions") }
    }

    private static var incomplete: MongoAdapterError { MongoAdapterError(.failed, "not all sessions could be stored") }

    private func insertion(_ sessions: [StoredSession], until: Int64, into collection: MongoCollection) -> BSONDocument {
        BSONDocument { command in
            command.append("insert", collection.name)
            command.append("ordered", false)
            command.append("documents", array: sessions.map { document($0, until: until) })
        }
    }

    private func replacement(_ sessions: [StoredSession], until: Int64, in collection: MongoCollection) -> BSONDocument {
        BSONDocument { command in
            command.append("update", collection.name)
            command.append("ordered", false)
            command.appendArray("updates") { updates in
                for session in sessions {
                    updates.appendDocument { update in
                        update.appendDocument("q") { $0.append("_id", id(session.pid, session.namespace)) }
                        update.append("u", document(session, until: until))
                        update.append("upsert", true)
                    }
                }
            }
        }
    }

    /// Only what was certainly not written is written again: a session that somebody has taken meanwhile must not come back.
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
        do throws(MongoError) { try await collection.createIndexes([index]) } catch {
            throw MongoAdapterError(error, while: "creating the TTL index of \(collection.namespace)")
        }
    }

    /// Finds a session and removes it: of several callers one gets it.
    func take(_ pid: String, in namespace: String) async throws(MongoAdapterError) -> StoredSession? {
        guard let payload = try await connection.sessions.take(id(pid, namespace), from: try collection()) else { return nil }
        return StoredSession(namespace: namespace, pid: pid, payload: payload)
    }

    private func id(_ pid: String, _ namespace: String) -> BSONDocument {
        BSONDocument { id in
            id.append("cluster", connection.configuration.cluster)
            id.append("nsp", namespace)
            id.append("pid", pid)
        }
    }

    private func document(_ session: StoredSession, until: Int64) -> BSONDocument {
        BSONDocument(capacity: session.payload.readableBytes + 192) { document in
            document.append("_id", id(session.pid, session.namespace))
            document.append("until", dateMilliseconds: until)
            document.append("data", binary: session.payload)
        }
    }
}
#endif
