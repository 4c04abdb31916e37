// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import EngineIOCore
import SocketIOMongoTesting
import SocketIOMongoClient
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTestSupport
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    @Suite("Deployments")
    struct Deployments {
        @Test
        func `A standalone server: the change stream refuses with advice, the tailable cursor works`() async throws {
            let server = try await MongoStandalone.start()
            let error = await #expect(throws: MongoAdapterError.self) {
                try await withNodes(1, makeConfiguration(server.connectionString, .ttl)) { _ in }
            }
            #expect(error?.code == .noChangeStreams)
            #expect(error?.message.contains("replica set") == true)
            try await withNodes(2, makeConfiguration(server.connectionString, .tailable)) { nodes in
                for (index, node) in nodes.enumerated() { try await node.emit("\(index):", 0..<200) }
                for index in nodes.indices { await expectAll(nodes, "\(index):", 0..<200) }
            }
            await server.stop()
        }

        @Test
        func `Nobody there, a wrong password, no password, a user who may only read: each is told soon, with what to do`() async throws {
            let user = MongoTestUser(name: "root", password: "right")
            let server = try await MongoStandalone.start(user: user)
            func code(_ connectionString: String) async -> MongoAdapterError? {
                let start = ContinuousClock.now
                let error = await #expect(throws: MongoAdapterError.self) {
                    try await withNodes(1, makeConfiguration(connectionString, .tailable)) { _ in }
                }
                // A client selects its server within five seconds, twice at most.
                #expect(ContinuousClock.now - start < .seconds(20))
                return error
            }
            let wrong = await code(server.connectionString(user: MongoTestUser(name: "root", password: "wrong")))
            #expect(wrong?.code == .authentication)
            #expect(wrong.map { "\($0)" }?.contains("wrong") == false)
            let none = await code(server.connectionString(user: nil))
            #expect(none?.code == .unauthorized)
            #expect(none?.message.hasPrefix("The server requires authentication") == true, "\(none?.message ?? "")")
            try await withNodes(1, makeConfiguration(server.connectionString, .tailable)) { try await $0[0].emit("x") }
            let address = server.process.address
            await server.stop()
            let absent = await code("mongodb://\(address)/")
            #expect(absent?.code == .unreachable)
            #expect(absent?.message.contains(address) == true)
        }

        @Test
        func `An error has its text once, the cause first; a wrong replica set is told apart from one that is unreachable`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let wrong = set.connectionString.replacing("replicaSet=rs0", with: "replicaSet=wrong")
            let error = await #expect(throws: MongoAdapterError.self) {
                try await withNodes(1, makeConfiguration(wrong, .ttl)) { _ in }
            }
            #expect(error?.code == .invalidConfiguration)
            #expect((error?.cause as? MongoError)?.code == .wrongDeployment)
            let text = error.map { "\($0)" } ?? ""
            #expect(text.hasPrefix("invalidConfiguration: 127.0.0.1:") && text.hasSuffix("(while connecting)."), "\(text)")
            #expect(text.ranges(of: "belongs to the replica set rs0, not wrong").count == 1, "\(text)")

            let absent = await #expect(throws: MongoAdapterError.self) {
                try await withNodes(1, makeConfiguration("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500", .ttl)) { _ in }
            }
            let expected =
                "unreachable: MongoDB could not be reached at 127.0.0.1:1: check that mongod runs there, that the address is right, and that "
                + "no firewall is in between (while connecting)."
            #expect(absent.map { "\($0)" } == expected)
        }

        @Test
        func `The role that the documentation lists is enough to make a capped collection and use it; without convertToCapped it is not`()
            async throws
        {
            let root = MongoTestUser(name: "root", password: "root")
            let server = try await MongoStandalone.start(user: root)
            let client = try MongoClient(configuration: .init(connectionString: server.connectionString(user: root)))
            let actions = ["find", "insert", "changeStream", "createCollection", "createIndex", "listCollections", "listIndexes"]
            for (name, actions) in [("complete", actions + ["convertToCapped"]), ("incomplete", actions)] {
                try await Self.createUser(name, who: actions, client.database("admin"))
            }
            let user = MongoTestUser(name: "complete", password: "complete")
            try await withNodes(2, makeConfiguration(server.connectionString(user: user), .tailable)) { nodes in
                try await nodes[0].emit("x", 0..<10)
                await expectAll(nodes, "x", 0..<10)
            }
            let error = await #expect(throws: MongoAdapterError.self) {
                let user = MongoTestUser(name: "incomplete", password: "incomplete")
                try await withNodes(1, makeConfiguration(server.connectionString(user: user), .tailable)) { _ in }
            }
            #expect(error?.code == .unauthorized)
            await client.close()
            await server.stop()
        }

        /// Makes a user, whose password is its name, with a role of these actions on the database of the tests.
        private static func createUser(_ name: String, who actions: [String], _ admin: MongoDatabase) async throws {
            let role = BSONDocument { command in
                command.append("createRole", name)
                command.appendArray("privileges") { privileges in
                    privileges.appendDocument { privilege in
                        privilege.appendDocument("resource") { resource in
                            resource.append("db", "tests")
                            resource.append("collection", "")
                        }
                        privilege.appendArray("actions") { array in for action in actions { array.append(action) } }
                    }
                }
                command.appendArray("roles") { _ in }
            }
            let user = BSONDocument { command in
                command.append("createUser", name)
                command.append("pwd", name)
                command.appendArray("roles") { $0.append(name) }
            }
            for command in [role, user] { _ = try await admin.run(command) }
        }

        @Test
        func `The history is lost while the stream is cut off: the gap is reported with its size, and the stream goes on`() async throws {
            let set = try await SharedReplicaSet.tinyOplog.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            try await withNodes(2, configuration) { nodes in
                try await nodes[0].emit("before", 0..<10)
                await expectAll(nodes, "before", 0..<10)
                let primary = try await set.primary()
                try await primary.failCommands(["aggregate"], on: "tests.\(configuration.collection)", code: .interruptedAtShutdown)
                #expect(try await set.killCursors(of: "tests.\(configuration.collection)") > 0)
                try await nodes[0].emit("lost", 0..<7)
                try await set.rollOplog()
                try await primary.failNothing()
                try await eventually("\(nodes[1].events.descriptions)") { nodes[1].events.lost == 7 }
                #expect(nodes[1].socket.received("lost").isEmpty)
                try await nodes[0].emit("after", 0..<10)
                await expectAll(nodes, "after", 0..<10)
                try await eventually { nodes.allSatisfy { $0.mongo.health == .healthy } }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `A tailable cursor that the collection has overtaken: the gap is reported with its size`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let mode = Mode(expiration: .capped(bytes: 1 << 20), reading: .tailable, testDescription: "")
            let configuration = makeConfiguration(set.connectionString, mode)
            try await withNodes(2, configuration) { nodes in
                try await nodes[0].emit("before", 0..<10)
                await expectAll(nodes, "before", 0..<10)
                let primary = try await set.primary()
                try await primary.failCommands(["getMore"], on: "tests.\(configuration.collection)", code: .interruptedAtShutdown)
                try await set.killCursors(of: "tests.\(configuration.collection)")
                try await primary.failCommands(["find"], on: "tests.\(configuration.collection)", code: .interruptedAtShutdown)
                try await nodes[0].emit(String(repeating: "x", count: 2_000), 0..<1_000)
                try await primary.failNothing()
                try await eventually("\(nodes[1].events.descriptions)") { nodes[1].events.gaps > 0 }
                try await nodes[0].emit("after", 0..<10)
                await expectAll(nodes, "after", 0..<10)
                let received = nodes[1].socket.received("xx").count
                #expect(received < 1_000)
                try await eventually("\(nodes[1].events.descriptions)") { nodes[1].events.lost == UInt64(1_000 - received) }
            }
        }

        @Test(arguments: [Mode.ttl, .tailable])
        func `A node dies in the middle of requests: they end with its id within the heartbeat timeout`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, mode)
            configuration.cluster.heartbeatInterval = .milliseconds(500)
            configuration.cluster.heartbeatTimeout = .seconds(2)
            configuration.cluster.requestTimeout = .seconds(20)
            let client = try MongoClient(configuration: .init(connectionString: set.connectionString))
            var doomedConfiguration = configuration
            doomedConfiguration.connection = .client(client)
            doomedConfiguration.cluster.writeTimeout = .seconds(1)
            let doomed = Node(doomedConfiguration)
            try await withNodes(2, configuration) { nodes in
                try await doomed.start()
                #expect(try await nodes[0].adapter.fetchSockets(BroadcastOptions()).count == 3)
                // Without its client it neither hears nor speaks.
                await client.close()
                let start = ContinuousClock.now
                async let acknowledgements = Self.acknowledgements(of: nodes[0])
                let error = await #expect(throws: IncompleteResponseError<[SocketDescription]>.self) {
                    try await nodes[0].adapter.fetchSockets(BroadcastOptions())
                }
                #expect(error?.missingNodes == [doomed.mongo.node.id])
                #expect(error?.partial.count == 2)
                let summary = try await acknowledgements
                #expect(summary.missingNodes == [doomed.mongo.node.id])
                #expect(summary.answered == 2)
                // The request timeout is 20 s.
                #expect(ContinuousClock.now - start < .seconds(15))
            }
            await doomed.mongo.close()
        }

        private static func acknowledgements(of node: Node) async throws -> BroadcastAcknowledgements.Summary {
            let packet = BroadcastPacket(EncodedPacket(message: .init(string: "2[\"?\"]"), isBinary: false))
            let stream = try await node.adapter.broadcastWithAck(packet, to: BroadcastOptions())
            for try await _ in stream {}
            return stream.summary
        }
    }
}
#endif
