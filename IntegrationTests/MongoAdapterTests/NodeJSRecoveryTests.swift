// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoTesting
import SocketIOMongoClient
import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    /// Clients whose Node.js server was stopped come to a node of this package.
    @Suite("Recovery from Node.js")
    struct NodeJSRecovery {
        private static let clients = 300
        private static let missed = 40
        private static let old = 100_000

        /// What a Node.js server has written: many messages of long ago, and those that its clients have missed.
        private struct Scene {
            let collection: MongoCollection
            let offset: MessageID

            static func pid(_ client: Int) -> String { "node-js-session-\(1_000 + client)" }

            /// - Parameters:
            ///   - old: How many messages there are of long ago.
            ///   - unreadable: A client whose session has a room without a name.
            init(_ collection: MongoCollection, now: UInt32, old: Int = NodeJSRecovery.old, unreadable: Int? = nil) async throws {
                self.collection = collection
                var counter: UInt64 = 0
                func id(_ age: UInt32) -> ObjectID {
                    counter += 1
                    return ObjectID(time: now - age, uniquePart: counter)
                }
                for begin in stride(from: 0, to: old, by: 10_000) {
                    let age = 4_000 - UInt32(begin / 30)
                    try await Self.insert((0..<10_000).map { _ in Self.broadcast(id(age), "old") }, collection)
                }
                let offset = id(20)
                self.offset = MessageID(bytes: offset.bytes) ?? MessageID(seconds: 0, process: 0, counter: 0)
                let sessions = (0..<NodeJSRecovery.clients).map { client in
                    Self.document(id(10), type: 13) { data in
                        data.append("sid", "sid \(client)")
                        data.append("pid", Self.pid(client))
                        data.appendArray("rooms") { rooms in
                            rooms.append("sid \(client)")
                            if client == unreadable { rooms.append(Int32(1)) } else { rooms.append("room \(client % 3)") }
                        }
                        data.appendDocument("data") { _ in }
                    }
                }
                let missed = (0..<NodeJSRecovery.missed).map { number in
                    Self.broadcast(id(5), "missed \(number)", room: number % 4 == 3 ? nil : "room \(number % 4)")
                }
                try await Self.insert([Self.broadcast(offset, "last", room: "left")] + sessions + missed, collection)
            }

            private static func insert(_ documents: [BSONDocument], _ collection: MongoCollection) async throws {
                let inserted = try await collection.insert(documents).insertedCount
                #expect(inserted == documents.count)
            }

            private static func broadcast(_ id: ObjectID, _ event: String, room: String? = nil) -> BSONDocument {
                document(id, type: 3) { data in
                    data.appendDocument("packet") { packet in
                        packet.append("type", Int32(2))
                        packet.appendArray("data") { $0.append(event) }
                    }
                    data.appendDocument("opts") { opts in
                        opts.appendArray("rooms") { rooms in if let room { rooms.append(room) } }
                        opts.appendArray("except") { _ in }
                        opts.appendDocument("flags") { _ in }
                    }
                }
            }

            private static func document(_ id: ObjectID, type: Int32, _ data: (inout BSONWriter) -> Void) -> BSONDocument {
                BSONDocument { document in
                    document.append("_id", id)
                    document.append("type", type)
                    document.appendDocument("data", data)
                    document.append("uid", "0123456789abcdef")
                    document.append("nsp", "/")
                }
            }
        }

        @Test(arguments: [true, false])
        func `300 clients come at once to a collection of 100 000 messages: what is read is what they have missed`(
            isCapped: Bool
        ) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, isCapped ? .capped : .ttl)
            if isCapped { configuration.expiration = .capped(bytes: 64 << 20) }
            configuration.wireFormat = .nodeJS
            try await withCollection(set.connectionString, configuration.collection) { collection in
                let node = RecoveringNode(configuration)
                try await node.start()
                let scene = try await Scene(collection, now: UInt32(clamping: configuration.wallClock() / 1_000))
                try await Self.setProfile(2, collection.database)
                let start = ContinuousClock.now
                let claimed = try await Self.claim(scene, node)
                let time = ContinuousClock.now - start
                try await Self.setProfile(0, collection.database)
                print("\(Self.clients) clients, \(isCapped ? "capped" : "ttl"): \(time)")
                for (client, session) in claimed.enumerated() {
                    let session = try #require(session)
                    #expect(session.state.id == "sid \(client)")
                    let expected = (0..<Self.missed).filter { $0 % 4 == 3 || $0 % 4 == client % 3 }.map { "missed \($0)" }
                    #expect(session.missed.compactMap { try? $0.encoded.elements().decode(String.self, at: 0) } == expected)
                }
                try await Self.expectBoundedReads(collection)
                // Each session was taken once.
                let again = try await Self.claim(scene, node)
                #expect(again.allSatisfy { $0 == nil })
                await node.mongo.close()
            }
        }

        @Test(arguments: [true, false])
        func `A session that cannot be read costs its own client only, and stays where it is`(isCapped: Bool) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, isCapped ? .capped : .ttl)
            configuration.wireFormat = .nodeJS
            try await withCollection(set.connectionString, configuration.collection) { collection in
                let node = RecoveringNode(configuration)
                try await node.start()
                let now = UInt32(clamping: configuration.wallClock() / 1_000)
                let scene = try await Scene(collection, now: now, old: 0, unreadable: 17)
                let outcomes = try await Self.outcomes(scene, node)
                for (client, outcome) in outcomes.enumerated() where client != 17 { #expect(try outcome.get() != nil) }
                #expect(throws: (any Error).self) { try outcomes[17].get() }
                let documents = try await collection.find(BSONDocument { $0.append("data.pid", Scene.pid(17)) })
                #expect(documents.count == 1)
                await node.mongo.close()
            }
        }

        private static func claim(_ scene: Scene, _ node: RecoveringNode) async throws -> [ClaimedSession?] {
            try await outcomes(scene, node).map { try $0.get() }
        }

        private static func outcomes(_ scene: Scene, _ node: RecoveringNode) async throws -> [Result<ClaimedSession?, any Error>] {
            let exchange = try #require(node.mongo.node.driver.sessionExchange)
            return await withTaskGroup(of: (Int, Result<ClaimedSession?, any Error>).self) { group in
                for client in 0..<clients {
                    group.addTask {
                        do {
                            let session = try await exchange.claim(
                                Scene.pid(client),
                                after: scene.offset,
                                in: "/",
                                retention: .seconds(120),
                                by: node.mongo.node.id
                            )
                            return (client, .success(session))
                        } catch { return (client, .failure(error)) }
                    }
                }
                return await group.reduce(into: Array(repeating: .success(nil), count: clients)) { $0[$1.0] = $1.1 }
            }
        }

        // MARK: What the server did

        private static func setProfile(_ level: Int32, _ database: MongoDatabase) async throws {
            _ = try await database.run(BSONDocument { $0.append("profile", level) })
        }

        /// Checks that no operation has read the collection, and that all of them together have read little.
        private static func expectBoundedReads(_ collection: MongoCollection) async throws {
            let profile = collection.database.collection("system.profile")
            let entries = try await profile.find(BSONDocument { $0.append("ns", collection.namespace) })
            let reads = entries.filter { ["query", "command", "remove"].contains($0["op"]?.string) && $0["planSummary"] != nil }
            #expect(!reads.isEmpty)
            for entry in reads { #expect(entry["planSummary"]?.string?.contains("COLLSCAN") == false, "\(entry)") }
            let examined = reads.reduce(0) { $0 + ($1["docsExamined"]?.integer ?? 0) }
            // Several batches, each of which reads what was missed once, and a session up to four times.
            #expect(examined < 10 * Int64(missed + clients), "\(examined) documents examined")
            try await profile.drop()
        }
    }
}

/// A node of which sessions can be recovered.
private final class RecoveringNode: Sendable {
    let mongo: MongoAdapter
    private let adapter: any Adapter

    init(_ configuration: MongoAdapterConfiguration) {
        mongo = MongoAdapter(configuration)
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let local = CoreLocalAdapter(eventLoops: loops, format: .json, recovery: RecoveryLimits())
        adapter = mongo.makeAdapter(AdapterContext(namespace: "/", local: local) { _, _ in })
    }

    func start() async throws {
        try await mongo.start()
        try await adapter.start()
    }
}
#endif
