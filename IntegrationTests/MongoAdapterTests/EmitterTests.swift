// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoTesting
import Foundation
import SocketIOMongoClient
import SocketIOEmitter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    /// Processes that are no servers.
    @Suite("Emitters")
    struct Emitters {
        #if os(Linux)
        @Test(arguments: [Mode.ttl, .capped])
        func `An emitter that is closed leaves no thread and no connection`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let name = "emitter-\(ObjectID().hex)"
            let configuration = makeConfiguration("\(set.connectionString)&appName=\(name)", mode)
            let before = try Self.threads()
            for _ in 0..<3 {
                let io = try await SocketIOEmitter.mongo(configuration)
                try await io.emit("hello", 1)
                // What is counted below can be seen.
                #expect(try await Self.connections(of: name, set) > 0)
                #expect(try Self.threads().contains { $0.hasPrefix("mongo-") })
                await io.close()
                await #expect(throws: (any Error).self) { try await io.emit("late") }
            }
            try await eventually { try await Self.connections(of: name, set) == 0 }
            try await eventually("before: \(before), after: \((try? Self.threads()) ?? [])") {
                try !Self.threads().contains { $0.hasPrefix("mongo-") }
            }
        }

        /// The names of this process's threads. One that has no name of its own has that of the thread that started it.
        private static func threads() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").compactMap { id in
                // It may have ended meanwhile.
                try? String(contentsOfFile: "/proc/self/task/\(id)/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
            }
        }
        #endif

        /// The connections of an application to the members of a set, used or not.
        private static func connections(of name: String, _ set: MongoReplicaSet) async throws -> Int {
            let list = BSONDocument { command in
                command.append("aggregate", Int32(1))
                command.appendArray("pipeline") { stages in
                    stages.appendDocument { stage in
                        stage.appendDocument("$currentOp") { options in
                            options.append("allUsers", true)
                            options.append("idleConnections", true)
                        }
                    }
                    stages.appendDocument { stage in stage.appendDocument("$match") { $0.append("appName", name) } }
                    stages.appendDocument { $0.append("$count", "connections") }
                }
                command.appendDocument("cursor") { _ in }
            }
            var count = 0
            for member in set.members {
                guard let found = try await set.run(list, on: member)["cursor"]?.document?["firstBatch"]?.array else { continue }
                var reader = BSONReader(found)
                count += try reader.next()?.document?["connections"]?.integer.map(Int.init) ?? 0
            }
            return count
        }
    }
}
#endif
