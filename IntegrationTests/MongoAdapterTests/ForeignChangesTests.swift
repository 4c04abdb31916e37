// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoTesting
import SocketIOMongoClient
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTesting
import Synchronization
import Testing

extension MongoAdapterTests {
    /// What other programs, and wrong clocks, do to the collection.
    @Suite("Collections that others change")
    struct ForeignChanges {
        private static let message = ClusterMessage(
            header: ClusterHeader(
                id: MessageID(seconds: 1, process: 1, counter: 1),
                kind: .broadcast,
                namespace: "/",
                origin: NodeIdentity(id: "test", epoch: 1)
            ),
            body: .serverSideEmit(.empty(.json))
        )

        @Test(arguments: [Mode.ttl, .capped])
        func `It is recreated as one of the other kind: writing and health say so, until it is as configured`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            try await withNodes(1, configuration) { nodes in
                let mongo = nodes[0].mongo
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    try await Self.replace(collection) { collection in
                        guard mode.expiration == .ttl else { return try await collection.create() }
                        try await collection.createCapped(bytes: 1 << 20)
                    }
                    try await eventually("\(mongo.health)") { mongo.health == .mismatched }
                    #expect(!mongo.health.takesPart)
                    try await eventually { nodes[0].events.descriptions.contains { $0.contains("mismatched") } }
                    guard case .notWritten(let error) = await mongo.node.driver.emit([Self.message]) else {
                        Issue.record("it was written")
                        return
                    }
                    #expect((error as? MongoAdapterError)?.code == .collectionMismatch)
                    #expect("\(error)".contains(mode.expiration == .ttl ? "is capped" : "is not capped"), "\(error)")
                    try await collection.drop()
                }
                try await eventually("\(mongo.health)") { mongo.health == .healthy }
                try await nodes[0].emit("after", 0..<10)
                await expectAll(nodes, "after", 0..<10)
            }
        }

        /// Drops a collection and makes another one, faster than a node that does the same.
        private static func replace(_ collection: MongoCollection, _ create: (MongoCollection) async throws -> Void) async throws {
            for _ in 0..<100 {
                try await collection.drop()
                do { return try await create(collection) } catch let error as MongoError where error.serverCode == .namespaceExists {}
            }
            Issue.record("the node is always faster")
        }

        // MARK: Clocks

        private static let year: Int64 = 31_536_000_000
        private static let formats: [MongoAdapterConfiguration.WireFormat] = [.native, .nodeJS, .socketioxide]

        @Test(arguments: [year, -year], formats)
        func `A node whose clock is a year wrong writes the server's time, by which documents are deleted`(
            error: Int64,
            format: MongoAdapterConfiguration.WireFormat
        ) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, .ttl)
            configuration.wireFormat = format
            let clock = configuration.wallClock
            configuration.wallClock = { clock() + error }
            try await withNodes(1, configuration) { nodes in
                try await nodes[0].emit("x")
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    let documents = try await collection.find()
                    #expect(documents.count >= 2)
                    for document in documents {
                        let created = try #require(document["createdAt"]?.dateMilliseconds)
                        #expect(abs(created - clock()) < 30_000, "\(document)")
                    }
                }
            }
        }

        // MARK: Joining

        @Test(arguments: formats)
        func `When a node has started, the others have read that it is there`(format: MongoAdapterConfiguration.WireFormat) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, .ttl)
            configuration.wireFormat = format
            configuration.cluster.heartbeatInterval = .seconds(60)
            configuration.cluster.heartbeatTimeout = .seconds(120)
            try await withNodes(1, configuration) { nodes in
                let late = Node(configuration)
                try await late.start()
                // Its announcement has returned to it, so it is in the stream of all.
                try await eventually(within: .seconds(2)) { try await nodes[0].adapter.serverCount() == 2 }
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    let field = format == .nodeJS ? "uid" : "origin"
                    let own = BSONDocument { filter in
                        filter.appendDocument(field) { $0.append("$regex", "^" + late.mongo.node.id) }
                    }
                    let documents = try await collection.find(own)
                    #expect(!documents.isEmpty)
                }
                await late.mongo.close()
            }
        }
    }
}
#endif
