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

/// Several messages in one document.
@Suite("Native wire format: bundles")
struct BundleTests {
    private static let format = NativeWireFormat(cluster: "blue")

    private static func message(_ number: UInt64, _ body: ClusterBody, target: NodeID? = nil, lane: UInt8 = 0) -> ClusterMessage {
        let header = ClusterHeader(
            id: MessageID(seconds: 1_700_000_000, process: 1, counter: number),
            kind: body.kind,
            namespace: number.isMultiple(of: 2) ? "/chat" : "/",
            origin: NodeIdentity(id: "node1", epoch: 7),
            target: target,
            request: number.isMultiple(of: 3) ? ClusterRequestID(high: number, low: 1) : nil,
            stamp: body.kind.isMembership
                ? nil : NumberStamp(lane: lane, number: number, void: number == 5 ? [2...3, 4...4] : [])
        )
        return ClusterMessage(header: header, body: body)
    }

    private static func encode(_ batch: [ClusterMessage], limit: Int = 15 << 20) -> EncodedBatch {
        format.encode(batch, createdAt: 1_700_000_000_123, limit: limit)
    }

    private static func items(_ documents: [BSONDocument], for node: NodeID = "node2") -> [DriverItem] {
        var items: [DriverItem] = []
        for document in documents { format.decode(document, for: node, into: &items) }
        return items
    }

    private static func headers(_ documents: [BSONDocument]) -> [ClusterHeader] {
        items(documents).compactMap { item -> ClusterHeader? in
            guard case .message(let header, _) = item else { return nil }
            return header
        }
    }

    @Test
    func `Neighbours share a document; order, headers and payloads survive`() throws {
        let batch =
            (1...8).map { Self.message($0, NativeWireFormatTests.broadcast("42[\($0)]")) }
            + [Self.message(9, .heartbeat(ClusterHeartbeat(beat: 1)))]
            + (10...12).map { Self.message($0, .acknowledgementCount(Int($0)), target: "node2") }
            + [Self.message(13, .serverSideEmit(try EventArguments(array: ByteBuffer(string: "[1]"), format: .json)))]
        let encoded = Self.encode(batch)
        #expect(encoded.refusal == nil)
        #expect(encoded.messages == 13)
        #expect(encoded.documents.count == 4)
        #expect((0..<4).map(encoded.message(of:)) == [0, 8, 9, 12])
        #expect(encoded.documents.map { $0["_id"]?.objectID } == [1, 9, 10, 13].map { Self.id($0) })
        #expect(encoded.documents[1...].map { $0["target"]?.string } == [nil, "node2", nil])

        #expect(Self.headers(encoded.documents) == batch.map(\.header))
        for (item, message) in zip(Self.items(encoded.documents), batch) {
            guard case .message(let header, let payload) = item, case .broadcast(let packet, _) = try payload.body(for: header),
                case .broadcast(let original, _) = message.body
            else { continue }
            #expect(packet.encoded.message == original.encoded.message)
        }
    }

    private static func id(_ counter: UInt64) -> ObjectID? {
        ObjectID(hex: MessageID(seconds: 1_700_000_000, process: 1, counter: counter).description)
    }

    @Test
    func `The node's own messages come back one by one, without payload`() throws {
        let encoded = Self.encode((1...3).map { Self.message($0, NativeWireFormatTests.broadcast()) })
        let document = try NativeWireFormatTests.change(encoded.documents[0], "data")
        let ids = Self.items([document], for: "node1").map { item -> MessageID? in
            guard case .own(let id, _) = item else { return nil }
            return id
        }
        #expect(ids == (1...3).map { MessageID(seconds: 1_700_000_000, process: 1, counter: $0) })
    }

    @Test
    func `The same batch makes the same documents, as it must when it is written again`() {
        let batch = (1...500).map { Self.message($0, NativeWireFormatTests.broadcast(String(repeating: "x", count: Int($0) * 7))) }
        #expect(Self.encode(batch).documents == Self.encode(batch).documents)
    }

    @Test(arguments: [2_048, 20_000, 15 << 20])
    func `Documents stay small, whatever the limit`(limit: Int) {
        let batch = (1...300).map { Self.message($0, NativeWireFormatTests.broadcast(String(repeating: "x", count: Int($0) * 5))) }
        let encoded = Self.encode(batch, limit: limit)
        #expect(encoded.refusal == nil)
        #expect(encoded.documents.allSatisfy { $0.count <= min(limit, 100_000) })
        #expect(encoded.documents.count < 300)
        #expect(Self.headers(encoded.documents) == batch.map(\.header))
    }

    @Test
    func `What comes before a message that is too large is kept, the message is refused`() {
        let large = Self.message(4, NativeWireFormatTests.broadcast(String(repeating: "x", count: 5_000)))
        let batch = (1...3).map { Self.message($0, NativeWireFormatTests.broadcast()) } + [large]
        let encoded = Self.encode(batch, limit: 4_000)
        #expect((encoded.refusal as? ClusterError)?.code == .tooLarge)
        #expect(encoded.messages == 3)
        #expect(Self.headers(encoded.documents) == batch.prefix(3).map(\.header))
    }

    @Test(arguments: ["ids", "data", "lane", "origin", "epoch"])
    func `A bundle of which anything is wrong is skipped as a whole`(field: String) throws {
        let document = Self.encode((1...3).map { Self.message($0, NativeWireFormatTests.broadcast()) }).documents[0]
        let items = Self.items([try NativeWireFormatTests.change(document, field)])
        guard items.count == 1, case .skipped = items[0] else {
            Issue.record("\(items)")
            return
        }
    }

    @Test(arguments: ["node1", "node2"])
    func `A document that claims more messages than any node writes is skipped`(node: NodeID) throws {
        let document = Self.encode((1...2).map { Self.message($0, NativeWireFormatTests.broadcast()) }).documents[0]
        let ids = ByteBuffer(repeating: 1, count: 12 * 1_001)
        let hostile = try NativeWireFormatTests.change(document, "ids") { $0.append("ids", binary: ids) }
        #expect(Self.items([hostile], for: node).map(Kind.init) == [.skipped])
    }

    @Test
    func `Bytes that are cut or changed anywhere never stop the stream, nor deliver a part`() throws {
        let batch = (1...3).map { Self.message($0, NativeWireFormatTests.broadcast()) }
        let document = Self.encode(batch).documents[0]
        let data = try #require(document["data"]?.binary?.bytes)
        for length in 0..<data.readableBytes {
            let cut = try NativeWireFormatTests.change(document, "data") {
                $0.append("data", binary: data.getSlice(at: data.readerIndex, length: length) ?? ByteBuffer())
            }
            guard Self.items([cut]).map(Kind.init) == [.skipped] else {
                Issue.record("cut at \(length)")
                return
            }
        }
        for index in 0..<data.readableBytes {
            for byte: UInt8 in [0, 0x7f, 0x90, 0xc0, 0xc1, 0xdd, 0xff] {
                var changed = data
                changed.setInteger(byte, at: data.readerIndex + index)
                let kinds = Self.items([try NativeWireFormatTests.change(document, "data") { $0.append("data", binary: changed) }]).map(
                    Kind.init
                )
                #expect(kinds == [.skipped] || kinds == [.message, .message, .message])
            }
        }
    }

    private enum Kind {
        case message, skipped, other

        init(_ item: DriverItem) {
            switch item {
            case .message: self = .message
            case .skipped: self = .skipped
            default: self = .other
            }
        }
    }
}
#endif
