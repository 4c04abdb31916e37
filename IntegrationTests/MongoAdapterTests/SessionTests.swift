#if MongoDB
import MongoClient
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

        @Test(
            "A session is taken exactly once, by whoever comes first, and only by its id and namespace",
            arguments: [Mode.ttl, .tailable]
        )
        func once(mode: Mode) async throws {
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
    }
}
#endif
