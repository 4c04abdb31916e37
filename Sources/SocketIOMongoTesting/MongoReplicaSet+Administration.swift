// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import SocketIOMongoClient
import NIOCore

/// Administration of a replica set, and its state for tests.
extension MongoReplicaSet {
    /// Kills every cursor on a collection, idle or not, on the primary.
    ///
    /// - Parameter namespace: `database.collection`.
    /// - Returns: How many there were.
    @discardableResult
    public func killCursors(of namespace: String) async throws -> Int {
        let parts = namespace.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw MongoHarnessError("\(namespace) is not database.collection") }
        let primary = try await self.primary()
        let reply = try await run(Self.listOfCursors(namespace), on: primary)
        guard let operations = reply["cursor"]?.document?["firstBatch"]?.array else {
            throw MongoHarnessError("the primary lists no operations")
        }
        var reader = BSONReader(operations)
        var killed = 0
        while let operation = try reader.next()?.document {
            guard let id = operation["cursor"]?.document?["cursorId"]?.integer else { continue }
            let kill = BSONDocument { command in
                command.append("killCursors", parts[1])
                command.appendArray("cursors") { $0.append(id) }
            }
            try await run(kill, on: primary, database: parts[0])
            killed += 1
        }
        return killed
    }

    /// Counts stored sessions whose data contains a text, such as the name of a room.
    ///
    /// - Parameters:
    ///   - namespace: `database.collection`.
    ///   - text: The text.
    package func countSessions(in namespace: String, containing text: String) async throws -> Int {
        let parts = namespace.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw MongoHarnessError("\(namespace) is not database.collection") }
        let find = BSONDocument { command in
            command.append("find", parts[1])
            command.append("batchSize", Int32(1_000))
        }
        let reply = try await run(find, on: primary(), database: parts[0])
        guard let documents = reply["cursor"]?.document?["firstBatch"]?.array else { throw MongoHarnessError("there is no batch") }
        var reader = BSONReader(documents)
        var count = 0
        while let document = try reader.next()?.document {
            if let data = document["data"]?.binary?.bytes, data.readableBytesView.firstRange(of: text.utf8) != nil { count += 1 }
        }
        return count
    }

    private static func listOfCursors(_ namespace: String) -> BSONDocument {
        BSONDocument { command in
            command.append("aggregate", Int32(1))
            command.appendArray("pipeline") { stages in
                stages.appendDocument { stage in stage.appendDocument("$currentOp") { $0.append("idleCursors", true) } }
                stages.appendDocument { stage in
                    stage.appendDocument("$match") { match in
                        match.append("ns", namespace)
                        match.appendDocument("cursor.cursorId") { $0.append("$exists", true) }
                    }
                }
            }
            command.appendDocument("cursor") { _ in }
        }
    }

    /// How often a member has rolled back: it grows by one each time that the member throws away writes that no majority had.
    public func rollbackID(of member: MongoProcess) async throws -> Int64 {
        let reply = try await run(BSONDocument { $0.append("replSetGetRBID", Int32(1)) }, on: member)
        guard let id = reply["rbid"]?.integer else { throw MongoHarnessError("the member does not report a rollback id") }
        return id
    }

    /// Waits until everything that a member has applied up to now is in its journal, so that it survives `kill()`.
    public func waitUntilDurable(_ member: MongoProcess, timeout: Duration = .seconds(30)) async throws {
        let applied = try await operationTime("appliedOpTime", of: member)
        let deadline = ContinuousClock.now + timeout
        while try await operationTime("durableOpTime", of: member) < applied {
            guard ContinuousClock.now < deadline else { throw MongoHarnessError("the writes are not in the journal after \(timeout)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func operationTime(_ name: String, of member: MongoProcess) async throws -> BSONTimestamp {
        let reply = try await run(BSONDocument { $0.append("replSetGetStatus", Int32(1)) }, on: member)
        guard let time = reply["optimes"]?.document?[name]?.document?["ts"]?.timestamp else {
            throw MongoHarnessError("the member does not report \(name)")
        }
        return time
    }
}

extension MongoProcess {
    /// Lets commands on a collection fail, each time or so many times, until ``failNothing()``.
    ///
    /// - Parameters:
    ///   - commands: Such as `insert`, `getMore`, `aggregate`.
    ///   - namespace: `database.collection`.
    ///   - code: The server's error code; nil breaks the connection instead.
    ///   - labels: The error's labels, if not those that the code has by itself.
    ///   - times: How often; nil for each time.
    public func failCommands(
        _ commands: [String],
        on namespace: String,
        code: MongoErrorCode?,
        labels: [String] = [],
        times: Int? = nil
    ) async throws {
        try await setFailPoint(commands, on: namespace, times: times) { data in
            if let code { data.append("errorCode", code.rawValue) } else { data.append("closeConnection", true) }
            if !labels.isEmpty {
                data.appendArray("errorLabels") { array in
                    for label in labels { array.append(label) }
                }
            }
        }
    }

    /// Lets commands on a collection take longer, each time or so many times, until ``failNothing()``.
    ///
    /// - Parameters:
    ///   - commands: Such as `insert`, `getMore`, `aggregate`.
    ///   - namespace: `database.collection`.
    ///   - duration: How much longer.
    ///   - times: How often; nil for each time.
    public func delayCommands(_ commands: [String], on namespace: String, by duration: Duration, times: Int? = nil) async throws {
        try await setFailPoint(commands, on: namespace, times: times) { data in
            data.append("blockConnection", true)
            data.append("blockTimeMS", Int32(clamping: Int64(duration / .milliseconds(1))))
        }
    }

    private func setFailPoint(_ commands: [String], on namespace: String, times: Int?, _ what: (inout BSONWriter) -> Void) async throws {
        let data = BSONDocument { data in
            data.appendArray("failCommands") { array in
                for command in commands { array.append(command) }
            }
            data.append("namespace", namespace)
            what(&data)
        }
        try await setFailPoint("failCommand", times: times, data: data)
    }

    /// Ends what ``failCommands(_:on:code:labels:times:)`` or ``delayCommands(_:on:by:times:)`` has begun.
    public func failNothing() async throws { try await setFailPoint("failCommand", times: 0) }
}

#endif
