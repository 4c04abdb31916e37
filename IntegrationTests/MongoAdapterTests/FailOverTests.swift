// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOConcurrency
import SocketIOMongoTesting
import SocketIOMongoClient
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTestSupport
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    /// Each disaster strikes a cluster of every mode at the same time.
    @Suite("Fail-over")
    struct FailOver {
        private typealias Cluster = (mode: Mode, configuration: MongoAdapterConfiguration)

        /// Clients that notice a silent server soon.
        private static let options = "&socketTimeoutMS=3000&connectTimeoutMS=1000&heartbeatFrequencyMS=500&serverSelectionTimeoutMS=3000"

        private static func clusters(_ set: MongoReplicaSet, _ modes: [Mode], heartbeat: Duration = .seconds(1)) -> [Cluster] {
            modes.map { mode in
                var configuration = makeConfiguration(set.connectionString + options, mode)
                configuration.cluster.deafnessTimeout = .seconds(2)
                configuration.cluster.heartbeatInterval = heartbeat
                configuration.cluster.heartbeatTimeout = max(.seconds(30), heartbeat * 3)
                return (mode, configuration)
            }
        }

        /// In each cluster two nodes emit all the time while something happens; in the end each has everything of both, once and in order.
        private static func underLoad(
            _ modes: [Mode] = Mode.all,
            _ disaster: (MongoReplicaSet, [MongoAdapterConfiguration]) async throws -> Void
        ) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let clusters = clusters(set, modes)
            let haveStarted = Latch(count: clusters.count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (mode, configuration) in clusters {
                    group.addTask { try await load(mode, configuration, onLoad: haveStarted.countDown) }
                }
                await haveStarted.wait()
                try await disaster(set, clusters.map(\.configuration))
                try await group.waitForAll()
            }
        }

        private static func load(_ mode: Mode, _ configuration: MongoAdapterConfiguration, onLoad: @Sendable () -> Void) async throws {
            defer { onLoad() }
            let count = 400
            try await withNodes(2, configuration) { nodes in
                try await withThrowingTaskGroup { group in
                    for (node, prefix) in zip(nodes, ["a", "b"]) {
                        group.addTask { try await node.emit(prefix, 0..<count, pause: .milliseconds(8)) }
                    }
                    // A part of the load comes before.
                    try await eventually("\(mode)") { nodes.allSatisfy { $0.socket.count > 100 } }
                    onLoad()
                    try await group.waitForAll()
                }
                try await nodes[0].emit("z", 0..<20)
                await expectAll(nodes, "a", 0..<count, of: mode)
                await expectAll(nodes, "b", 0..<count, of: mode)
                await expectAll(nodes, "z", 0..<20, of: mode)
                #expect(nodes.allSatisfy { $0.events.lost == 0 }, "\(mode): \(nodes.map(\.events.descriptions))")
                try await eventually("\(mode)") { nodes.allSatisfy { $0.mongo.health == .healthy } }
            }
        }

        @Test
        func `The primary steps down under load: nothing lost, nothing twice`() async throws {
            try await Self.underLoad { set, _ in try await set.stepDown() }
        }

        @Test
        func `The primary is killed under load: nothing lost, nothing twice`() async throws {
            try await Self.underLoad { set, _ in
                let primary = try await set.primary()
                try await primary.kill()
                _ = try await set.primary(otherThan: primary)
            }
        }

        @Test
        func `The primary hangs under load: nothing lost, nothing twice`() async throws {
            try await Self.underLoad { set, _ in
                let primary = try await set.primary()
                try primary.pause()
                _ = try await set.primary(otherThan: primary)
                // The new primary takes messages before the old one is back.
                try await Task.sleep(for: .seconds(1))
                try primary.resume()
            }
        }

        @Test
        func `An administrator kills the cursors under load: nothing lost, nothing twice`() async throws {
            try await Self.underLoad { set, configurations in
                for _ in 0..<3 {
                    for configuration in configurations {
                        #expect(try await set.killCursors(of: "tests.\(configuration.collection)") > 0)
                    }
                    // Some of the emits fall between the kills.
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }

        @Test(arguments: [Mode.ttl, .tailable])
        func `Connections break in the middle of inserts and reads: nothing lost, nothing twice`(mode: Mode) async throws {
            try await Self.underLoad([mode]) { set, configurations in
                let primary = try await set.primary()
                for commands in [["insert"], ["getMore"], ["insert", "getMore", "aggregate", "find"]] {
                    try await primary.failCommands(commands, on: "tests.\(configurations[0].collection)", code: nil, times: 5)
                    // Some of the emits meet the broken connections.
                    try await Task.sleep(for: .milliseconds(300))
                }
                try await primary.failNothing()
            }
        }

        @Test
        func `What a primary loses is written again: each node gets it once`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            // Nothing but what the test sends: a message that waits for its majority holds up the next one.
            let clusters = Self.clusters(set, Mode.all, heartbeat: .seconds(30))
            let primary = try await set.primary()
            let before = try await set.rollbackID(of: primary)
            let areReady = Latch(count: clusters.count)
            let areWritten = Latch(count: clusters.count)
            let (mayWrite, mayEnd) = (Latch(count: 1), Latch(count: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { for latch in [mayWrite, mayEnd] { latch.countDown() } }
                for (mode, configuration) in clusters {
                    group.addTask {
                        defer { for latch in [areReady, areWritten] { latch.countDown() } }
                        try await withNodes(2, configuration) { nodes in
                            try await nodes[0].emit("before", 0..<20)
                            await expectAll(nodes, "before", 0..<20, of: mode)
                            let count = try await Self.documents(of: nodes[0], on: primary, configuration)
                            areReady.countDown()
                            await mayWrite.wait()
                            async let emits: Void = nodes[0].emit("lost", 0..<20)
                            try await eventually("\(mode)") {
                                try await Self.documents(of: nodes[0], on: primary, configuration) > count
                            }
                            areWritten.countDown()
                            try await emits
                            await mayEnd.wait()
                            try await nodes[1].emit("after", 0..<20)
                            for prefix in ["before", "lost", "after"] { await expectAll(nodes, prefix, 0..<20, of: mode) }
                            #expect(nodes.allSatisfy { $0.events.lost == 0 }, "\(mode): \(nodes.map(\.events.descriptions))")
                        }
                    }
                }
                await areReady.wait()
                try await Self.loseWrites(of: primary, in: set, mayWrite, areWritten)
                mayEnd.countDown()
                try await group.waitForAll()
            }
            #expect(try await set.rollbackID(of: primary) > before, "nothing was rolled back")
        }

        /// The others stop to copy from the primary, which takes writes, dies, and comes back when there is another one.
        private static func loseWrites(of primary: MongoProcess, in set: MongoReplicaSet, _ mayWrite: Latch, _ areWritten: Latch)
            async throws
        {
            let others = set.members.filter { $0 !== primary }
            for member in others { try await member.setFailPoint("stopReplProducer") }
            mayWrite.countDown()
            await areWritten.wait()
            // What is not in the journal does not survive, and what does not survive is not rolled back.
            try await set.waitUntilDurable(primary)
            try await primary.kill()
            for member in others { try await member.setFailPoint("stopReplProducer", times: 0) }
            _ = try await set.primary(otherThan: primary)
            try await primary.restart()
            try await set.waitUntilAllFollow()
        }

        /// The documents of a node on the primary: no stream shows what no majority has.
        private static func documents(of node: Node, on primary: MongoProcess, _ configuration: MongoAdapterConfiguration) async throws
            -> Int
        {
            try await primary.withClient { client in
                let collection = client.database("tests").collection(configuration.collection)
                return try await collection.find(BSONDocument { $0.append("origin", node.mongo.node.id) }).count
            }
        }
    }
}
#endif
