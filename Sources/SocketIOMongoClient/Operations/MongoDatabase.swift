// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import SocketIOText

/// A database of a deployment: a name and the client that reaches it.
public struct MongoDatabase: Sendable {
    /// The client that it came from.
    public let client: MongoClient
    /// Its name.
    public let name: String

    /// How ``MongoDatabase/run(_:as:writeConcern:readPreference:)`` sends a command.
    public struct CommandKind: Hashable, Sendable {
        let mode: LeasedClient.Mode

        /// Once, to the primary unless a read preference says otherwise; no concern is added.
        public static let raw = CommandKind(mode: .raw)
        /// A read: sent again once after a network error or a failover.
        public static let read = CommandKind(mode: .read)
        /// A write: to the primary. `findAndModify` is sent again once, which the server recognises (`retryWrites`); any other write
        /// is sent once.
        public static let write = CommandKind(mode: .write)
    }

    /// A collection of the database; nothing is sent.
    public func collection(_ name: String) -> MongoCollection {
        MongoCollection(database: self, name: name)
    }

    /// Runs any command and returns the server's reply as it is.
    /// - Parameters:
    ///   - command: The name of the command is its first key.
    ///   - kind: How it is sent. Default ``CommandKind/raw``.
    ///   - writeConcern: For writes only. Default `nil`: what the connection string says.
    ///   - readPreference: For reads and raw commands. Default `nil`: the primary for raw ones, else what the connection string says.
    /// - Throws: ``MongoError`` if the server does not answer `ok`. A `writeConcernError` or `writeErrors` beside `ok` do not throw.
    public func run(
        _ command: BSONDocument,
        as kind: CommandKind = .raw,
        writeConcern: MongoWriteConcern? = nil,
        readPreference: MongoReadPreference? = nil
    ) async throws(MongoError) -> BSONDocument {
        let name = self.name
        let options = writeConcern?.options ?? BSONDocument()
        return try await client.onCommandThread { lease throws(MongoError) in
            try lease.run(command, database: name, mode: kind.mode, options: options, target: .init(preference: readPreference))
        }
    }

    /// Runs a command that changes metadata; a write concern error is thrown like any other.
    func runChange(_ command: BSONDocument, writeConcern: MongoWriteConcern) async throws(MongoError) -> BSONDocument {
        let reply = try await run(command, as: .write, writeConcern: writeConcern)
        if let error = MongoWriteConcernError(reply) {
            throw .unconfirmed(error, reply: reply)
        }
        return reply
    }

    /// The entries of `listCollections`: `name`, `type`, `options`…
    /// - Parameter filter: Such as `{name: "messages"}`. Default `nil`: all.
    public func listCollections(filter: BSONDocument? = nil) async throws(MongoError) -> [BSONDocument] {
        let command = BSONDocument { command in
            command.append("listCollections", 1)
            if let filter { command.append("filter", filter) }
        }
        return try await client.collect(CursorSpecification(database: name, command: command, readPreference: .primary))
    }

    /// Removes the database with everything in it.
    public func drop() async throws(MongoError) {
        _ = try await runChange(BSONDocument { $0.append("dropDatabase", 1) }, writeConcern: .majority)
    }
}

extension MongoClient {
    /// Sees whether a server answers.
    /// - Throws: ``MongoError`` with advice if none does, or the credentials are wrong.
    public func ping() async throws(MongoError) {
        _ = try await database("admin").run(BSONDocument { $0.append("ping", 1) })
    }

    /// Asks the primary, standalone server or router to describe itself.
    public func hello() async throws(MongoError) -> MongoHello {
        MongoHello(try await database("admin").run(BSONDocument { $0.append("hello", 1) }))
    }
}

/// A server's description of itself.
public struct MongoHello: Sendable {
    /// The whole reply.
    public let reply: BSONDocument

    init(_ reply: BSONDocument) {
        self.reply = reply
    }

    /// Whether it takes writes.
    public var isWritablePrimary: Bool { reply["isWritablePrimary"]?.bool ?? false }
    /// The replica set's name; `nil` on standalone servers and routers.
    public var replicaSetName: String? { reply["setName"]?.string }
    /// Whether it is the router of a sharded cluster.
    public var isRouter: Bool { reply["msg"]?.string == "isdbgrid" }
    /// Whether it has change streams: a member of a replica set or a router.
    public var hasChangeStreams: Bool { replicaSetName != nil || isRouter }
    /// Whether it lets an index build wait for fewer members than all that vote.
    public var takesCommitQuorum: Bool { hasChangeStreams && maximumWireVersion >= 9 }
    /// The time of day by its clock, in milliseconds since 1970.
    public var localTime: Int64? { reply["localTime"]?.dateMilliseconds }
    /// Address of the primary, as the replica set knows it.
    public var primary: String? { reply["primary"]?.string }
    /// The newest wire version that it speaks: 9 is MongoDB 4.4, 17 is 6.0.
    public var maximumWireVersion: Int { reply["maxWireVersion"]?.integer.map { Int($0) } ?? 0 }
}

#endif
