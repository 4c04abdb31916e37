// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// How a find sorts, limits and reads.
public struct MongoFindOptions: Sendable {
    /// Sort order, such as `{_id: 1}` or `{$natural: 1}`. Default `nil`: none.
    public var sort: BSONDocument?
    /// Which fields are returned. Default `nil`: all.
    public var projection: BSONDocument?
    /// Key pattern of the index to use. Default `nil`: the server chooses.
    public var hint: BSONDocument?
    /// Matches to leave out at the beginning. Default 0.
    public var skip = 0
    /// Documents to return at most. Default `nil`: all.
    public var limit: Int?
    /// Documents per batch at most. Default `nil`: the server's.
    public var batchSize: Int?
    /// Whether each document gets a field `$recordId`: unless the collection is clustered, a number that grows with every insert. Default
    /// `false`.
    public var showsRecordID = false
    /// `readConcern` level such as `majority`. Default `nil`: the server's.
    public var readConcernLevel: String?
    /// Which members may answer. Default `nil`: what the connection string says.
    public var readPreference: MongoReadPreference?

    /// How long the server may work on it; after that it fails with the code ``MongoErrorCode/maxTimeExpired``. Default `nil`: as long as it
    /// takes.
    public var maximumTime: Duration?

    /// Makes options with the defaults.
    public init() {}

    func command(collection: String, filter: BSONDocument) -> BSONDocument {
        BSONDocument { command in
            command.append("find", collection)
            command.append("filter", filter)
            if let sort = self.sort { command.append("sort", sort) }
            if let projection = self.projection { command.append("projection", projection) }
            if let hint = self.hint { command.append("hint", hint) }
            if skip > 0 { command.append("skip", skip) }
            if let limit = self.limit { command.append("limit", Swift.max(1, limit)) }
            if let batchSize = self.batchSize, batchSize > 0 { command.append("batchSize", Int32(clamping: batchSize)) }
            if let maximumTime {
                let milliseconds = maximumTime.components.seconds * 1_000 + maximumTime.components.attoseconds / 1_000_000_000_000_000
                command.append("maxTimeMS", Int32(clamping: max(1, milliseconds)))
            }
            if showsRecordID { command.append("showRecordId", true) }
            if let level = readConcernLevel {
                command.appendDocument("readConcern") { $0.append("level", level) }
            }
        }
    }
}

extension MongoCollection {
    /// Finds documents and returns them all.
    ///
    /// The read is sent once more after a network error or a failover.
    /// - Parameters:
    ///   - filter: Which ones. Default: all.
    ///   - options: Sort, limit, projection, hint…
    ///   - maximumBytes: If the documents are more than that together, ``MongoError/Code/overloaded`` is thrown: set a limit, or use
    ///     ``openCursor(_:options:bufferedBatches:)``. Default 64 MiB.
    public func find(
        _ filter: BSONDocument = BSONDocument(),
        options: MongoFindOptions = MongoFindOptions(),
        maximumBytes: Int = 64 * 1_024 * 1_024
    ) async throws(MongoError) -> [BSONDocument] {
        try await database.client.collect(specification(filter, options), maximumBytes: maximumBytes)
    }

    /// Finds the first document that matches.
    public func findOne(
        _ filter: BSONDocument = BSONDocument(),
        options: MongoFindOptions = MongoFindOptions()
    ) async throws(MongoError) -> BSONDocument? {
        var options = options
        options.limit = 1
        return try await find(filter, options: options).first
    }

    /// Finds documents and reads them batch by batch, on a thread and a connection of the cursor's own.
    /// - Parameters:
    ///   - filter: Which ones. Default: all.
    ///   - options: Sort, limit, projection, hint…
    ///   - bufferedBatches: Batches that may wait for the reader. Default 2.
    public func openCursor(
        _ filter: BSONDocument = BSONDocument(),
        options: MongoFindOptions = MongoFindOptions(),
        bufferedBatches: Int = 2
    ) async throws(MongoError) -> MongoCursor {
        try await database.client.openCursor(specification(filter, options), bufferedBatches: bufferedBatches)
    }

    /// Opens a tailable cursor on this capped collection. It yields all existing documents, then those that are inserted.
    ///
    /// On an empty collection the server closes it at once. It is read with read concern `local`: what it yields may be rolled back by a
    /// failover.
    /// - Throws: ``MongoError`` with the code ``MongoErrorCode/badValue`` if the collection is not capped.
    public func tail(_ options: MongoTailOptions = MongoTailOptions()) async throws(MongoError) -> MongoCursor {
        let specification = CursorSpecification(
            database: database.name,
            command: options.command(collection: name),
            readPreference: options.requiresPrimary ? .primary : options.readPreference,
            batchSize: options.batchSize,
            maxAwaitTime: database.client.bounded(options.maxAwaitTime),
            requiresPrimary: options.requiresPrimary
        )
        return try await database.client.openCursor(
            specification,
            bufferedBatches: options.bufferedBatches,
            executor: options.executor
        )
    }

    /// Opens a change stream on this collection, which need not exist.
    ///
    /// When this returns, everything that is written from now on will be yielded. A resume point that the oplog no longer has may be
    /// noticed here or at the first batch.
    /// - Throws: ``MongoError``: with the code ``MongoErrorCode/changeStreamNotSupported`` on a standalone server,
    ///   ``MongoErrorCode/changeStreamHistoryLost`` or ``MongoErrorCode/changeStreamFatalError`` if the resume point is lost.
    public func watch(_ options: MongoChangeStreamOptions = MongoChangeStreamOptions()) async throws(MongoError) -> MongoCursor {
        let specification = CursorSpecification(
            database: database.name,
            command: options.command(collection: name),
            readPreference: options.readPreference,
            batchSize: options.batchSize,
            maxAwaitTime: database.client.bounded(options.maxAwaitTime)
        )
        return try await database.client.openCursor(
            specification,
            bufferedBatches: options.bufferedBatches,
            executor: options.executor
        )
    }

    private func specification(_ filter: BSONDocument, _ options: MongoFindOptions) -> CursorSpecification {
        CursorSpecification(
            database: database.name,
            command: options.command(collection: name, filter: filter),
            readPreference: options.readPreference,
            batchSize: options.batchSize
        )
    }
}

extension MongoClient {
    /// Reads a cursor to its end on a command thread. The first error that a new server may not have is answered by starting over once.
    func collect(_ specification: CursorSpecification, maximumBytes: Int = 64 * 1_024 * 1_024) async throws(MongoError) -> [BSONDocument] {
        do throws(MongoError) {
            return try await collectOnce(specification, maximumBytes: maximumBytes)
        } catch  where error.isRetryableRead {
            return try await collectOnce(specification, maximumBytes: maximumBytes)
        }
    }

    private func collectOnce(_ specification: CursorSpecification, maximumBytes: Int) async throws(MongoError) -> [BSONDocument] {
        try await onCommandThread { lease throws(MongoError) in
            let cursor = try ServerCursor(specification, lease: lease)
            var documents: [BSONDocument] = []
            var bytes = 0
            while let batch = try cursor.next() {
                bytes += batch.documents.reduce(0) { $0 + $1.count }
                guard bytes <= maximumBytes else {
                    throw MongoError(
                        .overloaded,
                        "The documents are more than \(maximumBytes) bytes: set a limit, or read them with a cursor."
                    )
                }
                documents += batch.documents
            }
            return documents
        }
    }

    /// A wait that ends well before the socket times out.
    func bounded(_ maxAwaitTime: Duration) -> Duration {
        Swift.min(Swift.max(maxAwaitTime, .milliseconds(1)), configuration.cursorSocketTimeout / 2)
    }
}

#endif
