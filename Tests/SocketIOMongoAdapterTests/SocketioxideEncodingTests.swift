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

@Suite("Wire format of socketioxide: what this package writes")
struct SocketioxideEncodingTests {
    static let format = SocketioxideWireFormat(hasDates: true)

    /// The one document of a message.
    private func document(_ body: ClusterBody, namespace: String = "/") throws -> BSONDocument {
        let documents = try Self.format.encode(message(body, namespace: namespace), createdAt: 5)
        #expect(documents.count == 1)
        return try BSONDocument(validating: try #require(documents.last).bytes)
    }

    static let node = "JwHwE7LsRm-G3Ana"
    static let socket = "sUiw4kZmEZAfZxST"

    private func message(_ body: ClusterBody, namespace: String = "/", target: NodeID? = nil) -> ClusterMessage {
        let header = ClusterHeader(
            id: MessageID(seconds: 1_700_000_000, process: 0xab_cdef_0123, counter: 0x45_6789),
            kind: body.kind,
            namespace: namespace,
            origin: NodeIdentity(id: Self.node, epoch: 17),
            target: target,
            request: body.kind.isRequest || body.kind.isAnswer
                ? ClusterRequestID(high: 0xfedc_ba98_7654_3210, low: 0x0123_4567 << 32) : nil,
            stamp: NumberStamp(lane: 0, number: 7)
        )
        return ClusterMessage(header: header, body: body)
    }

    /// What another node makes of it.
    private func sent(_ body: ClusterBody, namespace: String = "/") throws -> ClusterMessage {
        let checked = try document(body, namespace: namespace)
        guard case .message(let header, let payload) = SocketioxideWireFormat.item(of: checked, for: "AAAAAAAAAAAAAAAA") else {
            throw ClusterError(.malformed, "not a message")
        }
        return ClusterMessage(header: header, body: try payload.body(for: header))
    }

    private func packet(_ format: PacketFormat, namespace: String = "/", offset: MessageID? = nil) throws -> BroadcastPacket {
        let encoded = try PacketEncoder(format: format).event("news", namespace: namespace) { writer in
            try writer.append("größer")
            try writer.append([UInt8]([0, 127, 128, 255]))
            if let offset { try writer.append(offset.description) }
        }
        return BroadcastPacket(encoded, offset: offset)
    }

    @Test(arguments: PacketFormat.allCases, ["/", "/chat", "/a[b"])
    func `A packet arrives as it left, in any namespace, with both parsers`(format: PacketFormat, namespace: String) throws {
        let packet = try packet(format, namespace: namespace)
        let copy = try sent(.broadcast(packet, BroadcastOptions(rooms: ["a"])), namespace: namespace)
        guard case .broadcast(let arrived, let options) = copy.body else {
            Issue.record("no broadcast")
            return
        }
        #expect(arrived.encoded.frames == packet.encoded.frames)
        #expect(options == BroadcastOptions(rooms: ["a"]))
        #expect(copy.header.namespace == namespace)
    }

    @Test(arguments: PacketFormat.allCases)
    func `Clients of other nodes get no offset`(format: PacketFormat) throws {
        let offset = MessageID(seconds: 1, process: 2, counter: 3)
        guard case .broadcast(let arrived, _) = try sent(.broadcast(try packet(format, offset: offset), BroadcastOptions())).body else {
            Issue.record("no broadcast")
            return
        }
        #expect(arrived.encoded.frames == (try packet(format)).encoded.frames)
    }

    @Test
    func `Ids of requests survive, and have the length that the decoder of the others wants`() throws {
        let document = try document(.rooms(BroadcastOptions()))
        let payload = try #require(document["data"]?.bytesOfIntegers)
        #expect(payload.getString(at: 19, length: 16) == "_ty6mHZUMhABI0Vn")
        #expect(
            try sent(.rooms(BroadcastOptions())).header.request == ClusterRequestID(high: 0xfedc_ba98_7654_3210, low: 0x0123_4567 << 32)
        )
        #expect(SocketioxideWireFormat.requestID("_ty6mHZUMhABI0V") == nil)
        #expect(SocketioxideWireFormat.requestID("_ty6mHZUMhABI0V=") == nil)
    }

    @Test
    func `One socket of a known node is named as a socket, since it is in no room of its own there`() throws {
        let options = BroadcastOptions(rooms: [Self.socket], node: "-KHViGbhMKN-aZXt")
        let document = try document(.disconnectSockets(options, closeConnection: false))
        let payload = try #require(document["data"]?.bytesOfIntegers)
        #expect(
            payload.readableBytesView.suffix(38).elementsEqual(
                [0x95, 0, 0x90, 0x90, 0xb0] + Self.socket.utf8 + [0xb0] + options.node!.utf8
            )
        )
    }

    @Test
    func `An exception that may be a socket or a room is both; one that is the sender is a socket`() throws {
        guard case .rooms(let options) = try sent(.rooms(BroadcastOptions(except: ["r", "my-favorite-room"]))).body else {
            Issue.record("no request")
            return
        }
        #expect(options.except == ["r", "my-favorite-room", "my-favorite-room"])
        var broadcast = BroadcastOptions(rooms: ["r1"], except: [Self.socket, "r3"])
        broadcast.sender = Self.socket
        guard case .rooms(let second) = try sent(.rooms(broadcast)).body else {
            Issue.record("no request")
            return
        }
        #expect(second.except == ["r3", Self.socket])
    }

    @Test
    func `Nothing is selected if the others select nothing`() throws {
        var document = try document(.rooms(BroadcastOptions()))
        var payload = try #require(document["data"]?.bytesOfIntegers)
        // Flags, in front of two empty arrays and two nils.
        payload.setInteger(UInt8(0), at: payload.writerIndex - 5)
        document = try NativeWireFormatTests.change(document, "data") { $0.append("data", integersOf: payload) }
        guard case .message(let header, let body) = SocketioxideWireFormat.item(of: document, for: "AAAAAAAAAAAAAAAA"),
            case .rooms(let options) = try body.body(for: header)
        else {
            Issue.record("no request")
            return
        }
        #expect(options.rooms.count == 1)
        #expect(options.rooms.first?.utf8.allSatisfy { $0 == 0 } == true)
    }

    @Test
    func Answers() throws {
        var arguments = try PacketEncoder(format: .json).arguments { try $0.append(7) }
        arguments.client = Self.socket
        guard case .acknowledgement(let arrived) = try sent(.acknowledgement(arguments)).body else {
            Issue.record("no answer")
            return
        }
        #expect(arrived.client == Self.socket)
        #expect(try arrived.decode(Int.self, at: 0) == 7)
        #expect(try sent(.acknowledgementCount(3)).body.kind == .acknowledgementCount)
        #expect(try sent(.roomsAnswer(["a", "b"])).body.kind == .roomsAnswer)
    }

    @Test
    func `Clients that did not answer are told, with the node's own id, and end its part`() throws {
        let format = SocketioxideWireFormat(hasDates: true)
        var items: [DriverItem] = []
        for (index, body) in [ClusterBody.acknowledgementCount(3), .acknowledgementsEnd].enumerated() {
            var message = message(body)
            message.header.id = MessageID(seconds: 1, process: 1, counter: UInt64(index))
            for document in try Self.format.encode(message, createdAt: 0) { format.decode(document, for: "AAAAAAAAAAAAAAAA", into: &items) }
        }
        guard items.count == 2, case .message(let header, _) = items[1] else {
            Issue.record("\(items)")
            return
        }
        #expect(header.kind == .acknowledgementsEnd)
    }

    @Test
    func `What somebody would miss is refused, what nobody would is not written`() throws {
        let arguments = try PacketEncoder(format: .json).arguments { try $0.append("event") }
        let refused: [ClusterBody] = [
            .serverSideEmit(arguments), .serverSideEmitWithAck(arguments, timeout: .seconds(1)), .claimSession(pid: "p", offset: nil),
        ]
        for body in refused {
            #expect { try Self.format.encode(message(body), createdAt: 0) } throws: { ($0 as? ClusterError)?.code == .unsupported }
        }
        for body in [ClusterBody.leave, .draining, .errorAnswer("x")] {
            #expect(try Self.format.encode(message(body), createdAt: 0).isEmpty)
            #expect(Self.format.traits.unwrittenKinds.contains(body.kind))
        }
    }

    // MARK: Hostile documents

    @Test(arguments: 0..<9)
    func `Values that no node writes are told`(index: Int) throws {
        let packet = try packet(.json)
        let document = try document(.broadcast(packet, BroadcastOptions()))
        let payload = try #require(document["data"]?.bytesOfIntegers)
        let changes: [(String, (inout BSONWriter) -> Void)] = [
            ("_id", { $0.append("_id", "text") }),
            ("t", { $0.append("t", "Other") }),
            ("ns", { $0.append("ns", Int32(1)) }),
            ("origin", { $0.append("origin", "short") }),
            ("origin", { $0.append("origin", "sUiw4kZmEZAfZxS!") }),
            ("origin", { _ in }),
            ("data", { $0.append("data", binary: payload) }),
            ("data", { writer in writer.appendArray("data") { array in array.append(Int32(256)) } }),
            ("data", { $0.append("data", integersOf: payload.getSlice(at: 0, length: 20) ?? payload) }),
        ]
        let changed = try NativeWireFormatTests.change(document, changes[index].0, changes[index].1)
        guard case .skipped = SocketioxideWireFormat.item(of: changed, for: "AAAAAAAAAAAAAAAA") else {
            Issue.record("not skipped")
            return
        }
    }

    @Test
    func `Payloads of 64-bit integers are read`() throws {
        let document = try document(.roomsAnswer(["a"]))
        let payload = try #require(document["data"]?.bytesOfIntegers)
        let wide = try NativeWireFormatTests.change(document, "data") { writer in
            writer.appendArray("data") { array in
                for byte in payload.readableBytesView { array.append(Int64(byte)) }
            }
        }
        guard case .message = SocketioxideWireFormat.item(of: wide, for: "AAAAAAAAAAAAAAAA") else {
            Issue.record("not read")
            return
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Payloads that end early or have a byte changed never trap, wherever that is`() throws {
        for fixture in SocketioxideFixture.all {
            let payload = try #require(fixture.document["data"]?.bytesOfIntegers)
            for index in 0..<payload.readableBytes {
                var damaged = payload
                damaged.setInteger(UInt8(truncatingIfNeeded: index &* 37 &+ 0x9d), at: index)
                for bytes in [damaged, payload.getSlice(at: 0, length: index) ?? payload] {
                    let document = try NativeWireFormatTests.change(fixture.document, "data") { $0.append("data", integersOf: bytes) }
                    guard case .message(let header, let body) = SocketioxideWireFormat.item(of: document, for: "AAAAAAAAAAAAAAAA") else {
                        continue
                    }
                    guard let body = try? body.body(for: header) else { continue }
                    #expect(body.kind == header.kind)
                }
            }
        }
    }
}
#endif
