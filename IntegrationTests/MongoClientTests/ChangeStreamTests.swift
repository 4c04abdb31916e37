// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import SocketIOMongoTesting
import SocketIOTesting
import Testing

extension MongoTests {
    @Suite("Change streams")
    struct ChangeStreams {
        @Test
        func `Events come in the order of the inserts, and the pipeline filters them`() async throws {
            try await withCollection { _, collection async throws in
                var options = MongoChangeStreamOptions()
                options.pipeline = [
                    BSONDocument { stage in
                        stage.appendDocument("$match") { match in
                            match.append("operationType", "insert")
                            match.appendDocument("fullDocument.n") { $0.append("$lt", 400) }
                        }
                    }
                ]
                options.batchSize = 64
                let stream = try await collection.watch(options)
                let inserts = Task {
                    for start in stride(from: 0, to: 500, by: 50) {
                        _ = try await collection.insert(numbered(start..<start + 50))
                    }
                    try await collection.delete(BSONDocument())
                }
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.numbers(400) == Array(0..<400))
                try await inserts.value
            }
        }

        @Test
        func `The token of a quiet stream moves on, and resuming with it loses nothing`() async throws {
            try await withCollection { _, collection async throws in
                let stream = try await collection.watch()
                let first = try #require(stream.initialResumeToken)
                var iterator = stream.makeAsyncIterator()
                let other = collection.database.collection(collection.name + "-other")
                _ = try await other.insert(numbered(0..<1))
                let moved = try #require(try await iterator.first { $0.postBatchResumeToken != first })
                #expect(moved.documents.isEmpty)
                #expect(moved.operationTime != nil)
                stream.cancel()

                _ = try await collection.insert(numbered(0..<3))
                for start in [MongoChangeStreamOptions.Start.startAfter, MongoChangeStreamOptions.Start.resumeAfter] {
                    var options = MongoChangeStreamOptions()
                    options.start = start(try #require(moved.postBatchResumeToken))
                    var resumed = try await collection.watch(options).makeAsyncIterator()
                    #expect(try await resumed.numbers(3) == [0, 1, 2])
                }
                var options = MongoChangeStreamOptions()
                options.start = .operationTime(try #require(moved.operationTime))
                var restarted = try await collection.watch(options).makeAsyncIterator()
                #expect(try await restarted.numbers(3) == [0, 1, 2])
            }
        }

        @Test
        func `A reader that is slow holds up the server, not the memory, and misses nothing`() async throws {
            try await withCollection { _, collection async throws in
                var options = MongoChangeStreamOptions()
                options.batchSize = 1
                options.bufferedBatches = 1
                let stream = try await collection.watch(options)
                _ = try await collection.insert(numbered(0..<50))
                let sent = try await getMores(collection)
                try await Task.sleep(for: .seconds(1))
                // One batch waits, one is offered: nobody has asked for more in the meantime.
                let sentLater = try await getMores(collection)
                #expect(sentLater - sent < 25, "\(sent) \(sentLater)")
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.numbers(50) == Array(0..<50))
            }
        }

        @Test
        func `A killed cursor surfaces as an error, and the last token resumes without loss or repetition`() async throws {
            try await withCollection { set, collection async throws in
                let stream = try await collection.watch()
                var iterator = stream.makeAsyncIterator()
                _ = try await collection.insert(numbered(0..<2))
                var numbers: [Int] = []
                var token = stream.initialResumeToken
                while numbers.count < 2, let batch = try await iterator.next() {
                    numbers += batch.numbers
                    token = batch.postBatchResumeToken
                }
                #expect(try await set.killCursors(of: collection.namespace) > 0)
                let error = try #require(await iterator.end())
                #expect(error.code == .cursor)
                #expect([.cursorNotFound, .cursorKilled].contains(error.serverCode))
                #expect(error.operationTime != nil)
                #expect(!stream.isAlive)
                #expect(try await iterator.next() == nil)

                _ = try await collection.insert(numbered(2..<4))
                var options = MongoChangeStreamOptions()
                options.start = .startAfter(try #require(token))
                var resumed = try await collection.watch(options).makeAsyncIterator()
                #expect(try await resumed.numbers(2) == [2, 3])
            }
        }

        @Test(arguments: [200, 6_000])
        func `Cancelling the reader returns at once and frees thread and cursor`(maxAwaitMilliseconds: Int) async throws {
            try await withCollection { _, collection async throws in
                var options = MongoChangeStreamOptions()
                options.maxAwaitTime = .milliseconds(maxAwaitMilliseconds)
                let stream = try await collection.watch(options)
                #expect(try await openCursors(collection) == 1)
                let reading = Task { () -> MongoError? in
                    var iterator = stream.makeAsyncIterator()
                    return await iterator.end()
                }
                // Nothing tells that the reader waits.
                try await Task.sleep(for: .milliseconds(100))
                let took = await duration {
                    reading.cancel()
                    #expect(await reading.value?.code == .cancelled)
                }
                // Not when the server has answered.
                #expect(took < .milliseconds(5_000))
                try await eventually { try await openCursors(collection) == 0 }
            }
        }

        @Test
        func `A second reader is refused and does not disturb the first, and the cursor keeps its client`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let name = ObjectID().hex
            let stream = try await MongoClient(configuration: .init(connectionString: set.connectionString))
                .database("tests").collection(name).watch()
            let first = Task {
                var iterator = stream.makeAsyncIterator()
                return try await iterator.numbers(1)
            }
            try await Task.sleep(for: .milliseconds(100))
            let second = Task {
                var iterator = stream.makeAsyncIterator()
                return await iterator.end()
            }
            #expect(await second.value?.code == .invalidArgument)
            try await withClient(.init(connectionString: set.connectionString)) { client async throws in
                _ = try await client.database("tests").collection(name).insert(numbered(7..<8))
            }
            #expect(try await first.value == [7])
        }

        @Test
        func `A stream that is let go frees its cursor`() async throws {
            try await withCollection { _, collection async throws in
                do {
                    let stream = try await collection.watch()
                    #expect(stream.isAlive)
                    #expect(try await openCursors(collection) == 1)
                }
                try await eventually { try await openCursors(collection) == 0 }
            }
        }

        @Test
        func `A dropped collection ends a stream of inserts without an error; without the filter there is an invalidate event`()
            async throws
        {
            try await withCollection { _, collection async throws in
                _ = try await collection.insert(numbered(0..<1))
                var inserts = MongoChangeStreamOptions()
                inserts.pipeline = [
                    BSONDocument { stage in stage.appendDocument("$match") { $0.append("operationType", "insert") } }
                ]
                var filtered = try await collection.watch(inserts).makeAsyncIterator()
                var all = try await collection.watch().makeAsyncIterator()
                try await collection.drop()
                #expect(await filtered.end() == nil)
                let invalidate = try await all.first { batch in
                    batch.documents.contains { $0["operationType"]?.string == "invalidate" }
                }
                #expect(invalidate != nil)
                #expect(await all.end() == nil)
            }
        }

        @Test
        func `A resume point that the oplog has lost is an error that says so`() async throws {
            try await withCollection(of: .tinyOplog) { set, collection async throws in
                let token = try #require(try await collection.watch().initialResumeToken)
                try await set.rollOplog()
                for start in [
                    MongoChangeStreamOptions.Start.startAfter(token), .operationTime(BSONTimestamp(time: 1, increment: 1)),
                ] {
                    var options = MongoChangeStreamOptions()
                    options.start = start
                    let error = try #require(await openAndRead(collection, options))
                    #expect(error.serverCode == .changeStreamHistoryLost)
                    #expect(error.hasLabel("NonResumableChangeStreamError"))
                    #expect(error.operationTime != nil)
                }
            }
        }

        @Test
        func `A token that is none is refused`() async throws {
            try await withCollection { _, collection async throws in
                var options = MongoChangeStreamOptions()
                options.start = .startAfter(BSONDocument { $0.append("_data", "zz") })
                let error = try #require(await openAndRead(collection, options))
                #expect(error.serverCode != nil)
                #expect(error.code == .cursor)
            }
        }

        @Test
        func `An injected error of getMore keeps its code, labels and operation time`() async throws {
            try await withCollection { set, collection async throws in
                let stream = try await collection.watch()
                let label = "NonResumableChangeStreamError"
                try await set.primary().failCommands(
                    ["getMore"],
                    on: collection.namespace,
                    code: .changeStreamFatalError,
                    labels: [label],
                    times: 1
                )
                var iterator = stream.makeAsyncIterator()
                let error = try #require(await iterator.end())
                #expect(error.serverCode == .changeStreamFatalError)
                #expect(error.labels == ["NonResumableChangeStreamError"])
                #expect(error.operationTime != nil)
            }
        }

        @Test
        func `A step-down is survived or surfaces, and the token of before resumes on the new primary`() async throws {
            try await withCollection { set, collection async throws in
                let stream = try await collection.watch()
                _ = try await collection.insert(numbered(0..<5))
                try await set.stepDown()
                _ = try await insertPersistently(numbered(5..<10), into: collection)
                var options = MongoChangeStreamOptions()
                options.start = .startAfter(try #require(stream.initialResumeToken))
                var iterator = try await collection.watch(options).makeAsyncIterator()
                #expect(try await iterator.numbers(10) == Array(0..<10))
            }
        }

        @Test
        func `A secondary serves a stream if the read preference says so`() async throws {
            try await withCollection { set, collection async throws in
                var options = MongoChangeStreamOptions()
                options.readPreference = .secondary
                let stream = try await collection.watch(options)
                let primary = try await set.primary()
                #expect(stream.serverAddress != primary.address)
                _ = try await collection.insert(numbered(0..<5))
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.numbers(5) == Array(0..<5))
            }
        }

        @Test
        func `A standalone server has no change streams, and the error says what to do`() async throws {
            let server = try await MongoStandalone.start()
            try await withClient(.init(connectionString: server.connectionString)) { client async throws in
                let error = try #require(await openAndRead(client.database("tests").collection("c"), .init()))
                #expect(error.serverCode == .changeStreamNotSupported)
                #expect(error.message.contains("replica set"))
                #expect(try await !client.hello().hasChangeStreams)
            }
            await server.stop()
        }
    }
}

/// The error of opening a stream or of its first batches.
private func openAndRead(_ collection: MongoCollection, _ options: MongoChangeStreamOptions) async -> MongoError? {
    do throws(MongoError) {
        var iterator = try await collection.watch(options).makeAsyncIterator()
        for _ in 0..<3 { _ = try await iterator.next() }
        return nil
    } catch {
        return error
    }
}

/// Inserts again, with the same ids, until the outcome is known.
func insertPersistently(_ documents: [BSONDocument], into collection: MongoCollection) async throws -> Int {
    var rest = documents[...]
    var attempts = 0
    let deadline = ContinuousClock.now + .seconds(60)
    while !rest.isEmpty, ContinuousClock.now < deadline {
        attempts += 1
        do {
            let result = try await collection.insert(Array(rest))
            // A write that is not confirmed may still be rolled back.
            guard result.writeConcernError == nil else { continue }
            if let error = result.writeErrors.first {
                try #require(error.isDuplicateID)
                rest = rest.dropFirst(error.index + 1)
            } else {
                rest = []
            }
        } catch let error as MongoError where [.serverSelection, .network].contains(error.code) || error.outcome == .unknown {
            try await Task.sleep(for: .milliseconds(50))
        }
    }
    try #require(rest.isEmpty)
    return attempts
}

func serverStatus(_ collection: MongoCollection) async throws -> BSONDocument {
    try await collection.database.run(BSONDocument { $0.append("serverStatus", 1) })
}

/// How many cursors of the collection are open on the primary.
private func openCursors(_ collection: MongoCollection) async throws -> Int64 {
    let stages = [
        BSONDocument { stage in
            stage.appendDocument("$currentOp") { options in
                options.append("allUsers", true)
                options.append("idleCursors", true)
            }
        },
        BSONDocument { stage in
            stage.appendDocument("$match") { match in
                match.append("ns", collection.namespace)
                match.appendDocument("cursor.cursorId") { $0.append("$exists", true) }
            }
        },
        BSONDocument { $0.append("$count", "open") },
    ]
    let command = BSONDocument { command in
        command.append("aggregate", 1)
        command.append("pipeline", array: stages)
        command.appendDocument("cursor") { _ in }
    }
    let reply = try await collection.database.client.database("admin").run(command)
    let batch = try #require(reply["cursor"]?.document?["firstBatch"]?.array)
    return batch["0"]?.document?["open"]?.integer ?? 0
}

private func getMores(_ collection: MongoCollection) async throws -> Int64 {
    try #require(try await serverStatus(collection)["opcounters"]?.document?["getmore"]?.integer)
}

#endif
