// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import EngineIOCore
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter
import Testing

extension NativeWireFormat {
    /// The only thing that a document says.
    fileprivate func item(of document: BSONDocument, for node: NodeID) -> DriverItem? {
        var items: [DriverItem] = []
        decode(document, for: node, into: &items)
        return items.count <= 1 ? items.first : .skipped("\(items.count) items")
    }
}

@Suite("Native wire format")
struct NativeWireFormatTests {
    static let format = NativeWireFormat(cluster: "blue")

    static func message(_ body: ClusterBody, target: NodeID? = nil, stamp: NumberStamp? = NumberStamp(lane: 3, number: 7)) -> ClusterMessage
    {
        let header = ClusterHeader(
            id: MessageID(seconds: 1_700_000_000, process: 0xab_cdef_0123, counter: 0x45_6789),
            kind: body.kind,
            namespace: "/chat",
            origin: NodeIdentity(id: "node1", epoch: 0x7fff_ffff_ffff_fff0),
            target: target,
            request: ClusterRequestID(high: 0xfedc_ba98_7654_3210, low: 1),
            stamp: body.kind.isMembership ? nil : stamp
        )
        return ClusterMessage(header: header, body: body)
    }

    static func broadcast(_ text: String = "42[\"a\"]") -> ClusterBody {
        let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(string: text), isBinary: false))
        return .broadcast(packet, BroadcastOptions(rooms: ["a"], except: ["b"]))
    }

    static func encode(_ message: ClusterMessage) throws -> BSONDocument { try format.document(of: message, createdAt: 1_700_000_000_123) }

    /// A document with one field replaced, or left out.
    static func change(_ document: BSONDocument, _ key: String, _ write: (inout BSONWriter) -> Void = { _ in }) throws -> BSONDocument {
        try BSONDocument { copy in
            var reader = BSONReader(document)
            while let element = try reader.next() {
                if element.hasKey(key) { write(&copy) } else { copy.append(element.key, element) }
            }
        }
    }

    @Test(
        arguments: [nil, "node2"],
        [[], [1...2, 5...5]]
    )
    func `The header survives, for one node and for all, with void numbers and without`(target: NodeID?, void: [ClosedRange<UInt64>]) throws
    {
        let message = Self.message(Self.broadcast(), target: target, stamp: NumberStamp(lane: 3, number: 7, void: void))
        let document = try BSONDocument(validating: Self.encode(message).bytes)
        guard case .message(let header, let payload) = Self.format.item(of: document, for: "node2") else {
            Issue.record("no message")
            return
        }
        #expect(header == message.header)
        guard case .broadcast(let packet, let options) = try payload.body(for: header) else {
            Issue.record("no broadcast")
            return
        }
        #expect(String(buffer: packet.encoded.message) == "42[\"a\"]")
        #expect(options.rooms.sorted() == ["a"])
        #expect(options.except.sorted() == ["b"])
    }

    @Test
    func `The document has what filters, indexes and the primary need`() throws {
        let document = try Self.encode(Self.message(Self.broadcast()))
        #expect(document["_id"]?.objectID == ObjectID(hex: "6553f100abcdef0123456789"))
        #expect(document["cluster"]?.string == "blue")
        #expect(document["target"]?.isNull == true)
        #expect(document["createdAt"]?.dateMilliseconds == 1_700_000_000_123)
        #expect(document["ts"]?.timestamp == BSONTimestamp(time: 0, increment: 0))
        #expect(document["data"]?.binary?.subtype == 0)
    }

    @Test
    func `Messages about membership have no number`() throws {
        let document = try Self.encode(Self.message(.leave))
        #expect(document["number"] == nil)
        guard case .message(let header, _) = Self.format.item(of: document, for: "node2") else {
            Issue.record("no message")
            return
        }
        #expect(header.kind == .leave)
        #expect(header.stamp == nil)
    }

    @Test
    func `The node's own documents come without payload`() throws {
        let message = Self.message(Self.broadcast())
        let document = try Self.change(Self.encode(message), "data")
        guard case .own(let id, let origin) = Self.format.item(of: document, for: "node1") else {
            Issue.record("not its own")
            return
        }
        #expect(id == message.header.id)
        #expect(origin == message.header.origin)
        #expect(Self.isSkipped(document))
    }

    @Test
    func `A marker is nothing to anybody`() {
        #expect(Self.format.item(of: Self.format.marker(ObjectID(), createdAt: 0), for: "node2") == nil)
    }

    private static func isSkipped(_ document: BSONDocument) -> Bool {
        if case .skipped = format.item(of: document, for: "node2") { true } else { false }
    }

    @Test(arguments: ["_id", "v", "kind", "nsp", "origin", "epoch", "lane", "number", "data"])
    func `What is missing is told`(field: String) throws {
        #expect(try Self.isSkipped(Self.change(Self.encode(Self.message(Self.broadcast())), field)))
    }

    @Test(arguments: 0..<16)
    func `Values that no node writes are told`(index: Int) throws {
        let changes: [(String, (inout BSONWriter) -> Void)] = [
            ("_id", { $0.append("_id", "text") }),
            ("v", { $0.append("v", Int32(2)) }),
            ("v", { $0.append("v", 1.0) }),
            ("kind", { $0.append("kind", Int32(99)) }),
            ("kind", { $0.append("kind", Int32(-2)) }),
            ("kind", { $0.append("kind", Int32.max) }),
            ("nsp", { $0.append("nsp", Int32(1)) }),
            ("origin", { $0.append("origin", "") }),
            ("epoch", { $0.append("epoch", "1") }),
            ("target", { $0.append("target", Int32(1)) }),
            ("request", { $0.append("request", binary: ByteBuffer(repeating: 1, count: 15)) }),
            ("lane", { $0.append("lane", Int32(256)) }),
            ("number", { $0.append("number", Int64(0)) }),
            ("number", { $0.append("number", Int64.min) }),
            ("data", { $0.append("data", "text") }),
            (
                "number",
                {
                    $0.append("number", Int64(9))
                    $0.appendArray("void") { array in
                        array.append(Int64(5))
                        array.append(Int64(4))
                    }
                }
            ),
        ]
        let (field, write) = changes[index]
        #expect(try Self.isSkipped(Self.change(Self.encode(Self.message(Self.broadcast())), field, write)), "\(field)")
    }

    @Test
    func `Bytes that are no document are told`() throws {
        var bytes = try Self.encode(Self.message(Self.broadcast())).bytes
        bytes.setInteger(UInt8(0x42), at: 4)
        #expect(try Self.isSkipped(BSONDocument(bytes)))
    }

    @Test
    func `Fields of a later minor version are ignored`() throws {
        let document = try Self.change(Self.encode(Self.message(Self.broadcast())), "v") { writer in
            writer.append("v", Int32(1))
            writer.append("later", "x")
        }
        #expect(!Self.isSkipped(document))
    }
}
#endif
