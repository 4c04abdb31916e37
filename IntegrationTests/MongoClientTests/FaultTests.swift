// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOMongoTesting
import SocketIOTesting
import Testing

extension MongoTests {
    @Suite("Faults")
    struct Faults {
        @Test
        func `Nothing is lost and nothing twice when the primary dies in the middle of inserts`() async throws {
            try await withCollection { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let primary = try await set.primary()
                let killing = Task {
                    try await Task.sleep(for: .milliseconds(300))
                    try await primary.kill()
                }
                for start in stride(from: 1, to: 3_001, by: 10) {
                    _ = try await insertPersistently(numbered(start..<start + 10), into: collection)
                    if start % 50 == 1 { try await Task.sleep(for: .milliseconds(10)) }
                }
                try await killing.value
                try await expectNumbers(0..<3_001, in: collection)
            }
        }

        @Test
        func `A write whose answer never comes ends within the socket timeouts with an unknown outcome`() async throws {
            try await withCollection({ $0.socketTimeout = .seconds(1) }) { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let primary = try await set.primary()
                try primary.pause()
                let documents = numbered(1..<2)
                let took = await duration {
                    let error = await #expect(throws: MongoError.self) { try await collection.insert(documents) }
                    #expect(error?.outcome == .unknown)
                    #expect(error?.code == .network)
                }
                #expect(took < .seconds(20))
                _ = try await insertPersistently(documents, into: collection)
                try await expectNumbers(0..<2, in: collection)
                try primary.resume()
            }
        }

        @Test
        func `A cursor on a server that hangs falls silent, can be left at once, and its token resumes on the next primary`() async throws {
            try await withCollection { set, collection in
                let stream = try await collection.watch()
                _ = try await collection.insert(numbered(0..<1))
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.numbers(1) == [0])
                let silence = stream.silence
                let primary = try await set.primary()
                try primary.pause()
                _ = try await set.primary(otherThan: primary)
                #expect(stream.silence > silence + .seconds(1))
                #expect(stream.isAlive)
                let took = await duration {
                    stream.cancel()
                    #expect(await iterator.end()?.code == .cancelled)
                }
                // Without the cancellation it would wait for the server.
                #expect(took < .seconds(10))

                _ = try await insertPersistently(numbered(1..<2), into: collection)
                var options = MongoChangeStreamOptions()
                options.start = .startAfter(try #require(stream.initialResumeToken))
                var resumed = try await collection.watch(options).makeAsyncIterator()
                #expect(try await resumed.numbers(2) == [0, 1])
                try primary.resume()
            }
        }

        @Test
        func `Inserts go on through a step-down`() async throws {
            try await withCollection { set, collection async throws in
                let stepping = Task {
                    try await Task.sleep(for: .milliseconds(200))
                    try await set.stepDown()
                }
                for start in stride(from: 0, to: 2_000, by: 10) {
                    _ = try await insertPersistently(numbered(start..<start + 10), into: collection)
                    if start % 50 == 0 { try await Task.sleep(for: .milliseconds(10)) }
                }
                try await stepping.value
                try await expectNumbers(0..<2_000, in: collection)
            }
        }

        @Test
        func `A command that was refused before it was carried out is a definite failure, a broken connection is not`() async throws {
            try await withCollection { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let primary = try await set.primary()
                try await primary.failCommands(["insert"], on: collection.namespace, code: .unauthorized, times: 1)
                let refused = await #expect(throws: MongoError.self) { try await collection.insert(numbered(1..<2)) }
                #expect(refused?.outcome == .notApplied)
                #expect(refused?.code == .write)

                try await primary.failCommands(["insert"], on: collection.namespace, code: .notWritablePrimary, times: 1)
                let demoted = await #expect(throws: MongoError.self) { try await collection.insert(numbered(2..<3)) }
                #expect(demoted?.outcome == .unknown)

                try await primary.failCommands(["insert"], on: collection.namespace, code: nil, times: 1)
                let broken = await #expect(throws: MongoError.self) { try await collection.insert(numbered(3..<4)) }
                #expect(broken?.outcome == .unknown)
                #expect(broken?.code == .network)
            }
        }

        @Test
        func `A wrong password is an error at once that says so`() async throws {
            let user = MongoTestUser(name: "root", password: "right")
            let server = try await MongoStandalone.start(user: user)
            try await withClient(.init(connectionString: server.connectionString)) { client async throws in
                try await client.ping()
                try await client.database("tests").collection("c").create()
            }
            let wrong = server.connectionString(user: MongoTestUser(name: "root", password: "wrong"))
            try await withClient(.init(connectionString: wrong)) { client async throws in
                let took = await duration {
                    let error = await #expect(throws: MongoError.self) { try await client.ping() }
                    #expect(error?.code == .authentication)
                    #expect(error?.message.contains("password") == true)
                    #expect("\(error.map { "\($0)" } ?? "")".contains("wrong") == false)
                    let cursor = await #expect(throws: MongoError.self) {
                        try await client.database("tests").collection("c").openCursor()
                    }
                    #expect(cursor?.code == .authentication)
                }
                // Neither has waited for the server selection timeout.
                #expect(took < .seconds(10))
            }
            try await withClient(.init(connectionString: server.connectionString(user: nil))) { client async throws in
                let error = await #expect(throws: MongoError.self) { try await client.database("tests").collection("d").create() }
                #expect(error?.serverCode == .unauthorized)
                #expect(error?.outcome == .notApplied)
            }
            await server.stop()
        }

        @Test
        func `A replica set with authentication takes inserts and streams`() async throws {
            var configuration = MongoReplicaSetConfiguration()
            configuration.members = 1
            configuration.user = MongoTestUser(name: "root", password: "right")
            let set = try await MongoReplicaSet.start(configuration)
            try await withClient(.init(connectionString: set.connectionString)) { client async throws in
                let collection = client.database("tests").collection("c")
                let stream = try await collection.watch()
                _ = try await collection.insert(numbered(0..<1))
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.numbers(1) == [0])
            }
            await set.stop()
        }

        @Test
        func `The majority gone: writes fail within the server selection timeout and the message says why`() async throws {
            try await withCollection({ $0.serverSelectionTimeout = .seconds(1) }) { set, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                let survivor = try await set.secondary()
                for member in set.members where member !== survivor {
                    try await member.kill()
                }
                // The client has to notice first.
                var last: MongoError?
                try await eventually {
                    do throws(MongoError) {
                        _ = try await collection.insert(numbered(1..<2))
                        return false
                    } catch {
                        last = error
                        return error.code == .serverSelection
                    }
                }
                #expect(last?.outcome == .notApplied)
                #expect(last?.message.contains("primary") == true)
            }
        }
    }
}

/// Every number is there exactly once.
private func expectNumbers(_ numbers: Range<Int>, in collection: MongoCollection) async throws {
    var options = MongoFindOptions()
    options.sort = BSONDocument { $0.append("n", Int32(1)) }
    options.readConcernLevel = "majority"
    let found = try await collection.find(options: options).compactMap { $0["n"]?.integer }
    #expect(found == numbers.map(Int64.init))
}

#endif
