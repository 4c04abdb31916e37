// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOMongoTesting
import Testing

extension MongoTests {
    @Suite("Tailable cursors")
    struct TailableCursors {
        @Test
        func `It yields what is there and what comes, in order`() async throws {
            try await withCollection { _, collection async throws in
                try await collection.createCapped(bytes: 1 << 20)
                _ = try await collection.insert(numbered(0..<10))
                let cursor = try await collection.tail()
                var iterator = cursor.makeAsyncIterator()
                #expect(try await iterator.numbers(10) == Array(0..<10))
                let inserts = Task { _ = try await collection.insert(numbered(10..<200)) }
                #expect(try await iterator.numbers(190) == Array(10..<200))
                try await inserts.value
                #expect(cursor.isAlive)

                var options = MongoTailOptions()
                options.filter = BSONDocument { filter in filter.appendDocument("n") { $0.append("$gte", 195) } }
                options.projection = BSONDocument { $0.append("_id", false) }
                var filtered = try await collection.tail(options).makeAsyncIterator()
                let batch = try #require(try await filtered.next())
                #expect(batch.numbers == Array(195..<200))
                #expect(batch.documents.allSatisfy { $0["_id"] == nil })
            }
        }

        @Test
        func `On an empty collection it is dead at once`() async throws {
            try await withCollection { _, collection async throws in
                try await collection.createCapped(bytes: 1 << 20)
                let cursor = try await collection.tail()
                var iterator = cursor.makeAsyncIterator()
                #expect(await iterator.end() == nil)
                #expect(!cursor.isAlive)
            }
        }

        @Test
        func `A collection that is not capped is refused`() async throws {
            try await withCollection { _, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let error = await #expect(throws: MongoError.self) { try await collection.tail() }
                #expect(error?.serverCode == .badValue)
            }
        }

        @Test
        func `It ends when the collection is dropped`() async throws {
            try await withCollection { _, collection async throws in
                try await collection.createCapped(bytes: 1 << 20)
                _ = try await collection.insert(numbered(0..<1))
                let cursor = try await collection.tail()
                var iterator = cursor.makeAsyncIterator()
                #expect(try await iterator.numbers(1) == [0])
                try await collection.drop()
                let error = try #require(await iterator.end())
                #expect(error.code == .cursor)
                #expect(!cursor.isAlive)
            }
        }

        @Test
        func `A reader that the collection has overtaken is told so`() async throws {
            try await withCollection { _, collection async throws in
                try await collection.createCapped(bytes: 4_096, maximumDocuments: 10)
                _ = try await collection.insert(numbered(0..<10))
                var options = MongoTailOptions()
                options.batchSize = 2
                options.bufferedBatches = 1
                let cursor = try await collection.tail(options)
                for start in stride(from: 10, to: 200, by: 10) {
                    _ = try await collection.insert(numbered(start..<start + 10))
                }
                var iterator = cursor.makeAsyncIterator()
                let error = try #require(await iterator.end())
                #expect(error.serverCode == .cappedPositionLost)
            }
        }

        @Test
        func `After a step-down it ends instead of reading from what is now a secondary`() async throws {
            try await withCollection { set, collection async throws in
                try await collection.createCapped(bytes: 1 << 20)
                _ = try await collection.insert(numbered(0..<1))
                let cursor = try await collection.tail()
                #expect(cursor.serverAddress == (try await set.primary().address))
                var iterator = cursor.makeAsyncIterator()
                #expect(try await iterator.numbers(1) == [0])
                let primary = try await set.stepDown()
                let error = try #require(await iterator.end())
                #expect(error.code == .notPrimary)

                let reopened = try await collection.tail()
                #expect(reopened.serverAddress == primary.address)
                var next = reopened.makeAsyncIterator()
                #expect(try await next.numbers(1) == [0])
            }
        }

        @Test
        func `A standalone server has them`() async throws {
            let server = try await MongoStandalone.start()
            try await withClient(.init(connectionString: server.connectionString)) { client async throws in
                let collection = client.database("tests").collection("c")
                try await collection.createCapped(bytes: 1 << 20)
                _ = try await collection.insert(numbered(0..<1))
                var iterator = try await collection.tail().makeAsyncIterator()
                #expect(try await iterator.numbers(1) == [0])
                _ = try await collection.insert(numbered(1..<3))
                #expect(try await iterator.numbers(2) == [1, 2])
            }
            await server.stop()
        }
    }
}

#endif
