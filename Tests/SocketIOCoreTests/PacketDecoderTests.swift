// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct PacketDecoderTests {
    private func decode(_ text: String) throws -> Packet? {
        var decoder = PacketDecoderStateMachine(format: .json)
        return try decoder.receive(text: ByteBuffer(string: text))
    }

    @Test func `events keep their arguments encoded`() throws {
        let packet = try #require(try decode("2/admin,17[\"say\", {\"a\":1} ,\"x\"]"))
        #expect(packet.namespace == "/admin")
        guard case .event("say", let arguments, 17) = packet.content else {
            Issue.record("\(packet)")
            return
        }
        #expect(arguments.count == 2)
        #expect(arguments[0].map { String(buffer: $0.bytes) } == "{\"a\":1}")
        #expect(try arguments.decode(String.self, at: 1) == "x")
        #expect(throws: DecodingError.self) { try arguments.decode(Int.self, at: 2) }
        #expect(try arguments.decode(Int?.self, at: 2) == nil)
    }

    @Test func `connect and disconnect`() throws {
        guard case .connect(nil) = try #require(try decode("0")).content else { throw PacketError(.illegalPayload) }
        guard case .connect(let auth?) = try #require(try decode("0/x,{\"token\":1}")).content else { throw PacketError(.illegalPayload) }
        #expect(try auth.decode([String: Int].self) == ["token": 1])
        #expect(try #require(try decode("1/x,")).namespace == "/x")
        #expect(try #require(try decode("1/x")).namespace == "/x")
    }

    @Test func `attachments are collected`() throws {
        var decoder = PacketDecoderStateMachine(format: .json)
        let header = "52-3[\"img\",{\"_placeholder\":true,\"num\":1},[{\"_placeholder\":true,\"num\":0}]]"
        #expect(try decoder.receive(text: ByteBuffer(string: header)) == nil)
        #expect(try decoder.receive(binary: ByteBuffer(bytes: [1])) == nil)
        let packet = try #require(try decoder.receive(binary: ByteBuffer(bytes: [2])))
        guard case .event("img", let arguments, 3) = packet.content else { throw PacketError(.illegalPayload) }
        #expect(try arguments.decode([UInt8].self, at: 0) == [2])
        #expect(try arguments.decode([ByteBuffer].self, at: 1) == [ByteBuffer(bytes: [1])])
        #expect(!decoder.isWaitingForAttachments)
    }

    @Test(arguments: [
        ("", PacketError.Code.unknownType), ("7", .unknownType), ("999", .unknownType), ("x", .unknownType),
        ("5", .illegalAttachments), ("51", .illegalAttachments), ("5a-", .illegalAttachments), ("51.23-", .illegalAttachments),
        ("511-[\"e\"]", .tooManyAttachments), ("52147483647-[\"e\"]", .tooManyAttachments),
        ("599999999999999999999-[]", .illegalAttachments),
        ("2", .illegalPayload), ("2[]", .illegalPayload), ("2{}", .illegalPayload), ("2[null]", .illegalPayload),
        ("2[true]", .illegalPayload),
        ("2[{\"toString\":\"x\"}]", .illegalPayload), ("2[\"connect\"]", .illegalPayload), ("2[\"disconnecting\",1]", .illegalPayload),
        ("2[\"newListener\"]", .illegalPayload), ("2[\"a\"", .illegalPayload), ("2[\"a\"]x", .illegalPayload),
        ("299999999999999999999[\"a\"]", .illegalID),
        ("3[]", .illegalID), ("31{}", .illegalPayload), ("0\"x\"", .illegalPayload), ("0[1]", .illegalPayload),
        ("0/admin,\"invalid\"", .illegalPayload),
    ])
    func `malformed packets are refused`(text: String, code: PacketError.Code) {
        #expect(throws: PacketError(code)) { try decode(text) }
    }

    @Test func `confused orders are refused`() throws {
        var decoder = PacketDecoderStateMachine(format: .json)
        #expect(throws: PacketError(.unexpectedBinary)) { try decoder.receive(binary: ByteBuffer(bytes: [1])) }
        _ = try decoder.receive(text: ByteBuffer(string: "51-[\"e\",{\"_placeholder\":true,\"num\":0}]"))
        #expect(throws: PacketError(.unexpectedText)) { try decoder.receive(text: ByteBuffer(string: "2[\"e\"]")) }
        var small = PacketDecoderStateMachine(format: .json, limits: .init(attachments: 10, bytes: 100))
        _ = try small.receive(text: ByteBuffer(string: "52-[\"e\"]"))
        _ = try small.receive(binary: ByteBuffer(repeating: 0, count: 50))
        #expect(throws: PacketError(.tooManyAttachments)) { try small.receive(binary: ByteBuffer(repeating: 0, count: 50)) }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "5" + String(repeating: "1", count: 1_000_000), "2/" + String(repeating: "a", count: 1_000_000),
            "2" + String(repeating: "9", count: 1_000_000),
        ]
    )
    func `huge headers are refused at once`(text: String) {
        #expect(throws: PacketError.self) { try decode(text) }
    }

    @Test func `a number may name an event`() throws {
        guard case .event("42", _, nil) = try #require(try decode("2[42,1]")).content else { throw PacketError(.illegalPayload) }
    }

    @Test(arguments: PacketFormat.allCases)
    func `what is encoded can be decoded`(format: PacketFormat) throws {
        let encoder = PacketEncoder(format: format)
        for namespace in ["/", "/a", "/ünï"] {
            for id: UInt64? in [nil, 0, 70_000] {
                let packet = try encoder.event("e", namespace: namespace, id: id) { writer in
                    try writer.append("text")
                    try writer.append(["k": ByteBuffer(bytes: [1, 2])])
                }
                let (decoded, arguments) = try event(packet, format)
                #expect(decoded.namespace == namespace)
                #expect(try arguments.decode([String: ByteBuffer].self, at: 1) == ["k": ByteBuffer(bytes: [1, 2])])
                guard case .event("e", _, id) = decoded.content else { throw PacketError(.illegalID) }
                guard id == nil else { continue }
                let numbered = try event(encoder.adding(acknowledgementID: 9, to: packet), format)
                guard case .event("e", let same, 9) = numbered.0.content else { throw PacketError(.illegalID) }
                #expect(try same.decode(String.self, at: 0) == "text")
            }
        }
    }

    private func event(_ packet: EncodedPacket, _ format: PacketFormat) throws -> (Packet, EventArguments) {
        var decoder = PacketDecoderStateMachine(format: format)
        var decoded = packet.isBinary ? try decoder.receive(binary: packet.message) : try decoder.receive(text: packet.message)
        for attachment in packet.attachments { decoded = try decoder.receive(binary: attachment) }
        let packet = try #require(decoded)
        guard case .event(_, let arguments, _) = packet.content else { throw PacketError(.illegalPayload) }
        return (packet, arguments)
    }

    @Test func `message pack is what the NPM package writes`() throws {
        let packet = try PacketEncoder(format: .messagePack).event("hi", namespace: "/", id: 1) { try $0.append(7) }
        let expected: [UInt8] =
            [0x84, 0xa4] + Array("type".utf8) + [2, 0xa3] + Array("nsp".utf8) + [0xa1, 0x2f, 0xa4] + Array("data".utf8)
            + [0x92, 0xa2, 0x68, 0x69, 7, 0xa2] + Array("id".utf8) + [1]
        #expect(Array(packet.message.readableBytesView) == expected)
    }

    @Test(
        arguments: [
            [0x80], [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 9], [0xdf, 0xff, 0xff, 0xff, 0xff], [0xc0], [], [0xdd, 0xff, 0xff, 0xff, 0xff],
        ] as [[UInt8]]
    )
    func `malformed MessagePack is refused`(bytes: [UInt8]) {
        var decoder = PacketDecoderStateMachine(format: .messagePack)
        #expect(throws: PacketError.self) { try decoder.receive(binary: ByteBuffer(bytes: bytes)) }
    }
}
