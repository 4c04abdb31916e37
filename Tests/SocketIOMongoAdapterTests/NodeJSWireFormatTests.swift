// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText
import EngineIOCore
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Wire format of Node.js")
struct NodeJSWireFormatTests {
    private static let kinds: [Int32: (ClusterMessageKind, withRequest: ClusterMessageKind)] = [
        1: (.initialHeartbeat, .initialHeartbeat), 2: (.heartbeat, .heartbeat), 3: (.broadcast, .broadcastWithAck),
        4: (.addSockets, .addSockets), 5: (.removeSockets, .removeSockets), 6: (.disconnectSockets, .disconnectSockets),
        7: (.fetchSockets, .fetchSockets), 8: (.fetchSocketsAnswer, .fetchSocketsAnswer), 9: (.serverSideEmit, .serverSideEmitWithAck),
        10: (.serverSideEmitAnswer, .serverSideEmitAnswer), 11: (.acknowledgementCount, .acknowledgementCount),
        12: (.acknowledgement, .acknowledgement), 13: (.heartbeat, .heartbeat),
    ]

    @Test(arguments: NodeJSFixture.all)
    func `Every captured document is understood`(fixture: NodeJSFixture) throws {
        let message = try NodeJSFixture.message(fixture.document)
        let type = try #require(fixture.document["type"]?.int32)
        let request = fixture.document["data"]?.document?["requestId"]?.string
        let kinds = try #require(Self.kinds[type])
        #expect(message.header.kind == (request == nil ? kinds.0 : kinds.withRequest))
        #expect(message.body.kind == message.header.kind)
        #expect(message.header.id.description == fixture.document["_id"]?.objectID?.hex)
        #expect(message.header.origin.id == fixture.document["uid"]?.string)
        #expect(message.header.origin.isForeign == (fixture.document["uid"]?.string != "emitter"))
        #expect(message.header.namespace == fixture.document["nsp"]?.string)
        #expect(message.header.request.map { NodeJSRequestID($0).text } == request)
        #expect(message.header.stamp == nil)
        #expect(message.header.target == nil)
    }

    /// Dates, NaN and -0 do not survive the default parser, since JSON has none of them; a session is no message.
    private static let lossy = ["plain-05-broadcast-values.0"]
    private static let sessions = NodeJSFixture.all.filter { $0.document["type"]?.int32 == 13 }.map(\.name)

    @Test(arguments: PacketFormat.allCases, [false, true])
    func `What was read is written again byte by byte, with both parsers`(parser: PacketFormat, recovers: Bool) throws {
        #expect(NodeJSFixture.all.count > 80)
        for fixture in NodeJSFixture.all where !Self.sessions.contains(fixture.name) {
            guard parser == .messagePack || !Self.lossy.contains(fixture.name) else { continue }
            let created = fixture.document["createdAt"]?.dateMilliseconds
            let format = NodeJSFixture.format(parser, recovers: recovers, addsCreatedAt: created != nil)
            let message = try NodeJSFixture.message(fixture.document, format)
            let documents = try format.encode(message, createdAt: created ?? 0)
            #expect(documents.count == 1)
            let written = try #require(documents.first)
            _ = try BSONDocument(validating: written.bytes)
            if fixture.document["type"]?.int32 == 8 {
                // The order of headers is not kept.
                #expect(written.count == fixture.document.count, "\(fixture.name)")
            } else {
                let expected = fixture.document["data"] == nil ? fixture.document : fixture.document.asOurs
                #expect(written.hex == expected.hex, "\(fixture.name)")
            }
        }
    }

    @Test
    func `Values arrive as JavaScript would send them on`() throws {
        let text = try NodeJSFixture.text(NodeJSFixture.named("plain-05-broadcast-values.0"))
        let expected = #"2["values",2147483647,2147483648,9007199254740991,0,null,1e+21,null,{"u":null},"1970-01-01T00:00:00.000Z",{},[]]"#
        #expect(text == expected)
    }

    @Test
    func `Binary becomes attachments`() throws {
        let document = try NodeJSFixture.named("plain-06-broadcast-binary.0")
        guard case .broadcast(let packet, _) = try NodeJSFixture.message(document).body else {
            Issue.record("no broadcast")
            return
        }
        #expect(!packet.encoded.attachments.isEmpty)
        #expect(String(buffer: packet.encoded.message).hasPrefix("5\(packet.encoded.attachments.count)-["))
    }

    @Test
    func `With recovery a packet has the id of its document as offset, unless it is volatile or wants an acknowledgement`() throws {
        let format = NodeJSFixture.format(recovers: true)
        let plain = try NodeJSFixture.named("csr-capped-52-offset.0")
        let id = try #require(plain["_id"]?.objectID?.hex)
        #expect(try NodeJSFixture.text(plain, format) == "2[\"init\",1,\"\(id)\"]")
        for name in ["csr-capped-51-socket-emit-ack.0", "csr-capped-51-socket-emit-ack.1"] {
            guard case .broadcast(let packet, _) = try NodeJSFixture.message(NodeJSFixture.named(name), format).body else {
                Issue.record("no broadcast")
                continue
            }
            #expect(packet.offset == nil)
            #expect(!String(buffer: packet.encoded.message).contains("6b017d"))
        }
    }

    @Test
    func `A document is read once`() throws {
        let format = NodeJSFixture.format()
        let document = try NodeJSFixture.named("plain-01-broadcast.0")
        var items: [DriverItem] = []
        for _ in 0..<3 { format.decode(document, for: "me", into: &items) }
        #expect(items.count == 1)
    }

    @Test
    func `Sockets of Node.js are described`() throws {
        let document = try NodeJSFixture.named("plain-18-fetch-sockets.1")
        guard case .fetchSocketsAnswer(let sockets, hasMore: false) = try NodeJSFixture.message(document).body else {
            Issue.record("no answer")
            return
        }
        let socket = try #require(sockets.first)
        #expect(socket.rooms.contains(socket.id))
        #expect(socket.handshake.headers["upgrade"] == "websocket")
        #expect(socket.handshake.query["EIO"] == "4")
        #expect(socket.handshake.issued == 1_795_259_686_084)
        #expect(socket.handshake.address == "127.0.0.1")
        #expect(JavaScriptDate.text(milliseconds: 1_795_259_686_084) == "Sat Nov 21 2026 11:14:46 GMT+0000 (Coordinated Universal Time)")
    }

    // MARK: Among nodes of this package

    private static func header(_ kind: ClusterMessageKind, request: ClusterRequestID?, target: NodeID? = nil) -> ClusterHeader {
        ClusterHeader(
            id: MessageID(seconds: 1, process: 2, counter: 3),
            kind: kind,
            namespace: "/",
            origin: NodeIdentity(id: "swift", epoch: 99),
            target: target,
            request: request
        )
    }

    @Test
    func `They answer each other in full; what only they understand is of a type that Node.js ignores`() throws {
        let format = NodeJSWireFormat(addsCreatedAt: false, life: 0xabc)
        let request = ClusterRequestID(high: 7, low: 8)
        let bodies: [(ClusterBody, ClusterRequestID?)] = [
            (.claimSession(pid: "p", offset: nil), request), (.sessionAnswer(nil), request), (.errorAnswer("no"), request),
            (.acknowledgementsEnd, request), (.acknowledgementCount(3), request), (.roomsAnswer(["a"]), request), (.draining, nil),
            (.leave, nil),
        ]
        for (body, request) in bodies {
            let header = Self.header(body.kind, request: request, target: "other")
            let document = try #require(try format.encode(ClusterMessage(header: header, body: body), createdAt: 0).first)
            #expect(document["type"]?.int32 == 64)
            #expect(document["uid"]?.string == "swift~0000000000000abc")
            var items: [DriverItem] = []
            NodeJSFixture.format().decode(document, for: "third", into: &items)
            #expect(items.isEmpty)
            guard case .message(let read, let payload) = try NodeJSFixture.item(document, for: "other") else {
                Issue.record("no message")
                continue
            }
            #expect(read.origin == NodeIdentity(id: "swift", epoch: 0xabc))
            #expect(read.request == request)
            #expect(try payload.body(for: read).kind == body.kind)
        }
    }

    @Test
    func `Rooms are asked for as sockets, of Node.js too`() throws {
        let format = NodeJSWireFormat(addsCreatedAt: false, life: 1)
        let request = ClusterRequestID(high: 7, low: 8)
        let header = Self.header(.rooms, request: request)
        let body = ClusterBody.rooms(BroadcastOptions(rooms: ["a"]))
        let document = try #require(try format.encode(ClusterMessage(header: header, body: body), createdAt: 0).first)
        #expect(document["type"]?.int32 == 7)
        let id = try #require(document["data"]?.document?["requestId"]?.string)
        #expect(try NodeJSFixture.message(document).body.kind == .rooms)
        let answer = try NodeJSFixture.named("plain-18-fetch-sockets.1").replacing("data") { data, copy in
            copy.append("data", (data.document ?? BSONDocument()).replacing("requestId") { _, copy in copy.append("requestId", id) })
        }
        let message = try NodeJSFixture.message(answer)
        #expect(message.header.request == request)
        guard case .roomsAnswer(let rooms) = message.body else {
            Issue.record("no rooms")
            return
        }
        #expect(!rooms.isEmpty)
    }

    @Test
    func `What a Node.js server asked and cannot be told is not written`() throws {
        let request = ClusterRequestID(high: 7, low: 0)
        for body in [ClusterBody.acknowledgementsEnd, .errorAnswer("no"), .sessionAnswer(nil), .roomsAnswer([])] {
            let message = ClusterMessage(header: Self.header(body.kind, request: request, target: "node-a"), body: body)
            #expect(try NodeJSFixture.format().encode(message, createdAt: 0).isEmpty)
        }
    }

    @Test
    func `The node's own documents are its own, those of another process with its name that one's`() throws {
        let format = NodeJSWireFormat(addsCreatedAt: false, life: 5)
        let message = ClusterMessage(header: Self.header(.heartbeat, request: nil), body: .heartbeat(ClusterHeartbeat(beat: 1)))
        let document = try #require(try format.encode(message, createdAt: 0).first)
        guard case .own(let id, let origin) = try NodeJSFixture.item(document, format, for: "swift") else {
            Issue.record("not its own")
            return
        }
        #expect(id == message.header.id)
        #expect(origin == NodeIdentity(id: "swift", epoch: 5))
    }

    // MARK: Hostile documents

    @Test(arguments: 0..<13)
    func `What no node writes is skipped`(index: Int) throws {
        let changes: [(String, (inout BSONWriter) -> Void)] = [
            ("_id", { $0.append("_id", "text") }),
            ("type", { $0.append("type", Int32(99)) }),
            ("type", { $0.append("type", "3") }),
            ("type", { $0.append("type", Int64.max) }),
            ("type", { $0.append("type", Int32(64)) }),
            ("uid", { _ in }),
            ("uid", { $0.append("uid", "") }),
            ("uid", { $0.append("uid", String(repeating: "u", count: 300)) }),
            ("nsp", { $0.append("nsp", Int32(1)) }),
            ("data", { _ in }),
            ("data", { $0.append("data", "text") }),
            ("data", { data in data.appendDocument("data") { $0.append("requestId", "xyz") } }),
            ("type", { $0.append("type", Int32(8)) }),
        ]
        let (field, write) = changes[index]
        let document = try NodeJSFixture.named("plain-01-broadcast.0").replacing(field) { _, copy in write(&copy) }
        guard case .skipped = try NodeJSFixture.item(document) else {
            Issue.record("it is not skipped: \(field) \(index)")
            return
        }
    }

    @Test(arguments: 0..<8)
    func `Content that cannot be read is refused when it is wanted`(index: Int) throws {
        let contents: [(inout BSONWriter) -> Void] = [
            { _ in },
            { $0.append("packet", "text") },
            { $0.appendDocument("packet") { $0.append("type", Int32(2)) } },
            { packet in packet.appendDocument("packet") { Self.packet(&$0, type: 3) { $0.append("a") } } },
            { packet in packet.appendDocument("packet") { Self.packet(&$0) { _ in } } },
            { packet in packet.appendDocument("packet") { Self.packet(&$0) { $0.append(true) } } },
            { packet in packet.appendDocument("packet") { Self.packet(&$0) { Self.nest(&$0, 70) } } },
            { packet in packet.appendDocument("packet") { Self.packet(&$0) { Self.nest(&$0, 5_000) } } },
        ]
        let document = try NodeJSFixture.named("plain-01-broadcast.0").replacing("data") { _, copy in
            copy.appendDocument("data") { data in
                contents[index](&data)
                data.append("opts", BSONDocument { $0.appendArray("rooms") { _ in } })
            }
        }
        guard case .message(let header, let payload) = try NodeJSFixture.item(document) else {
            Issue.record("no message")
            return
        }
        #expect(throws: ClusterError.self) { try payload.body(for: header) }
    }

    private static func packet(_ packet: inout BSONWriter, type: Int32 = 2, _ write: (inout BSONArrayWriter) -> Void) {
        packet.append("type", type)
        packet.appendArray("data") { array in write(&array) }
    }

    private static func nest(_ array: inout BSONArrayWriter, _ depth: Int) {
        array.append("name")
        var document = BSONDocument()
        for _ in 0..<depth {
            let inner = document
            document = BSONDocument { $0.append("a", inner) }
        }
        array.append(document)
    }
}
#endif
