#if MongoDB
import MongoClient
import SocketIOTesting
import Testing

/// Kills every cursor on a collection, as an administrator would.
///
/// - Returns: How many there were.
@discardableResult
func killCursors(of name: String, in set: MongoReplicaSet) async throws -> Int {
    let primary = try await set.primary()
    let list = BSONDocument { command in
        command.append("aggregate", Int32(1))
        command.appendArray("pipeline") { stages in
            stages.appendDocument { stage in stage.appendDocument("$currentOp") { $0.append("idleCursors", true) } }
            stages.appendDocument { stage in
                stage.appendDocument("$match") { match in
                    match.append("ns", "tests.\(name)")
                    match.appendDocument("cursor.cursorId") { $0.append("$exists", true) }
                }
            }
        }
        command.appendDocument("cursor") { _ in }
    }
    let reply = try await set.run(list, on: primary)
    let operations = try #require(reply["cursor"]?.document?["firstBatch"]?.array)
    var reader = BSONReader(operations)
    var killed = 0
    while let operation = try reader.next()?.document {
        guard let id = operation["cursor"]?.document?["cursorId"]?.integer else { continue }
        let kill = BSONDocument { command in
            command.append("killCursors", name)
            command.appendArray("cursors") { $0.append(id) }
        }
        try await set.run(kill, on: primary, database: "tests")
        killed += 1
    }
    return killed
}

extension MongoProcess {
    /// Lets commands on a collection fail, or ends that.
    func failCommands(_ commands: [String], on name: String, code: Int32?, times: Int? = nil) async throws {
        let data = BSONDocument { data in
            data.appendArray("failCommands") { array in
                for command in commands { array.append(command) }
            }
            data.append("namespace", "tests.\(name)")
            if let code { data.append("errorCode", code) } else { data.append("closeConnection", true) }
        }
        try await setFailPoint("failCommand", times: times, data: data)
    }

    /// Ends what ``failCommands(_:on:code:times:)`` has begun.
    func failNothing() async throws { try await setFailPoint("failCommand", times: 0) }
}
#endif
