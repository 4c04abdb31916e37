// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoTesting
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    @Suite("Stored sessions")
    struct Sessions {
        private static func session(_ pid: String, _ namespace: String = "/", _ text: String = "x") -> StoredSession {
            StoredSession(namespace: namespace, pid: pid, payload: ByteBuffer(string: text))
        }

        @Test(arguments: [Mode.ttl, .tailable]
        )
        func `A session is taken exactly once, by whoever comes first, and only by its id and namespace`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            try await withNodes(2, makeConfiguration(set.connectionString, mode)) { nodes in
                let (first, second) = (nodes[0].mongo, nodes[1].mongo)
                #expect(try await first.takeSession("a", in: "/").map { String(buffer: $0.payload) } == nil)
                try await first.storeSessions((0..<200).map { Self.session("s\($0)") }, for: .seconds(120))
                try await first.storeSessions([Self.session("a", "/", "old"), Self.session("b")], for: .seconds(120))
                try await first.storeSessions([Self.session("a", "/", "new"), Self.session("a", "/chat", "chat")], for: .seconds(120))
                #expect(try await second.takeSession("$a", in: "/").map { String(buffer: $0.payload) } == nil)
                #expect(try await second.takeSession("a", in: "/other").map { String(buffer: $0.payload) } == nil)
                let taken = try await withThrowingTaskGroup { group in
                    for index in 0..<8 {
                        group.addTask { try await (index.isMultiple(of: 2) ? first : second).takeSession("a", in: "/") }
                    }
                    return try await group.reduce(into: [String]()) { texts, session in
                        if let session { texts.append(String(buffer: session.payload)) }
                    }
                }
                #expect(taken == ["new"])
                #expect(try await first.takeSession("a", in: "/chat").map { String(buffer: $0.payload) } == "chat")
                #expect(try await second.takeSession("s199", in: "/").map { String(buffer: $0.payload) } == "x")
                #expect(try await second.takeSession("s199", in: "/").map { String(buffer: $0.payload) } == nil)
            }
        }

        @Test(arguments: [Mode.ttl, .tailable])
        func `Copies are taken from dead nodes only, and removed by their own node only`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            try await withNodes(1, makeConfiguration(set.connectionString, mode)) { nodes in
                let store = try #require(nodes[0].mongo.snapshotStore)
                let (a, b) = (NodeIdentity(id: "a", epoch: 1), NodeIdentity(id: "b", epoch: .max))
                @Sendable func take(_ pid: String, sparing owners: Set<NodeIdentity> = []) async throws -> String? {
                    try await store.take(pid, in: "/", sparing: owners).map { "\(String(buffer: $0.payload)) \($0.isSnapshot)" }
                }
                try await store.store((0..<100).map { Self.session("s\($0)") }, of: a, for: .seconds(120))
                #expect(try await nodes[0].mongo.takeSession("s0", in: "/") == nil)
                #expect(try await take("s0", sparing: [a, b]) == nil)
                #expect(try await take("s0", sparing: [b, NodeIdentity(id: "a", epoch: 2)]) == "x true")
                #expect(try await take("s0") == nil)
                // The client is at another node now, and at the first one again; whose it was may not touch it.
                try await store.store([Self.session("s0", "/", "b's"), Self.session("s1", "/", "b's")], of: b, for: .seconds(120))
                try await store.remove(["s0", "s1", "s2"], in: "/", of: "a")
                #expect(try await take("s0", sparing: [a]) == "b's true")
                #expect(try await take("s2") == nil)
                // Its node leaves.
                try await nodes[0].mongo.storeSessions([Self.session("s1", "/", "given up")], for: .seconds(120))
                try await store.remove(["s1"], in: "/", of: "b")
                #expect(try await take("s1", sparing: [a, b]) == "given up false")
                async let many = (3..<100).asyncMap { try await take("s\($0)", sparing: [b]) }
                #expect(try await many == Array(repeating: "x true", count: 97))
            }
        }
    }
}

extension Range<Int> {
    fileprivate func asyncMap<T: Sendable>(_ body: @escaping @Sendable (Int) async throws -> T) async throws -> [T] {
        try await withThrowingTaskGroup { group in
            for number in self { group.addTask { (number, try await body(number)) } }
            return try await group.reduce(into: [Int: T]()) { $0[$1.0] = $1.1 }.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
#endif
