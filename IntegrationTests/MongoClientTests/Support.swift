// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import SocketIOMongoTesting
import Testing

/// Everything that needs real `mongod` processes. One after the other: some of these tests break the replica set that all share.
@Suite("MongoDB", .serialized, .enabled(if: MongoBinary.path != nil, "\(MongoBinary.reasonForAbsence ?? "")"), .timeLimit(.minutes(5)))
struct MongoTests {}

/// Runs with a client and a collection that nobody else uses.
func withCollection(
    of shared: SharedReplicaSet = .three,
    _ change: (inout MongoClientConfiguration) -> Void = { _ in },
    _ body: (MongoReplicaSet, MongoCollection) async throws -> Void
) async throws {
    let set = try await shared.healthy()
    var configuration = MongoClientConfiguration(connectionString: set.connectionString)
    change(&configuration)
    try await withClient(configuration) { client async throws in
        try await body(set, client.database("tests").collection(ObjectID().hex))
    }
}

/// Runs with a client and closes it.
func withClient(_ configuration: MongoClientConfiguration, _ body: (MongoClient) async throws -> Void) async throws {
    let client = try MongoClient(configuration: configuration)
    do {
        try await body(client)
    } catch {
        await client.close()
        throw error
    }
    await client.close()
}

/// Documents `{_id: ObjectId, n: first…}`.
func numbered(_ numbers: Range<Int>) -> [BSONDocument] {
    numbers.map { number in
        BSONDocument { document in
            document.append("_id", ObjectID())
            document.append("n", number)
        }
    }
}

extension MongoCursor.AsyncIterator {
    /// The numbers of the next documents, of a find or of change events, until there are that many.
    mutating func numbers(_ count: Int) async throws -> [Int] {
        var numbers: [Int] = []
        while numbers.count < count, let batch = try await self.next() {
            numbers += batch.numbers
        }
        return numbers
    }

    /// Reads until something matches.
    mutating func first(where isWanted: (MongoBatch) -> Bool) async throws -> MongoBatch? {
        while let batch = try await self.next() {
            if isWanted(batch) { return batch }
        }
        return nil
    }

    /// Reads to the end and returns the error that it ended with; `nil` if the server just closed the cursor.
    mutating func end() async -> MongoError? {
        do throws(MongoError) {
            while try await self.next() != nil {}
            return nil
        } catch {
            return error
        }
    }
}

extension MongoBatch {
    var numbers: [Int] {
        self.documents.compactMap { document in
            let inner = document["fullDocument"]?.document ?? document
            return inner["n"]?.integer.map { Int($0) }
        }
    }
}

/// How long something took.
func duration(of body: () async throws -> Void) async rethrows -> Duration {
    try await ContinuousClock().measure(body)
}

#endif
