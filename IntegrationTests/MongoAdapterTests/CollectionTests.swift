// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
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
    @Suite("Collection")
    struct Collection {
        @Test(arguments: Mode.all)
        func `Nodes that start at the same moment create it together`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            let nodes = (0..<4).map { _ in Node(configuration) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for node in nodes { group.addTask { try await node.start() } }
                try await group.waitForAll()
            }
            try await eventually { try await nodes[0].adapter.serverCount() == 4 }
            #expect(try await nodes[0].adapter.fetchSockets(BroadcastOptions()).count == 4)
            await close(nodes)
        }

        @Test
        func `An election interrupts a node that starts: it makes the collection and the index after it`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            let (primary, namespace) = (try await set.primary(), "tests.\(configuration.collection)")
            for (command, code) in [("create", .primarySteppedDown), ("createIndexes", .interruptedDueToReplStateChange)]
                as [(String, MongoErrorCode)]
            {
                try await primary.failCommands([command], on: namespace, code: code, times: 2)
                try await withNodes(1, configuration) { try await $0[0].emit("x") }
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    #expect(try await Self.isAsConfigured(collection, .ttl))
                    try await collection.drop()
                }
            }
        }

        @Test(arguments: Mode.all)
        func `A node starts again on the collection that it made`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            for _ in 0..<2 { try await withNodes(1, configuration) { try await $0[0].emit("x") } }
        }

        @Test(arguments: Mode.all)
        func `It is dropped: it is made again as configured, and messages flow`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            try await withNodes(2, configuration) { nodes in
                try await nodes[0].emit("before", 0..<50)
                await expectAll(nodes, "before", 0..<50)
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    try await collection.drop()
                    try await eventually { try await Self.isAsConfigured(collection, mode) }
                }
                for round in 0..<2 {
                    try await nodes[round].emit("after\(round):", 0..<50)
                    await expectAll(nodes, "after\(round):", 0..<50)
                }
            }
        }

        @Test(arguments: Mode.all)
        func `It is dropped under load: what is written afterwards reaches everybody`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            try await withNodes(2, configuration) { nodes in
                async let emits: Void = nodes[0].emit("a", 0..<400, pause: .milliseconds(3))
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    for _ in 0..<3 {
                        // Some of the emits fall between the drops.
                        try await Task.sleep(for: .milliseconds(200))
                        try await collection.drop()
                    }
                }
                try await emits
                try await nodes[1].emit("z", 0..<20)
                await expectAll(nodes, "z", 0..<20)
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    try await eventually { try await Self.isAsConfigured(collection, mode) }
                }
                // A change stream reads what was written before the drop; a cursor cannot read what is gone, but each number of it is told.
                if mode.reading == .changeStream { await expectAll(nodes, "a", 0..<400) }
                try await eventually("\(nodes[1].socket.received("a").count), \(nodes[1].events.descriptions)") {
                    nodes[1].socket.received("a").count + Int(nodes[1].events.lost) == 400
                }
            }
        }

        private static func isAsConfigured(_ collection: MongoCollection, _ mode: Mode) async throws -> Bool {
            let filter = BSONDocument { $0.append("name", collection.name) }
            let found = try await collection.database.listCollections(filter: filter)
            guard mode.expiration == .ttl else { return found.first?["options"]?.document?["capped"]?.bool ?? false }
            return try await collection.listIndexes().contains { $0["expireAfterSeconds"] != nil }
        }

        @Test
        func `A member is away: the index is made all the same, on a collection with documents, too`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            let primary = try await set.primary()
            let away = try #require(set.members.first { $0 !== primary })
            try await withCollection(set.connectionString, configuration.collection) { collection in
                _ = try await collection.insert([BSONDocument { $0.append("_id", Int32(1)) }])
                try away.pause()
                defer { try? away.resume() }
                try await withNodes(2, configuration) { nodes in
                    #expect(try await Self.isAsConfigured(collection, .ttl))
                    try await nodes[0].emit("x", 0..<10)
                    await expectAll(nodes, "x", 0..<10)
                }
            }
        }

        @Test(arguments: Mode.all)
        func `Updates, deletes and strange documents do not disturb anybody`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            try await withNodes(2, configuration) { nodes in
                // One after the other: several at a time would share a document.
                for number in 0..<10 { try await nodes[0].emit("before\(number)") }
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    try await Self.disturb(collection, mode)
                }
                try await nodes[1].emit("after", 0..<10)
                await expectAll(nodes, "before", 0..<10)
                await expectAll(nodes, "after", 0..<10)
                for node in nodes { try await eventually("\(node.events.skipped)") { node.events.skipped.count == 3 } }
                // A tailable cursor that is opened again reads what was changed.
                try await set.killCursors(of: "tests.\(configuration.collection)")
                try await nodes[0].emit("last", 0..<10)
                for prefix in ["before", "after", "last"] { await expectAll(nodes, prefix, 0..<10) }
                #expect(nodes.allSatisfy { $0.socket.count == 30 }, "\(nodes.map(\.socket.received))")
                #expect(nodes.allSatisfy { $0.events.gaps == 0 && $0.mongo.health == .healthy })
            }
        }

        private static func disturb(_ collection: MongoCollection, _ mode: Mode) async throws {
            let messages = try await collection.find(BSONDocument { $0.append("kind", Int32(0)) })
            try #require(messages.count >= 8)
            // One with another namespace of the same length, since documents of a capped collection keep their size; one with the content of
            // another message; one that is what it was.
            for (message, content) in [(messages[2], messages[2]), (messages[4], messages[7]), (messages[6], messages[6])] {
                let id = try #require(message["_id"]?.objectID)
                let replacement = try replacement(of: content, id: id, namespace: message == messages[2] ? "?" : "/")
                #expect(try await collection.update(BSONDocument { $0.append("_id", id) }, replacement) == 1)
            }
            _ = try await collection.insert(strange)
            if mode.expiration == .ttl {
                try await collection.delete(BSONDocument { $0.append("_id", messages[0]["_id"]?.objectID ?? ObjectID()) })
            }
        }

        private static func replacement(of message: BSONDocument, id: ObjectID, namespace: String) throws -> BSONDocument {
            var reader = BSONReader(message)
            var fields: [BSONElement] = []
            while let field = try reader.next() { fields.append(field) }
            return BSONDocument { document in
                document.append("_id", id)
                for field in fields where field.key != "_id" {
                    if field.key == "nsp" { document.append("nsp", namespace) } else { document.append(field.key, field) }
                }
            }
        }

        /// Of this cluster, as far as the filter can tell, and not of this cluster.
        private static var strange: [BSONDocument] {
            let ours = (0..<3).map { version in
                BSONDocument { document in
                    document.append("_id", ObjectID())
                    document.append("cluster", "default")
                    document.append("v", Int32(version))
                    document.append("ts", BSONTimestamp(time: 0, increment: 0))
                    document.append("data", binary: ByteBuffer(repeating: 0xff, count: 100))
                }
            }
            return ours + [BSONDocument { $0.append("_id", "nothing") }, BSONDocument { $0.append("cluster", "other") }]
        }

        @Test
        func `Several clusters share a collection`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let first = makeConfiguration(set.connectionString, .ttl)
            var second = first
            second.clusterName = "$other"
            try await withNodes(1, first) { [second] ones in
                try await withNodes(1, second) { others in
                    try await ones[0].emit("one", 0..<5)
                    try await others[0].emit("other", 0..<5)
                    await expectAll(ones, "one", 0..<5)
                    await expectAll(others, "other", 0..<5)
                    #expect(try await ones[0].adapter.serverCount() == 1)
                    try await Task.sleep(for: .milliseconds(300))
                    #expect(ones[0].socket.count == 5)
                    #expect(others[0].socket.count == 5)
                }
            }
        }

        @Test
        func `A message that is too large is refused at once, and the next one is sent`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let mode = Mode(expiration: .capped(bytes: 1 << 20), reading: .changeStream, testDescription: "")
            try await withNodes(2, makeConfiguration(set.connectionString, mode)) { nodes in
                let error = await #expect(throws: ClusterError.self) {
                    try await nodes[0].emit(String(repeating: "x", count: 300_000))
                }
                #expect(error?.code == .tooLarge)
                try await nodes[0].emit("y")
                try await eventually { nodes[1].socket.received == ["y"] }
            }
        }

        // MARK: There already

        @Test
        func `Another lifetime of the index: an error, or changed if the configuration says so`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            try await withCollection(set.connectionString, configuration.collection) { collection in
                var index = MongoIndex(keys: BSONDocument { $0.append("createdAt", Int32(1)) }, name: "somebody's")
                index.expireAfter = .seconds(3_600)
                try await collection.createIndexes([index])
                let error = await #expect(throws: MongoAdapterError.self) { try await withNodes(1, configuration) { _ in } }
                #expect(error?.code == .collectionMismatch)
                #expect(error?.message.contains("managesTTL") == true)
                var managing = configuration
                managing.managesTTL = true
                try await withNodes(1, managing) { try await $0[0].emit("x") }
                let indexes = try await collection.listIndexes()
                #expect(indexes.count == 2)
                #expect(indexes.contains { $0["name"]?.string == "somebody's" && $0["expireAfterSeconds"]?.integer == 60 })
            }
        }

        @Test
        func `A collection of the other kind, or of another size, is left alone and told`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            for (made, wanted) in [(nil, Mode.capped), (1 << 20, Mode.capped), (1 << 20, Mode.ttl)] as [(Int?, Mode)] {
                let configuration = makeConfiguration(set.connectionString, wanted)
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    if let made { try await collection.createCapped(bytes: made) } else { try await collection.create() }
                    _ = try await collection.insert([BSONDocument { $0.append("_id", Int32(1)) }])
                    let error = await #expect(throws: MongoAdapterError.self) { try await withNodes(1, configuration) { _ in } }
                    #expect(error?.code == .collectionMismatch, "\(error.map { "\($0)" } ?? "")")
                    #expect(try await collection.find().count == 1)
                }
            }
        }
    }
}
#endif
