// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOMessagePack
import SocketIOText
import Testing

@Suite("Native payload of cluster messages")
struct ClusterPayloadTests {
    private static let id = MessageID(seconds: 1, process: 2, counter: 3)

    private static func header(_ kind: ClusterMessageKind) -> ClusterHeader {
        ClusterHeader(id: id, kind: kind, namespace: "/", origin: NodeIdentity(id: "a", epoch: 1))
    }

    private static func options() -> BroadcastOptions {
        var options = BroadcastOptions(rooms: ["r", "s"], except: ["t"])
        options.flags.volatile = true
        options.flags.compress = false
        options.flags.expectSingleResponse = true
        options.flags.timeout = .milliseconds(1_500)
        return options
    }

    private static func bodies() throws -> [ClusterBody] {
        let json = EncodedPacket(
            message: ByteBuffer(string: #"51-["x",{"_placeholder":true,"num":0}]"#),
            isBinary: false,
            attachments: [
                ByteBuffer(bytes: [1, 2, 3])
            ]
        )
        let binary = EncodedPacket(message: ByteBuffer(bytes: [0x81, 0xa4]), isBinary: true)
        let arguments = try PacketEncoder(format: .json).arguments {
            try $0.append("name")
            try $0.append(ByteBuffer(bytes: [9]))
            try $0.append(3)
        }
        let packed = try PacketEncoder(format: .messagePack).arguments { try $0.append([1, 2]) }
        let data = EncodedObject.encode(["k": 1]) { _ in ByteBuffer(bytes: [7]) }
        let handshake = Handshake(
            headers: ["a": "b"],
            query: ["c": "d"],
            url: "/u",
            address: "::1",
            issued: 5,
            isCrossDomain: true,
            secure: true,
            auth: data
        )
        let socket = SocketDescription(id: "s", handshake: handshake, rooms: ["s", "r"], data: data)
        let stamp = NumberStamp(lane: 3, number: .max, void: [1...2, 5...9])
        let beat = ClusterHeartbeat(
            beat: 7,
            isDraining: true,
            positions: [.init(target: nil, stamp: stamp), .init(target: "x", stamp: stamp)]
        )
        let session = ClaimedSession(
            state: SessionState(id: "s", rooms: ["s"], data: data),
            missed: [BroadcastPacket(json, offset: id)],
            known: [id],
            positions: [.init(origin: NodeIdentity(id: "o", epoch: 4), number: 8)]
        )
        return [
            .broadcast(BroadcastPacket(json, offset: id), options()), .broadcastWithAck(BroadcastPacket(binary), BroadcastOptions()),
            .disconnectSockets(options(), closeConnection: true), .rooms(options()), .addSockets(options(), rooms: ["n"]),
            .removeSockets(options(), rooms: []), .fetchSockets(options()), .serverSideEmit(arguments),
            .serverSideEmitWithAck(packed, timeout: .seconds(2)), .claimSession(pid: "p", offset: id), .claimSession(pid: "p", offset: nil),
            .heartbeat(beat), .initialHeartbeat(beat), .draining, .leave, .acknowledgementCount(70_000), .acknowledgement(arguments),
            .acknowledgement(.empty(.json)), .acknowledgementsEnd, .roomsAnswer(["a"]), .fetchSocketsAnswer([socket], hasMore: true),
            .serverSideEmitAnswer(packed), .sessionAnswer(session), .sessionAnswer(nil), .errorAnswer("no"),
        ]
    }

    @Test
    func `Every body survives the way to another node`() throws {
        for body in try Self.bodies() {
            let bytes = try ClusterPayloadCoder.encode(body)
            let decoded = try ClusterPayloadCoder.decode(bytes, for: Self.header(body.kind))
            #expect(decoded.kind == body.kind)
            // Equal bodies have equal bytes, except for the order of sets and dictionaries, which have one element here at most.
            guard ![.fetchSocketsAnswer, .sessionAnswer].contains(body.kind) else { continue }
            #expect(try ClusterPayloadCoder.encode(decoded) == bytes, "\(body.kind)")
        }
    }

    @Test
    func `Packets and arguments are what they were`() throws {
        for body in try Self.bodies() {
            switch try ClusterPayloadCoder.decode(ClusterPayloadCoder.encode(body), for: Self.header(body.kind)) {
            case .broadcast(let packet, let options):
                #expect(String(buffer: packet.encoded.message) == #"51-["x",{"_placeholder":true,"num":0}]"#)
                #expect(packet.encoded.attachments == [ByteBuffer(bytes: [1, 2, 3])])
                #expect(packet.offset == Self.id)
                #expect(options == Self.options())
            case .serverSideEmit(let arguments):
                #expect(try arguments.decode(String.self, at: 0) == "name")
                #expect(try arguments.decode(ByteBuffer.self, at: 1) == ByteBuffer(bytes: [9]))
                #expect(try arguments.decode(Int.self, at: 2) == 3)
            case .serverSideEmitAnswer(let arguments): #expect(try arguments.decode([Int].self, at: 0) == [1, 2])
            case .fetchSocketsAnswer(let sockets, let hasMore):
                #expect(hasMore && sockets.first?.handshake.headers == ["a": "b"] && sockets.first?.rooms == ["s", "r"])
            case .sessionAnswer(let session?):
                #expect(session.known == [Self.id] && session.positions.first?.number == 8 && session.missed.count == 1)
            default: break
            }
        }
    }

    @Test
    func `Fields that a later version adds are ignored`() throws {
        var writer = MessagePackWriter()
        try writer.writeArrayHeader(count: 3)
        writer.write(42)
        writer.write(1)
        try writer.write("new")
        guard case .acknowledgementCount(42) = try ClusterPayloadCoder.decode(writer.buffer, for: Self.header(.acknowledgementCount)) else {
            Issue.record("not decoded")
            return
        }
    }

    /// A document of 16 MB has room for as many, which would take 300 MB.
    @Test func `millions of rooms are refused before anything is allocated for them`() {
        for (kind, isSelection) in [
            (ClusterMessageKind.addSockets, false), (.removeSockets, false), (.addSockets, true), (.disconnectSockets, true),
        ] {
            var bytes = ByteBuffer(bytes: isSelection ? [0x92, 0x94] : [0x92, 0x94, 0x90, 0x90, 0x00, 0xc0])
            bytes.writeBytes([0xdd, 0x00, 0x1e, 0x84, 0x80])
            bytes.writeRepeatingByte(0xa0, count: 2_000_000)
            if isSelection { bytes.writeBytes([0x90, 0x00, 0xc0, kind == .disconnectSockets ? 0xc3 : 0x90]) }
            #expect {
                try ClusterPayloadCoder.decode(bytes, for: Self.header(kind))
            } throws: { "\($0)".contains("2000000 entries instead of at most 1000000") }
        }
    }

    @Test(arguments: ClusterMessageKind.allCases)
    func `Every truncation is refused`(_ kind: ClusterMessageKind) throws {
        for body in try Self.bodies() where body.kind == kind {
            let bytes = try ClusterPayloadCoder.encode(body)
            for length in 0..<bytes.readableBytes {
                let part = try #require(bytes.getSlice(at: bytes.readerIndex, length: length))
                #expect(throws: ClusterError.self) { try ClusterPayloadCoder.decode(part, for: Self.header(kind)) }
            }
        }
    }

    @Test(arguments: ClusterMessageKind.allCases)
    func `Changed bytes are decoded or refused, and nothing else happens`(_ kind: ClusterMessageKind) throws {
        for body in try Self.bodies() {
            let bytes = try ClusterPayloadCoder.encode(body)
            for index in 0..<min(bytes.readableBytes, 160) {
                for value: UInt8 in [0x00, 0x7f, 0x90, 0xc0, 0xc6, 0xdd, 0xdf, 0xff] {
                    var changed = bytes
                    changed.setInteger(value, at: changed.readerIndex + index)
                    // Also as another kind than it was.
                    _ = try? ClusterPayloadCoder.decode(changed, for: Self.header(kind))
                }
            }
        }
    }

    @Test
    func `Declared lengths beyond the payload are refused before anything is allocated`() {
        for prefix: [UInt8] in [
            [0xdd, 0xff, 0xff, 0xff, 0xff], [0x91, 0xdd, 0x7f, 0xff, 0xff, 0xff], [0x92, 0x94, 0xdd, 0xff, 0xff, 0xff, 0xff],
        ] {
            for kind in ClusterMessageKind.allCases {
                #expect(throws: ClusterError.self) { try ClusterPayloadCoder.decode(ByteBuffer(bytes: prefix), for: Self.header(kind)) }
            }
        }
    }

    @Test
    func `Times are rounded up and never overflow`() {
        #expect(Duration.microseconds(1).wholeMilliseconds == 1)
        #expect(Duration.milliseconds(1_500).wholeMilliseconds == 1_500)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
    }
}
