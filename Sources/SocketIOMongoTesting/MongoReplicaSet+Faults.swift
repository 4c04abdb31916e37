// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import SocketIOMongoClient
import NIOCore

extension MongoReplicaSet {
    /// The member that the majority has elected; waits for an election.
    /// - Parameters:
    ///   - other: One that does not count: to wait for its successor.
    ///   - timeout: Default 30 s.
    public func primary(otherThan other: MongoProcess? = nil, timeout: Duration = .seconds(30)) async throws -> MongoProcess {
        let deadline = ContinuousClock.now + timeout
        while ContinuousClock.now < deadline {
            if let primary = await currentPrimary(), primary !== other { return primary }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw MongoHarnessError("the replica set has no primary after \(timeout)")
    }

    /// A member that is not the primary and runs.
    public func secondary() async throws -> MongoProcess {
        let primary = try await self.primary()
        guard let secondary = members.first(where: { $0 !== primary && $0.isRunning }) else {
            throw MongoHarnessError("the replica set has no secondary")
        }
        return secondary
    }

    /// Makes the primary step down and waits for the next one.
    /// - Returns: The new primary.
    @discardableResult
    public func stepDown() async throws -> MongoProcess {
        let old = try await primary()
        let command = BSONDocument { command in
            command.append("replSetStepDown", Int32(10))
            command.append("secondaryCatchUpPeriodSecs", Int32(5))
            command.append("force", true)
        }
        _ = try await run(command, on: old)
        return try await primary(otherThan: old)
    }

    /// Waits until every running member is primary or secondary and has everything that the primary has.
    public func waitUntilAllFollow(timeout: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + timeout
        while ContinuousClock.now < deadline {
            if await doAllFollow() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw MongoHarnessError("not all members follow the primary after \(timeout)")
    }

    /// Runs a command on one member, with the credentials of the set.
    @discardableResult
    public func run(_ command: BSONDocument, on member: MongoProcess, database: String = "admin") async throws -> BSONDocument {
        try await withClient(of: member) { try await $0.database(database).run(command) }
    }

    /// Writes until the primary's oplog no longer reaches back to this moment. Needs a set with a tiny oplog
    /// (``MongoReplicaSetConfiguration/oplogMegabytes`` of 1).
    public func rollOplog(timeout: Duration = .seconds(60)) async throws {
        let start = try await oplogEnd()
        try await withClient(of: primary()) { client in
            let filler = client.database("harness").collection("filler")
            let deadline = ContinuousClock.now + timeout
            while ContinuousClock.now < deadline {
                for _ in 0..<10 { try await filler.insertIncompressible(bytes: 1 << 20) }
                if let oldest = try await oplogStart(client), oldest > start {
                    try await filler.drop()
                    return
                }
            }
            throw MongoHarnessError("the oplog still reaches back to the beginning after \(timeout)")
        }
    }

    private func oplogEnd() async throws -> BSONTimestamp {
        let reply = try await run(BSONDocument { $0.append("hello", 1) }, on: primary())
        guard let time = reply["operationTime"]?.timestamp else { throw MongoHarnessError("the primary does not report an operation time") }
        return time
    }

    private func oplogStart(_ client: MongoClient) async throws -> BSONTimestamp? {
        var options = MongoFindOptions()
        options.sort = BSONDocument { $0.append("$natural", 1) }
        options.projection = BSONDocument { $0.append("ts", 1) }
        return try await client.database("local").collection("oplog.rs").findOne(options: options)?["ts"]?.timestamp
    }

    private func currentPrimary() async -> MongoProcess? {
        var best: (member: MongoProcess, election: ObjectID)?
        for member in members where member.isRunning {
            guard let hello = try? await member.hello(), hello.isWritablePrimary else { continue }
            let election = hello.reply["electionId"]?.objectID ?? ObjectID(time: 0, uniquePart: 0)
            if best.map({ $0.election < election }) ?? true { best = (member, election) }
        }
        return best?.member
    }

    private func doAllFollow() async -> Bool {
        guard let primary = await currentPrimary(),
            let status = try? await run(BSONDocument { $0.append("replSetGetStatus", 1) }, on: primary),
            let list = status["members"]?.array
        else { return false }
        let running = Set(members.filter(\.isRunning).map(\.address))
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

    private func withClient<Value>(of member: MongoProcess, _ body: (MongoClient) async throws -> Value) async throws -> Value {
        let credentials = self.configuration.user.map { "\($0.name):\($0.password)@" } ?? ""
        let source = self.configuration.user == nil ? "" : "&authSource=admin"
        var configuration = MongoClientConfiguration(
            connectionString: "mongodb://\(credentials)\(member.address)/?directConnection=true\(source)"
        )
        configuration.commandThreads = 1
        configuration.shutdownTimeout = .zero
        return try await withMongoClient(configuration, body)
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

extension MongoCollection {
    fileprivate func insertIncompressible(bytes: Int) async throws {
        var buffer = ByteBuffer()
        for _ in 0..<(bytes / 8) { buffer.writeInteger(UInt64.random(in: .min ... .max)) }
        let document = BSONDocument(capacity: bytes + 64) { writer in
            writer.append("_id", ObjectID())
            writer.append("filler", binary: buffer)
        }
        _ = try await insert([document], writeConcern: .members(1))
    }
}

#endif
