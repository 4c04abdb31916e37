// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Logging
import SocketIOMongoClient
import Synchronization
import Testing

/// What needs no server.
@Suite("MongoClient without a server", .serialized)
struct ClientTests {
    @Test(arguments: ["", "http://x", "mongodb://", "mongodb://h/?w=-5"]
    )
    func `A malformed connection string is refused before anything is tried`(string: String) {
        let error = #expect(throws: MongoError.self) {
            try MongoClient(configuration: MongoClientConfiguration(connectionString: string))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test
    func `The database in the connection string is known`() async throws {
        let client = try MongoClient(configuration: .init(connectionString: "mongodb://127.0.0.1:1/chat"))
        #expect(client.defaultDatabase == "chat")
        await client.close()
    }

    @Test
    func `Without a server every operation ends within the server selection timeout and says what to do`() async throws {
        var configuration = MongoClientConfiguration(connectionString: "mongodb://127.0.0.1:1,127.0.0.1:2/?replicaSet=rs0")
        configuration.serverSelectionTimeout = .milliseconds(500)
        let client = try MongoClient(configuration: configuration)
        let collection = client.database("d").collection("c")
        let took = await ContinuousClock().measure {
            async let insert = Self.error { _ = try await collection.insert([BSONDocument()]) }
            async let watch = Self.error { _ = try await collection.watch() }
            async let find = Self.error { _ = try await collection.find() }
            for error in await [insert, watch, find] {
                #expect(error?.code == .serverSelection)
                #expect(error?.outcome == .notApplied)
                #expect(error?.message.contains("127.0.0.1:1") == true)
                #expect(error?.message.contains("mongod runs") == true)
            }
        }
        // `find` tries twice. Nothing has waited for the default, 5 s.
        #expect(took < .milliseconds(4_900))
        #expect(took > .milliseconds(400))
        await client.close()
    }

    @Test
    func `Closing does not wait for a server that is not there, and ends what waits for it`() async throws {
        var configuration = MongoClientConfiguration(connectionString: "mongodb://127.0.0.1:1/")
        configuration.serverSelectionTimeout = .seconds(5)
        configuration.shutdownTimeout = .milliseconds(100)
        configuration.commandThreads = 1
        let client = try MongoClient(configuration: configuration)
        let first = Task { await Self.error { try await client.ping() } }
        let second = Task { await Self.error { try await client.ping() } }
        try await Task.sleep(for: .milliseconds(100))
        let took = await ContinuousClock().measure { await client.close() }
        #expect(took < .seconds(4))
        let codes = [await first.value?.code, await second.value?.code]
        #expect(codes.contains(.serverSelection))
        #expect(codes.contains(.shutDown))
        #expect(await Self.error { try await client.ping() }?.code == .shutDown)
    }

    @Test
    func `A task that is already cancelled sends nothing`() async throws {
        let client = try MongoClient(configuration: .init(connectionString: "mongodb://127.0.0.1:1/"))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            let command = await Self.error { try await client.ping() }
            let cursor = await Self.error { _ = try await client.database("d").collection("c").watch() }
            return (command, cursor)
        }
        task.cancel()
        let (command, cursor) = await task.value
        #expect(command?.code == .cancelled)
        #expect(command?.outcome == .notApplied)
        #expect(cursor?.code == .cancelled)
        await client.close()
    }

    @Test
    func `What libmongoc has to say goes to the logger, with the option that it does not know`() async throws {
        struct Handler: LogHandler {
            let add: @Sendable (String) -> Void
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.trace
            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { self.metadata[key] }
                set { self.metadata[key] = newValue }
            }
            func log(event: LogEvent) {
                self.add("\(event.level): \(event.message)")
            }
        }
        let collected = Lines()
        let logger = Logger(label: "test") { _ in Handler { collected.add($0) } }
        let first = try MongoClient(configuration: .init(connectionString: "mongodb://127.0.0.1:1/"), logger: logger)
        let second = try MongoClient(configuration: .init(connectionString: "mongodb://127.0.0.1:1/?nonsense=1"))
        #expect(collected.all.contains { $0.hasPrefix("warning") && $0.contains("nonsense") })
        await first.close()
        await second.close()
    }

    @Test
    func `The description of an error holds no content of documents`() {
        let error = #expect(throws: MongoError.self) {
            try BSONDocument(validating: BSONTests.vectors[1].document.bytes, maximumDepth: 0)
        }
        #expect(error.map { "\($0)".contains("world") } == false)
    }

    private static func error(_ body: () async throws -> Void) async -> MongoError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? MongoError
        }
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { self.lines.withLock { $0 } }

    func add(_ line: String) {
        self.lines.withLock { $0.append(line) }
    }
}

extension BSONTests.Vector {
    fileprivate var document: BSONDocument { BSONDocument(self.build) }
}

#endif
