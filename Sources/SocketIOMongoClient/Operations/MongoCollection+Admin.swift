// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// An index to create.
public struct MongoIndex: Sendable {
    /// Key pattern, such as `{createdAt: 1}`.
    public var keys: BSONDocument
    /// Its name.
    public var name: String
    /// Deletes a document that long after the date in the indexed field (TTL index); whole seconds. Default `nil`: never.
    public var expireAfter: Duration?
    /// Whether two documents may not have the same key. Default `false`.
    public var isUnique = false
    /// Whether documents without the field are left out. Default `false`.
    public var isSparse = false
    /// Only documents that match are indexed. Default `nil`: all.
    public var partialFilter: BSONDocument?

    /// Describes an index.
    public init(keys: BSONDocument, name: String) {
        self.keys = keys
        self.name = name
    }

    func write(into index: inout BSONWriter) {
        index.append("key", keys)
        index.append("name", name)
        if let expireAfter = self.expireAfter {
            index.append("expireAfterSeconds", Int32(clamping: expireAfter.components.seconds))
        }
        if isUnique { index.append("unique", true) }
        if isSparse { index.append("sparse", true) }
        if let partialFilter = self.partialFilter { index.append("partialFilterExpression", partialFilter) }
    }
}

extension MongoCollection {
    /// Creates a plain collection.
    /// - Throws: ``MongoError`` with the code ``MongoErrorCode/namespaceExists`` if a collection of that name exists, whatever its options.
    public func create() async throws(MongoError) {
        try await create(options: BSONDocument())
    }

    /// Creates a capped collection.
    /// - Parameters:
    ///   - bytes: Its size; the server rounds it up to a multiple of 256.
    ///   - maximumDocuments: How many documents it holds at most. Default `nil`: as many as fit.
    /// - Throws: ``MongoError`` with the code ``MongoErrorCode/namespaceExists`` if a collection of that name exists, whatever its options.
    public func createCapped(bytes: Int, maximumDocuments: Int? = nil) async throws(MongoError) {
        let options = BSONDocument { options in
            options.append("capped", true)
            options.append("size", bytes)
            if let maximumDocuments { options.append("max", maximumDocuments) }
        }
        try await create(options: options)
    }

    /// Creates a collection with any options of the `create` command.
    /// - Throws: ``MongoError`` with the code ``MongoErrorCode/namespaceExists`` if a collection of that name exists, whatever its options.
    public func create(options: BSONDocument) async throws(MongoError) {
        let command = try BSONDocument { command throws(MongoError) in
            command.append("create", name)
            try command.append(contentsOf: options)
        }
        _ = try await database.runChange(command, writeConcern: .majority)
    }

    /// Removes the collection with its indexes.
    /// - Returns: `false` if there was none.
    @discardableResult
    public func drop() async throws(MongoError) -> Bool {
        do throws(MongoError) {
            _ = try await database.runChange(BSONDocument { $0.append("drop", name) }, writeConcern: .majority)
            return true
        } catch  where error.serverCode == .namespaceNotFound {
            return false
        }
    }

    /// Creates indexes, and the collection if it does not exist.
    /// - Parameters:
    ///   - indexes: The indexes.
    ///   - commitQuorum: How many members, the primary among them, must have built the indexes before they count: 1 to all that vote, the
    ///     server refuses more. `nil`: all that vote, so that on a collection with documents it takes until the last one of them is
    ///     there. Replica sets and sharded clusters of MongoDB 4.4 and later only; see ``MongoHello/takesCommitQuorum``. Default `nil`.
    /// - Throws: ``MongoError``: with the code ``MongoErrorCode/indexOptionsConflict`` or ``MongoErrorCode/indexKeySpecsConflict`` if an
    ///   index of that name or with those keys exists with other options, ``MongoErrorCode/cannotCreateIndex`` or
    ///   ``MongoErrorCode/invalidOptions`` for a TTL index on a capped collection.
    public func createIndexes(_ indexes: [MongoIndex], commitQuorum: Int? = nil) async throws(MongoError) {
        let command = BSONDocument { command in
            command.append("createIndexes", name)
            command.appendArray("indexes") { array in
                for index in indexes {
                    array.appendDocument { index.write(into: &$0) }
                }
            }
            if let commitQuorum { command.append("commitQuorum", Int32(clamping: commitQuorum)) }
        }
        _ = try await database.runChange(command, writeConcern: .majority)
    }

    /// The entries of `listIndexes`: `key`, `name`, `expireAfterSeconds`…
    /// - Returns: The entries; empty if the collection does not exist.
    public func listIndexes() async throws(MongoError) -> [BSONDocument] {
        let command = BSONDocument { $0.append("listIndexes", name) }
        let specification = CursorSpecification(database: database.name, command: command, readPreference: .primary)
        do throws(MongoError) {
            return try await database.client.collect(specification)
        } catch  where error.serverCode == .namespaceNotFound {
            return []
        }
    }

    /// Changes options of the collection or an index with `collMod`.
    /// - Parameter options: Such as `{index: {keyPattern: {createdAt: 1}, expireAfterSeconds: 60}}`.
    public func modify(_ options: BSONDocument) async throws(MongoError) {
        let command = try BSONDocument { command throws(MongoError) in
            command.append("collMod", name)
            try command.append(contentsOf: options)
        }
        _ = try await database.runChange(command, writeConcern: .majority)
    }
}

extension BSONWriter {
    /// Appends all elements of a document.
    /// - Throws: ``MongoError/Code/invalidBSON`` if the document is malformed; the elements before the fault are written.
    public mutating func append(contentsOf document: BSONDocument) throws(MongoError) {
        var reader = BSONReader(document)
        while let element = try reader.next() {
            append(element.key, element)
        }
    }
}

#endif
