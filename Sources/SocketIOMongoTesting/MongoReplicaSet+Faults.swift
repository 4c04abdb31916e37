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
            if let primary = await access.primary(), primary !== other { return primary }
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
            if await access.doAllFollow() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw MongoHarnessError("not all members follow the primary after \(timeout)")
    }

    /// Runs a command on one member, with the credentials of the set.
    @discardableResult
    public func run(_ command: BSONDocument, on member: MongoProcess, database: String = "admin") async throws -> BSONDocument {
        try await access.run(command, on: member, database: database)
    }

    /// Writes until the primary's oplog no longer reaches back to this moment. Needs a set with a tiny oplog
    /// (``MongoReplicaSetConfiguration/oplogMegabytes`` of 1).
    public func rollOplog(timeout: Duration = .seconds(60)) async throws {
        let start = try await oplogEnd()
        try await access.withClient(of: primary()) { client in
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
