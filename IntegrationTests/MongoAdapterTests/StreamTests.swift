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
import Testing

extension MongoAdapterTests {
    /// What ends a stream, besides the loss of its server.
    @Suite("Streams that end")
    struct Streams {
        @Test(arguments: [Mode.ttl, .capped]
        )
        func `An event that is too large for the server to show is one gap, and the stream goes on behind it at once`(mode: Mode)
            async throws
        {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, mode)
            if mode.expiration != .ttl { configuration.expiration = .capped(bytes: 64 << 20) }
            // Nothing else is written that a stream could go on with.
            configuration.cluster.heartbeatInterval = .seconds(30)
            configuration.cluster.heartbeatTimeout = .seconds(60)
            try await withNodes(2, configuration) { nodes in
                try await nodes[0].emit("before", 0..<10)
                await expectAll(nodes, "before", 0..<10)
                // In one command, so that the server meets all of them in one batch.
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    let documents = [Self.malformed, Self.malformed, Self.monster, Self.malformed]
                    let result = try await collection.insert(documents)
                    #expect(result.isComplete)
                }
                for node in nodes {
                    try await eventually("\(node.events.descriptions)") { node.events.gaps == 1 && node.events.skipped.count == 3 }
                }
                try await nodes[1].emit("after", 0..<10)
                await expectAll(nodes, "after", 0..<10)
                for node in nodes {
                    #expect(node.events.gaps == 1 && node.events.lost == 0, "\(node.events.descriptions)")
                    #expect(node.mongo.health == .healthy)
                }
            }
        }

        private static var malformed: BSONDocument {
            BSONDocument { document in
                document.append("_id", ObjectID())
                document.append("cluster", "default")
                document.append("v", Int32(1))
                document.appendNull("target")
            }
        }

        /// A document at the limit that passes the filter. The server's reserve above the limit is 16 KiB: enough for the oplog, which has the
        /// long id a second time, but not for the event, whose token has it in hexadecimal (10334).
        private static var monster: BSONDocument {
            BSONDocument(capacity: 16 << 20) { document in
                document.append("_id", binary: ByteBuffer(repeating: 1, count: 12 << 10))
                document.append("cluster", "default")
                document.append("v", Int32(1))
                document.appendNull("target")
                document.append("data", binary: ByteBuffer(repeating: 0, count: (16 << 20) - (13 << 10)))
            }
        }

        /// Injected: the server raises 280 for a token of an event that its oplog has never had, and the adapter has only tokens that the
        /// server gave it, of events that a majority has.
        @Test(arguments: [.changeStreamFatalError, .closeChangeStream] as [MongoErrorCode])
        func `A position that the server no longer accepts is a gap, and the stream goes on`(code: MongoErrorCode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            try await withNodes(1, configuration) { nodes in
                try await nodes[0].emit("before", 0..<10)
                let namespace = "tests.\(configuration.collection)"
                try await set.primary().failCommands(["getMore"], on: namespace, code: code, times: 1)
                try await eventually("\(nodes[0].events.descriptions)") { nodes[0].events.gaps == 1 }
                try await withNodes(1, configuration) { others in
                    try await others[0].emit("after", 0..<10)
                    await expectAll(nodes + others, "after", 0..<10)
                }
                #expect(nodes[0].mongo.health == .healthy)
                #expect(nodes[0].events.gaps == 1)
            }
        }

        @Test
        func `A position that is lost three times in a minute makes the node unhealthy`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            try await withNodes(1, configuration) { nodes in
                try await eventually { nodes[0].mongo.health == .healthy }
                let primary = try await set.primary()
                try await primary.failCommands(
                    ["getMore"],
                    on: "tests.\(configuration.collection)",
                    code: .changeStreamFatalError,
                    times: 3
                )
                try await eventually(within: .seconds(40)) { nodes[0].mongo.health == .deaf }
                #expect(nodes[0].events.gaps >= 1)
                try await primary.failNothing()
            }
        }

        @Test
        func `What a tailable cursor has not read is lost three times in a minute: that makes the node unhealthy`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .tailable)
            try await withNodes(1, configuration) { nodes in
                try await eventually { nodes[0].mongo.health == .healthy }
                try await withCollection(set.connectionString, configuration.collection) { collection in
                    for gaps in 1...3 {
                        #expect(nodes[0].mongo.health == .healthy)
                        try await collection.drop()
                        try await eventually("\(nodes[0].events.descriptions)") { nodes[0].events.gaps >= gaps }
                    }
                }
                try await eventually { nodes[0].mongo.health == .deaf }
                // It takes part all the same.
                try await nodes[0].emit("after", 0..<10)
                await expectAll(nodes, "after", 0..<10)
            }
        }
    }
}
#endif
