// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore
import SocketIOCluster
import SocketIOConcurrency
import SocketIOCore
import SocketIOMongoClient
@testable import SocketIOMongoAdapter
import Synchronization
import Testing

@Suite("What clients of Node.js have missed", .timeLimit(.minutes(1)))
struct NodeJSMissedPacketsTests {
    private static let first: UInt32 = 1_700_000_000

    private static func id(_ number: Int) -> ObjectID { ObjectID(time: first + UInt32(number), uniquePart: UInt64(number)) }

    /// One broadcast a second.
    private static func broadcasts(_ count: Int, rooms: (Int) -> String? = { _ in nil }) -> [BSONDocument] {
        (0..<count).map { number in
            BSONDocument { document in
                document.append("_id", id(number))
                document.append("type", Int32(3))
                document.appendDocument("data") { data in
                    data.appendDocument("packet") { packet in
                        packet.append("type", Int32(2))
                        packet.appendArray("data") { $0.append("\(number)") }
                    }
                    data.appendDocument("opts") { opts in
                        opts.appendArray("rooms") { array in if let room = rooms(number) { array.append(room) } }
                        opts.appendArray("except") { _ in }
                    }
                }
                document.append("uid", "0123456789abcdef")
                document.append("nsp", "/")
                document.append("$recordId", Int64(number))
            }
        }
    }

    /// A client whose last packet was the one with the number.
    private static func client(_ number: Int, rooms: NameSet = []) -> NodeJSMissedPackets.Client {
        NodeJSMissedPackets.Client(
            offset: MessageID(id(number)),
            earliest: first + UInt32(number),
            namespace: "/",
            state: SessionState(id: "s", rooms: rooms, data: EncodedValue(format: .messagePack, bytes: ByteBuffer(bytes: [0x80])))
        )
    }

    /// A collection, and how often it was read.
    private final class Collection: Sendable {
        let documents: [BSONDocument]
        let reads = Mutex(0)

        init(_ documents: [BSONDocument]) { self.documents = documents }

        func find(_ filter: BSONDocument, _ limit: Int) -> [BSONDocument] {
            reads.withLock { $0 += 1 }
            let first = filter["_id"]?.document?["$gte"]?.objectID ?? ObjectID(time: 0, uniquePart: 0)
            return Array(documents.filter { $0["_id"]?.objectID.map { $0 >= first } ?? false }.prefix(limit))
        }
    }

    private static func read(
        _ clients: [NodeJSMissedPackets.Client],
        _ collection: Collection,
        _ limits: NodeJSMissedPackets.Limits
    ) async -> [NodeJSMissedPackets.Outcome] {
        await NodeJSMissedPackets(format: NodeJSFixture.format(recovers: true), limits: limits) { filter, limit, _ in
            collection.find(filter, limit)
        }.read(clients)
    }

    private static func events(_ outcome: NodeJSMissedPackets.Outcome) throws -> [String]? {
        try outcome.get()?.map { try $0.encoded.elements().decode(String.self, at: 0) }
    }

    @Test
    func `Clients that were away too long do not cost a read each, and those that were not get all`() async throws {
        let collection = Collection(Self.broadcasts(2_000))
        // In the order in which they come, which is none.
        let last = (0..<256).map { 1_999 - ($0 * 97 % 256) * 7 }
        let outcomes = await Self.read(last.map { Self.client($0) }, collection, .init(packets: 100, documents: 400))
        for (last, outcome) in zip(last, outcomes) {
            let expected = 1_999 - last <= 100 ? ((last + 1)..<2_000).map { "\($0)" } : nil
            #expect(try Self.events(outcome) == expected)
        }
        #expect(collection.reads.withLock { $0 } <= 10)
    }

    @Test
    func `Clients in different rooms are divided until each of them has what it has missed`() async throws {
        let collection = Collection(Self.broadcasts(600) { "\($0 % 8)" })
        let clients = (0..<8).map { Self.client(0, rooms: ["\($0)"]) }
        // Each of them alone reads too much, since this collection does not select by rooms.
        let outcomes = await Self.read(clients, collection, .init(packets: 100, documents: 400))
        for outcome in outcomes { #expect(try Self.events(outcome) == nil) }
        let enough = await Self.read(clients, collection, .init(packets: 100, documents: 600))
        for (client, outcome) in enough.enumerated() {
            #expect(try Self.events(outcome) == (1..<600).filter { $0 % 8 == client }.map { "\($0)" })
        }
    }

    @Test
    func `When the time is over, the clients that are left start anew`() async {
        let collection = Collection(Self.broadcasts(10))
        let outcomes = await Self.read([Self.client(1), Self.client(2)], collection, .init(time: .zero))
        for outcome in outcomes { #expect(throws: MongoAdapterError.self) { try outcome.get() } }
        #expect(collection.reads.withLock { $0 } == 0)
    }

    // MARK: Claims

    /// Performs batches, the first of which waits for the second.
    private final class Batches: Sendable {
        private let sizes = Mutex<[Int]>([])
        private let both = Gate()
        private let state = NodeJSMissedPacketsTests.client(0).state

        var total: Int { sizes.withLock { $0.reduce(0, +) } }

        @Sendable func perform(_ batch: [NodeJSClaims.Claim]) async -> [NodeJSClaims.Outcome] {
            let count = sizes.withLock { sizes in
                sizes.append(batch.count)
                return sizes.count
            }
            if count == 2 { both.open() }
            await both.wait()
            return batch.map { _ in .success(ClaimedSession(state: state, missed: [])) }
        }
    }

    @Test
    func `A full batch of claims does not wait for the one before`() async throws {
        let claims = NodeJSClaims()
        let batches = Batches()
        let offset = MessageID(Self.id(0))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<600 {
                let pid = "\(number)"
                group.addTask {
                    let claim = NodeJSClaims.Claim(pid: pid, namespace: "/", offset: offset, retention: .seconds(120), node: "n")
                    return try await claims.claim(claim, batches.perform) != nil
                }
            }
            for try await isRestored in group { #expect(isRestored) }
        }
        #expect(batches.total == 600)
        await claims.close()
    }
}
#endif
