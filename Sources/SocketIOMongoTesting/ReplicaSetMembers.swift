// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient

/// Connects to the members of a replica set one by one, with the credentials of the set, and knows their roles.
struct ReplicaSetMembers: Sendable {
    let all: [MongoProcess]
    private let user: MongoTestUser?

    init(_ all: [MongoProcess], user: MongoTestUser?) {
        self.all = all
        self.user = user
    }

    func run(_ command: BSONDocument, on member: MongoProcess, database: String) async throws -> BSONDocument {
        try await withClient(of: member) { try await $0.database(database).run(command) }
    }

    func withClient<Value>(of member: MongoProcess, _ body: (MongoClient) async throws -> Value) async throws -> Value {
        let credentials = user.map { "\($0.name):\($0.password)@" } ?? ""
        let source = user == nil ? "" : "&authSource=admin"
        var configuration = MongoClientConfiguration(
            connectionString: "mongodb://\(credentials)\(member.address)/?directConnection=true\(source)"
        )
        configuration.commandThreads = 1
        configuration.shutdownTimeout = .zero
        return try await withMongoClient(configuration, body)
    }

    /// The member that the majority has elected; nil during an election.
    func primary() async -> MongoProcess? {
        var best: (member: MongoProcess, election: ObjectID)?
        for member in all where member.isRunning {
            guard let hello = try? await member.hello(), hello.isWritablePrimary else { continue }
            let election = hello.reply["electionId"]?.objectID ?? ObjectID(time: 0, uniquePart: 0)
            if best.map({ $0.election < election }) ?? true { best = (member, election) }
        }
        return best?.member
    }

    /// Whether every running member is primary or secondary and has everything that the primary has.
    func doAllFollow() async -> Bool {
        guard let primary = await primary(),
            let status = try? await run(BSONDocument { $0.append("replSetGetStatus", 1) }, on: primary, database: "admin"),
            let list = status["members"]?.array
        else { return false }
        let running = Set(all.filter(\.isRunning).map(\.address))
        var newest: [BSONTimestamp] = []
        var reader = BSONReader(list)
        while let member = try? reader.next()?.document {
            guard let name = member["name"]?.string, running.contains(name) else { continue }
            guard let state = member["state"]?.integer, state == 1 || state == 2,
                let time = member["optime"]?.document?["ts"]?.timestamp
            else { return false }
            newest.append(time)
        }
        // The periodic no-op may be on its way: a second of difference does not count as lag.
        guard newest.count == running.count, let first = newest.min(), let last = newest.max() else { return false }
        return last.time - first.time <= 1
    }
}

extension MongoProcess {
    /// The member's description of itself; throws if it does not answer within a second.
    fileprivate func hello() async throws -> MongoHello {
        var configuration = MongoClientConfiguration(connectionString: directConnectionString)
        configuration.serverSelectionTimeout = .seconds(1)
        configuration.connectTimeout = .seconds(1)
        configuration.socketTimeout = .seconds(1)
        configuration.commandThreads = 1
        configuration.shutdownTimeout = .zero
        return try await withMongoClient(configuration) { try await $0.hello() }
    }
}

#endif
