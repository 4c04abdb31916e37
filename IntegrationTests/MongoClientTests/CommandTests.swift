// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import SocketIOMongoTesting
import SocketIOTesting
import Testing

extension MongoTests {
    @Suite("Commands")
    struct Commands {
        @Test
        func `hello and ping tell about the deployment`() async throws {
            try await withCollection { set, collection async throws in
                try await collection.database.client.ping()
                let hello = try await collection.database.client.hello()
                #expect(hello.isWritablePrimary)
                #expect(hello.replicaSetName == set.name)
                #expect(hello.hasChangeStreams)
                #expect(!hello.isRouter)
                #expect(hello.primary == (try await set.primary().address))
            }
        }

        @Test
        func `A repeated ordered insert stops at the first duplicate and says that it is one of _id`() async throws {
            try await withCollection { _, collection async throws in
                let documents = numbered(0..<10)
                #expect(try await collection.insert(Array(documents[0..<4])).isComplete)
                let again = try await collection.insert(documents)
                #expect(again.insertedCount == 0)
                #expect(again.writeErrors.map(\.index) == [0])
                #expect(again.writeErrors.first?.isDuplicateID == true)
                #expect(again.writeErrors.first?.keyValue?["_id"]?.objectID == documents[0]["_id"]?.objectID)

                let rest = try await collection.insert(Array(documents[3...]), ordered: false)
                #expect(rest.insertedCount == 6)
                #expect(rest.writeErrors.map(\.index) == [0])
                #expect(try await collection.find().count == 10)
            }
        }

        @Test
        func `A duplicate of another unique index is not taken for one of _id`() async throws {
            try await withCollection { _, collection async throws in
                var index = MongoIndex(keys: BSONDocument { $0.append("n", Int32(1)) }, name: "n")
                index.isUnique = true
                try await collection.createIndexes([index])
                _ = try await collection.insert(numbered(0..<2))
                let result = try await collection.insert(numbered(1..<3))
                #expect(result.writeErrors.map(\.code) == [.duplicateKey])
                #expect(result.writeErrors.first?.isDuplicateID == false)
                #expect(result.insertedCount == 0)
            }
        }

        @Test
        func `An insert that no server takes is refused before it is sent`() async throws {
            try await withCollection { _, collection async throws in
                let megabyte = BSONDocument { $0.append("filler", binary: ByteBuffer(repeating: 1, count: 1 << 20)) }
                for documents in [[], Array(repeating: megabyte, count: 17)] {
                    let error = await #expect(throws: MongoError.self) { try await collection.insert(documents) }
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.outcome == .notApplied)
                }
                #expect(try await collection.insert(Array(repeating: megabyte, count: 15)).isComplete)
            }
        }

        @Test
        func `find sorts, projects, limits, hints and reads more than one batch`() async throws {
            try await withCollection { _, collection async throws in
                _ = try await collection.insert(numbered(0..<500))
                var options = MongoFindOptions()
                options.sort = BSONDocument { $0.append("n", Int32(-1)) }
                options.projection = BSONDocument { $0.append("_id", false) }
                options.limit = 250
                options.batchSize = 40
                let found = try await collection.find(options: options)
                #expect(found.compactMap { $0["n"]?.integer } == (250..<500).reversed().map(Int64.init))
                #expect(found.allSatisfy { $0["_id"] == nil })

                options.hint = BSONDocument { $0.append("nothing", Int32(1)) }
                let error = await #expect(throws: MongoError.self) { try await collection.find(options: options) }
                #expect(error?.serverCode == .badValue)

                let tooMuch = await #expect(throws: MongoError.self) { try await collection.find(maximumBytes: 1_000) }
                #expect(tooMuch?.code == .overloaded)
                #expect(try await collection.findOne(BSONDocument { $0.append("n", 600) }) == nil)
            }
        }

        @Test
        func `A cursor reads a collection to its end and then ends`() async throws {
            try await withCollection { _, collection async throws in
                _ = try await collection.insert(numbered(0..<1_000))
                var options = MongoFindOptions()
                options.batchSize = 10
                options.sort = BSONDocument { $0.append("n", Int32(1)) }
                let cursor = try await collection.openCursor(options: options)
                var iterator = cursor.makeAsyncIterator()
                #expect(try await iterator.numbers(1_000) == Array(0..<1_000))
                #expect(await iterator.end() == nil)
                #expect(!cursor.isAlive)
            }
        }

        @Test
        func `Of many callers each gets another document from findAndDelete`() async throws {
            try await withCollection { _, collection async throws in
                _ = try await collection.insert(numbered(0..<20))
                let numbers = try await withThrowingTaskGroup(of: Int64?.self) { group in
                    for _ in 0..<25 {
                        group.addTask { try await collection.findAndDelete(BSONDocument())?["n"]?.integer }
                    }
                    return try await group.reduce(into: [Int64?]()) { $0.append($1) }
                }
                #expect(Set(numbers.compactMap { $0 }) == Set(0..<20))
                #expect(numbers.filter { $0 == nil }.count == 5)
            }
        }

        @Test
        func `update, upsert, findAndUpdate and delete`() async throws {
            try await withCollection { _, collection async throws in
                let one = BSONDocument { $0.append("_id", 1) }
                func set(_ value: Int) -> BSONDocument {
                    BSONDocument { update in update.appendDocument("$set") { $0.append("n", value) } }
                }
                #expect(try await collection.update(one, set(5)) == 0)
                #expect(try await collection.update(one, set(5), upsert: true) == 1)
                #expect(try await collection.findAndUpdate(one, set(6))?["n"]?.integer == 5)
                #expect(try await collection.findAndUpdate(one, set(7), returnsNew: true)?["n"]?.integer == 7)
                #expect(try await collection.delete(one) == 1)
                #expect(try await collection.delete(one) == 0)
                #expect(try await collection.findAndUpdate(one, set(8)) == nil)
            }
        }

        @Test
        func `Collections and indexes: created, listed, changed, refused when they are there with other options`() async throws {
            try await withCollection { _, collection async throws in
                try await collection.createCapped(bytes: 100_000, maximumDocuments: 10)
                let exists = await #expect(throws: MongoError.self) { try await collection.create() }
                #expect(exists?.serverCode == .namespaceExists)
                #expect(exists?.serverCodeName == "NamespaceExists")
                #expect(exists?.outcome == .notApplied)
                let filter = BSONDocument { $0.append("name", collection.name) }
                let listed = try #require(try await collection.database.listCollections(filter: filter).first)
                #expect(listed["options"]?.document?["capped"]?.bool == true)
                #expect(listed["options"]?.document?["size"]?.integer == 100_096)

                #expect(try await collection.drop())
                #expect(try await !collection.drop())
                #expect(try await collection.listIndexes().isEmpty)

                var index = MongoIndex(keys: BSONDocument { $0.append("at", Int32(1)) }, name: "ttl")
                index.expireAfter = .seconds(60)
                try await collection.createIndexes([index])
                try await collection.createIndexes([index])
                index.expireAfter = .seconds(90)
                let conflict = await #expect(throws: MongoError.self) { try await collection.createIndexes([index]) }
                #expect(conflict?.serverCode == .indexOptionsConflict)
                try await collection.modify(
                    BSONDocument { options in
                        options.appendDocument("index") { change in
                            change.append("name", "ttl")
                            change.append("expireAfterSeconds", Int32(90))
                        }
                    }
                )
                let indexes = try await collection.listIndexes()
                #expect(indexes.compactMap { $0["expireAfterSeconds"]?.integer } == [90])
            }
        }

        @Test
        func `A write that the members do not confirm is not taken for a confirmed one`() async throws {
            try await withCollection { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let secondary = try await set.secondary()
                try secondary.pause()
                let result = try await collection.insert(numbered(1..<2), writeConcern: .members(3).timeout(.milliseconds(300)))
                #expect(result.insertedCount == 1)
                #expect(result.writeConcernError?.code == .writeConcernTimeout)
                #expect(!result.isComplete)
                let error = await #expect(throws: MongoError.self) {
                    try await collection.delete(BSONDocument(), writeConcern: .members(3).timeout(.milliseconds(300)))
                }
                #expect(error?.code == .write)
                #expect(error?.outcome == .unknown)
                try secondary.resume()
            }
        }

        @Test
        func `Cancelling a command that waits for the server returns at once, with an unknown outcome`() async throws {
            try await withCollection { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let primary = try await set.primary()
                try await primary.delayCommands(["insert"], on: collection.namespace, by: .seconds(6), times: 1)
                let insert = Task { try await collection.insert(numbered(1..<2)) }
                try await Self.waitUntilBlocked(primary)
                let waited = await duration {
                    insert.cancel()
                    let error = await #expect(throws: MongoError.self) { try await insert.value }
                    #expect(error?.code == .cancelled)
                    #expect(error?.outcome == .unknown)
                }
                // Not when the server has answered.
                #expect(waited < .seconds(5))
                // It was not taken back.
                try await eventually { try await collection.find().count == 2 }
            }
        }

        /// Waits until a fail point holds an insert.
        private static func waitUntilBlocked(_ member: MongoProcess) async throws {
            let list = BSONDocument { command in
                command.append("currentOp", Int32(1))
                command.append("command.insert", BSONDocument { $0.append("$exists", true) })
                command.append("active", true)
            }
            try await eventually {
                let reply = try await member.withClient { try await $0.database("admin").run(list) }
                return reply["inprog"]?.array.map { !($0 == BSONDocument()) } ?? false
            }
        }

        @Test
        func `A cancelled command that has not started is not sent, and too many waiting ones are refused`() async throws {
            try await withCollection({ configuration in
                configuration.commandThreads = 1
                configuration.maximumWaitingCommands = 2
            }) { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let primary = try await set.primary()
                try await primary.delayCommands(["insert"], on: collection.namespace, by: .seconds(4), times: 1)
                let first = Task { try await collection.insert(numbered(1..<2)) }
                try await Self.waitUntilBlocked(primary)
                let second = Task { try await collection.insert(numbered(2..<3)) }
                try await Task.sleep(for: .milliseconds(200))
                let third = Task { try await collection.insert(numbered(3..<4)) }
                try await Task.sleep(for: .milliseconds(200))
                let fourth = await #expect(throws: MongoError.self) { try await collection.insert(numbered(4..<5)) }
                #expect(fourth?.code == .overloaded)
                #expect(fourth?.outcome == .notApplied)
                second.cancel()
                let cancelled = await #expect(throws: MongoError.self) { try await second.value }
                #expect(cancelled?.code == .cancelled)
                #expect(cancelled?.outcome == .notApplied)
                #expect(try await first.value.isComplete)
                #expect(try await third.value.isComplete)
                #expect(try await collection.find().compactMap { $0["n"]?.integer } == [0, 1, 3])
            }
        }

        @Test
        func `A closed client refuses everything and ends its cursors`() async throws {
            try await withCollection { _, collection async throws in
                let cursor = try await collection.watch()
                let client = collection.database.client
                let reading = Task { () -> MongoError? in
                    var iterator = cursor.makeAsyncIterator()
                    return await iterator.end()
                }
                let took = await duration { await client.close() }
                #expect(took < .seconds(10))
                #expect(await reading.value?.code == .shutDown)
                let error = await #expect(throws: MongoError.self) { try await client.ping() }
                #expect(error?.code == .shutDown)
                let watch = await #expect(throws: MongoError.self) { try await collection.watch() }
                #expect(watch?.code == .shutDown)
            }
        }
    }
}

#endif
