// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// A collection: a name, a database and the client that reaches it.
public struct MongoCollection: Sendable {
    /// The database that it belongs to.
    public let database: MongoDatabase
    /// Its name without the database.
    public let name: String

    /// `database.collection`
    public var namespace: String {
        "\(database.name).\(name)"
    }
}

extension MongoCollection {
    /// The largest command that a server takes; an insert with all its documents has to fit.
    public static let maximumCommandSize = 16 * 1_024 * 1_024

    /// Inserts documents with one `insert` command.
    ///
    /// The command is sent exactly once. Give every document its own `_id` first: repeating it after an unknown outcome is then
    /// harmless, because documents that were written before are reported with ``MongoWriteError/isDuplicateID``.
    /// - Parameters:
    ///   - documents: At least one and at most 100 000; together below ``maximumCommandSize``.
    ///   - ordered: Whether to stop at the first document that is refused. Default `true`.
    ///   - writeConcern: Default ``MongoWriteConcern/majority``.
    ///   - uuid: The `info.uuid` that `listCollections` returned for the collection. The server refuses to write to any other one, with
    ///     the code ``MongoErrorCode/collectionUUIDMismatch``. Without it, an insert into a collection that was dropped creates an
    ///     ordinary one. MongoDB 6.0 and later. Default `nil`.
    /// - Returns: The server's answer, including refused documents.
    /// - Throws: ``MongoError``. Its ``MongoError/outcome`` says whether some of the documents may have been inserted.
    public func insert(
        _ documents: [BSONDocument],
        ordered: Bool = true,
        writeConcern: MongoWriteConcern = .majority,
        uuid: BSONBinary? = nil
    ) async throws(MongoError) -> MongoInsertResult {
        let size = documents.reduce(512) { $0 + $1.count + 8 }
        guard !documents.isEmpty, documents.count <= 100_000, size < Self.maximumCommandSize else {
            throw .invalidArgument(
                "An insert takes 1 to 100000 documents of together less than \(Self.maximumCommandSize) bytes; "
                    + "these are \(documents.count) of \(size) bytes. Split them."
            )
        }
        let command = BSONDocument(capacity: size) { command in
            command.append("insert", name)
            command.append("ordered", ordered)
            if let uuid { command.append("collectionUUID", uuid) }
            command.append("documents", array: documents)
        }
        let reply = try await database.run(command, as: .write, writeConcern: writeConcern)
        return try MongoInsertResult(reply)
    }

    /// Deletes documents.
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - onlyOne: Whether to stop after the first. Default `false`.
    ///   - writeConcern: Default ``MongoWriteConcern/majority``.
    /// - Returns: How many were deleted.
    /// - Throws: ``MongoError``, also if the write concern was not confirmed (outcome `unknown`).
    @discardableResult
    public func delete(
        _ filter: BSONDocument,
        onlyOne: Bool = false,
        writeConcern: MongoWriteConcern = .majority
    ) async throws(MongoError) -> Int {
        let command = BSONDocument { command in
            command.append("delete", name)
            command.appendArray("deletes") { deletes in
                deletes.appendDocument { delete in
                    delete.append("q", filter)
                    delete.append("limit", Int32(onlyOne ? 1 : 0))
                }
            }
        }
        return Int(clamping: try await write(command, writeConcern)["n"]?.integer ?? 0)
    }

    /// Updates or replaces documents.
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - update: Update operators, or a whole document that replaces the first match.
    ///   - upsert: Whether to insert one if none matches. Default `false`.
    ///   - many: Whether to update all matches; not with a replacement. Default `false`.
    ///   - writeConcern: Default ``MongoWriteConcern/majority``.
    /// - Returns: How many matched or were inserted.
    /// - Throws: ``MongoError``, also if the write concern was not confirmed (outcome `unknown`).
    @discardableResult
    public func update(
        _ filter: BSONDocument,
        _ update: BSONDocument,
        upsert: Bool = false,
        many: Bool = false,
        writeConcern: MongoWriteConcern = .majority
    ) async throws(MongoError) -> Int {
        let command = BSONDocument { command in
            command.append("update", name)
            command.appendArray("updates") { updates in
                updates.appendDocument { one in
                    one.append("q", filter)
                    one.append("u", update)
                    one.append("upsert", upsert)
                    one.append("multi", many)
                }
            }
        }
        return Int(clamping: try await write(command, writeConcern)["n"]?.integer ?? 0)
    }

    /// Finds one document and removes it.
    /// - Parameters:
    ///   - filter: Which one.
    ///   - sort: Which of several comes first. Default `nil`: any.
    ///   - projection: Which fields are returned. Default `nil`: all.
    ///   - writeConcern: Default ``MongoWriteConcern/majority``.
    /// - Returns: The document, or `nil` if none matched. Of several callers only one gets it.
    /// - Throws: ``MongoError``, also if the write concern was not confirmed (outcome `unknown`).
    public func findAndDelete(
        _ filter: BSONDocument,
        sort: BSONDocument? = nil,
        projection: BSONDocument? = nil,
        writeConcern: MongoWriteConcern = .majority
    ) async throws(MongoError) -> BSONDocument? {
        let command = findAndModify(filter, sort, projection) { $0.append("remove", true) }
        return try await write(command, writeConcern)["value"]?.document
    }

    /// Finds one document and updates it.
    /// - Parameters:
    ///   - filter: Which one.
    ///   - update: Update operators, or a whole document that replaces it.
    ///   - sort: Which of several comes first. Default `nil`: any.
    ///   - projection: Which fields are returned. Default `nil`: all.
    ///   - upsert: Whether to insert one if none matches. Default `false`.
    ///   - returnsNew: Whether the document is returned as it is afterwards. Default `false`: as it was before.
    ///   - writeConcern: Default ``MongoWriteConcern/majority``.
    /// - Returns: The document, or `nil` if there was none.
    /// - Throws: ``MongoError``, also if the write concern was not confirmed (outcome `unknown`).
    public func findAndUpdate(
        _ filter: BSONDocument,
        _ update: BSONDocument,
        sort: BSONDocument? = nil,
        projection: BSONDocument? = nil,
        upsert: Bool = false,
        returnsNew: Bool = false,
        writeConcern: MongoWriteConcern = .majority
    ) async throws(MongoError) -> BSONDocument? {
        let command = findAndModify(filter, sort, projection) { command in
            command.append("update", update)
            command.append("upsert", upsert)
            command.append("new", returnsNew)
        }
        return try await write(command, writeConcern)["value"]?.document
    }

    private func findAndModify(
        _ filter: BSONDocument,
        _ sort: BSONDocument?,
        _ projection: BSONDocument?,
        _ change: (inout BSONWriter) -> Void
    ) -> BSONDocument {
        BSONDocument { command in
            command.append("findAndModify", name)
            command.append("query", filter)
            if let sort { command.append("sort", sort) }
            if let projection { command.append("fields", projection) }
            change(&command)
        }
    }

    private func write(_ command: BSONDocument, _ writeConcern: MongoWriteConcern) async throws(MongoError) -> BSONDocument {
        let reply = try await database.run(command, as: .write, writeConcern: writeConcern)
        if let error = try MongoWriteError.all(in: reply).first {
            throw .refused(error, reply: reply)
        }
        if let error = MongoWriteConcernError(reply) {
            throw .unconfirmed(error, reply: reply)
        }
        return reply
    }
}

#endif
