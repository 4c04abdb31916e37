#if MongoDB
import MongoClient
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    @Suite("Fail-over")
    struct FailOver {
        /// Clients that notice a silent server soon.
        private static let options = "&socketTimeoutMS=3000&connectTimeoutMS=1000&heartbeatFrequencyMS=500&serverSelectionTimeoutMS=3000"

        /// Two nodes emit all the time while something happens; in the end each has everything of both, once and in order.
        private static func underLoad(_ mode: Mode, _ disaster: (MongoReplicaSet, MongoAdapterConfiguration) async throws -> Void)
            async throws
        {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString + options, mode)
            configuration.deafnessLimit = .seconds(2)
            configuration.heartbeatTimeout = .seconds(20)
            let count = 400
            try await withNodes(2, configuration) { [configuration] nodes in
                async let first: Void = nodes[0].emit("a", 0..<count, pause: .milliseconds(5))
                async let second: Void = nodes[1].emit("b", 0..<count, pause: .milliseconds(5))
                // A third of the load comes before.
                try await Task.sleep(for: .milliseconds(700))
                try await disaster(set, configuration)
                _ = try await (first, second)
                try await nodes[0].emit("z", 0..<20)
                await expectAll(nodes, "a", 0..<count)
                await expectAll(nodes, "b", 0..<count)
                await expectAll(nodes, "z", 0..<20)
                #expect(nodes.allSatisfy { $0.events.lost == 0 }, "\(nodes.map(\.events.descriptions))")
                #expect(await eventually { nodes.allSatisfy { $0.mongo.health == .healthy } })
            }
        }

        @Test("The primary steps down under load: nothing lost, nothing twice", arguments: Mode.all)
        func stepDown(mode: Mode) async throws {
            try await Self.underLoad(mode) { set, _ in try await set.stepDown() }
        }

        @Test("The primary is killed under load: nothing lost, nothing twice", arguments: Mode.all)
        func kill(mode: Mode) async throws {
            try await Self.underLoad(mode) { set, _ in
                let primary = try await set.primary()
                try await primary.kill()
                _ = try await set.primary(otherThan: primary)
            }
        }

        @Test("The primary hangs under load: nothing lost, nothing twice", arguments: [Mode.ttl, .tailable])
        func pause(mode: Mode) async throws {
            try await Self.underLoad(mode) { set, _ in
                let primary = try await set.primary()
                try primary.pause()
                _ = try await set.primary(otherThan: primary)
                // The new primary takes messages before the old one is back.
                try await Task.sleep(for: .seconds(1))
                try primary.resume()
            }
        }

        @Test("An administrator kills the cursors under load: nothing lost, nothing twice", arguments: [Mode.ttl, .tailable])
        func killedCursors(mode: Mode) async throws {
            try await Self.underLoad(mode) { set, configuration in
                for _ in 0..<3 {
                    #expect(try await killCursors(of: configuration.collection, in: set) > 0)
                    // Some of the emits fall between the kills.
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }

        @Test("Connections break in the middle of inserts and reads: nothing lost, nothing twice", arguments: [Mode.ttl, .tailable])
        func brokenConnections(mode: Mode) async throws {
            try await Self.underLoad(mode) { set, configuration in
                let primary = try await set.primary()
                for commands in [["insert"], ["getMore"], ["insert", "getMore", "aggregate", "find"]] {
                    try await primary.failCommands(commands, on: configuration.collection, code: nil, times: 5)
                    // Some of the emits meet the broken connections.
                    try await Task.sleep(for: .milliseconds(300))
                }
                try await primary.failNothing()
            }
        }

        @Test("What a primary loses is written again: each node gets it once", arguments: [Mode.ttl, .tailable])
        func rollBack(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString + Self.options, mode)
            configuration.deafnessLimit = .seconds(2)
            configuration.heartbeatTimeout = .seconds(30)
            try await withNodes(2, configuration) { nodes in
                try await nodes[0].emit("before", 0..<20)
                await expectAll(nodes, "before", 0..<20)
                let primary = try await set.primary()
                let others = set.members.filter { $0 !== primary }
                for member in others { try await member.setFailPoint("stopReplProducer") }
                async let emits: Void = nodes[0].emit("lost", 0..<20)
                if mode.reading == .tailable {
                    // It reads what is on the primary alone; the first batch may hold any number of them.
                    #expect(await eventually { !nodes[1].socket.received("lost").isEmpty })
                } else {
                    // Nothing tells that the insert has arrived: no majority has it, so no stream shows it.
                    try await Task.sleep(for: .seconds(1))
                }
                try await primary.kill()
                for member in others { try await member.setFailPoint("stopReplProducer", times: 0) }
                _ = try await set.primary(otherThan: primary)
                try await emits
                try await nodes[1].emit("after", 0..<20)
                try await primary.restart()
                for prefix in ["before", "lost", "after"] { await expectAll(nodes, prefix, 0..<20) }
                #expect(nodes.allSatisfy { $0.events.lost == 0 }, "\(nodes.map(\.events.descriptions))")
            }
        }
    }
}
#endif
