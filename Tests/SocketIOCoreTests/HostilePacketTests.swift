// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOMessagePack
import SocketIOText
import Testing

@testable import SocketIOCore

/// Packets that no encoder writes: from clients, and from writers to the backend of a cluster.
@Suite("Hostile packets")
struct HostilePacketTests {
    private func packet(_ bytes: [UInt8]) -> EncodedPacket { EncodedPacket(message: ByteBuffer(bytes: bytes), isBinary: true) }

    private func packet(_ text: String, _ attachments: [ByteBuffer] = []) -> EncodedPacket {
        EncodedPacket(message: ByteBuffer(string: text), isBinary: false, attachments: attachments)
    }

    /// The map of an event with any number of further fields.
    private func event(fields: Int, type: Int = 2, namespace: String = "/", name: MessagePackValue = "e") throws -> [UInt8] {
        var pairs: [MessagePackValue.Pair] = [
            .init("type", .int(Int64(type))), .init("nsp", .string(namespace)), .init("data", .array([name, 1])),
        ]
        for number in 3..<max(3, fields) { pairs.append(.init(.string("x\(number)"), .null)) }
        return Array(try MessagePackValue.map(pairs).encoded().readableBytesView)
    }

    // MARK: Acknowledgement ids

    @Test(arguments: UInt8.min...UInt8.max)
    func `an acknowledgement id can be added to whatever begins with any byte`(first: UInt8) throws {
        let encoder = PacketEncoder(format: .messagePack)
        let sound = try event(fields: 3)
        let all: [[UInt8]] = [[first], [first] + Array(sound.dropFirst()), [first, 0xff, 0xff, 0xff, 0xff]]
        for bytes in all {
            let numbered = encoder.adding(acknowledgementID: 7, to: packet(bytes))
            // What is not a map is left as it is.
            guard first & 0xf0 == 0x80 else { continue }
            #expect(numbered.message.readableBytesView.first ?? 0 >= 0x80)
        }
        _ = PacketEncoder(format: .json).adding(
            acknowledgementID: 7,
            to: EncodedPacket(message: ByteBuffer(bytes: [first]), isBinary: false)
        )
    }

    @Test(arguments: [3, 14, 15])
    func `an acknowledgement id fits behind any number of fields`(fields: Int) throws {
        let encoder = PacketEncoder(format: .messagePack)
        let numbered = encoder.adding(acknowledgementID: 300, to: packet(try event(fields: fields)))
        var decoder = PacketDecoderStateMachine(format: .messagePack)
        guard case .event("e", let arguments, 300)? = try decoder.receive(binary: numbered.message)?.content else {
            throw PacketError(.illegalID)
        }
        #expect(try arguments.decode(Int.self, at: 0) == 1)
    }

    @Test
    func `text that other clients cannot read is not passed on`() throws {
        let sound = try event(fields: 3)
        for broken in [[0xa1, 0xff], [0x91, 0xa2, 0xc0, 0xaf], [0x81, 0xa1, 0x80, 1]] as [[UInt8]] {
            // In place of the event's argument, which is the last byte.
            var decoder = PacketDecoderStateMachine(format: .messagePack)
            #expect { try decoder.receive(binary: ByteBuffer(bytes: sound.dropLast() + broken)) } throws: {
                ($0 as? PacketError)?.code == .illegalPayload
            }
        }
    }

    @Test func `an acknowledgement id is not added to nothing`() {
        for format in PacketFormat.allCases {
            let empty = EncodedPacket(message: ByteBuffer(), isBinary: format == .messagePack)
            _ = PacketEncoder(format: format).adding(acknowledgementID: 1, to: empty)
        }
    }

    // MARK: Packets of other processes

    @Test func `an event can be given to the clients of its parser and namespace`() throws {
        for format in PacketFormat.allCases {
            for namespace in ["/", "/a"] {
                let packet = try PacketEncoder(format: format).event("e", namespace: namespace) { writer in
                    try writer.append(["k": ByteBuffer(bytes: [1])])
                    try writer.append(1)
                }
                #expect(packet.isEvent(for: format, in: namespace))
                #expect(!packet.isEvent(for: format, in: "/b"))
                #expect(!packet.isEvent(for: format == .json ? .messagePack : .json, in: namespace))
            }
        }
    }

    @Test(arguments: [
        "", "2", "2[]", "2[", "2[1.5", "2{}", "2[null]", #"0{"sid":"x"}"#, "1", #"4{"message":"x"}"#, #"3["e"]"#, #"3[1]"#, #"27["e"]"#,
        #"2["disconnect"]"#, #"2["connect_error",1]"#, #"2/b,["e"]"#, #"51-["e",{"_placeholder":true,"num":0}]"#, #"61-[1]"#, "5",
        "9[\"e\"]", "\u{1e}2[\"e\"]", "2[\"e\"]\u{1e}",
    ])
    func `a text that is no event is not for clients`(text: String) { #expect(!packet(text).isEvent(for: .json, in: "/")) }

    @Test func `attachments must be there, each for one placeholder`() {
        let one = ByteBuffer(bytes: [1])
        #expect(packet(#"51-["e",{"_placeholder":true,"num":0}]"#, [one]).isEvent(for: .json, in: "/"))
        #expect(!packet(#"51-["e",{"_placeholder":true,"num":0}]"#, [one, one]).isEvent(for: .json, in: "/"))
        #expect(!packet(#"51-["e",{"_placeholder":true,"num":1}]"#, [one]).isEvent(for: .json, in: "/"))
        #expect(!packet(#"51-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#, [one]).isEvent(for: .json, in: "/"))
        #expect(!packet(#"2["e"]"#, [one]).isEvent(for: .json, in: "/"))
    }

    @Test func `MessagePack that is no event is not for clients`() throws {
        #expect(packet(try event(fields: 3)).isEvent(for: .messagePack, in: "/"))
        var hostile: [[UInt8]] = [[], [0xff], [0x80], [0xc1], [0xdf, 0xff, 0xff, 0xff, 0xff], [0x90]]
        hostile += [try event(fields: 3, type: 0), try event(fields: 3, type: 3), try event(fields: 3, type: 255)]
        hostile += [try event(fields: 3, namespace: "/b"), try event(fields: 3, name: .null), try event(fields: 3, name: "disconnect")]
        hostile += [try event(fields: 17), try event(fields: 3) + [0xc0], try event(fields: 3).dropLast()]
        let numbered = PacketEncoder(format: .messagePack).adding(acknowledgementID: 1, to: packet(try event(fields: 3)))
        hostile.append(Array(numbered.message.readableBytesView))
        for bytes in hostile { #expect(!packet(bytes).isEvent(for: .messagePack, in: "/"), "\(bytes)") }
    }

    // MARK: The number of values

    private func receive(_ bytes: ByteBuffer, _ format: PacketFormat, _ values: Int) throws -> Packet? {
        var decoder = PacketDecoderStateMachine(format: format, limits: .init(values: values))
        return format == .json ? try decoder.receive(text: bytes) : try decoder.receive(binary: bytes)
    }

    @Test(arguments: PacketFormat.allCases)
    func `values are counted at all depths, keys with them`(format: PacketFormat) throws {
        let value: SocketIOValue = [["k": [1, nil]], "text"]
        let packet = try PacketEncoder(format: format).event("e", namespace: "/") { try $0.append(value) }.message
        // The array of arguments, the name, two arrays, an object, a key and three scalars.
        #expect(try !receive(packet, format, 9).isNone)
        #expect(throws: PacketError(.tooManyValues)) { try receive(packet, format, 8) }
        let acknowledgement = try PacketEncoder(format: format).acknowledgement(1, namespace: "/") { try $0.append(value) }.message
        #expect(try !receive(acknowledgement, format, 8).isNone)
        #expect(throws: PacketError(.tooManyValues)) { try receive(acknowledgement, format, 7) }
    }

    @Test(arguments: [SocketIOValue.object([:]), .array([]), 0, nil])
    func `a megabyte of small values is refused`(value: SocketIOValue) throws {
        for format in PacketFormat.allCases {
            let packet = try PacketEncoder(format: format).event("e", namespace: "/") { writer in
                try writer.append(Array(repeating: value, count: 200_000))
            }
            #expect(throws: PacketError(.tooManyValues)) {
                try receive(packet.message, format, PacketDecoderStateMachine.Limits().values)
            }
        }
    }

    @Test func `a binary packet has the same limit`() throws {
        var decoder = PacketDecoderStateMachine(format: .json, limits: .init(values: 4))
        #expect(throws: PacketError(.tooManyValues)) {
            try decoder.receive(text: ByteBuffer(string: #"51-["e",{"_placeholder":true,"num":0}]"#))
        }
    }

    @Test func `a packet has few fields`() throws {
        var map = MessagePackWriter()
        try map.writeMapHeader(count: 300_000)
        for _ in 0..<300_000 {
            try map.write("a")
            try map.writeMapHeader(count: 0)
        }
        #expect(throws: PacketError(.tooManyValues)) { try receive(map.buffer, .messagePack, .max) }
    }

    @Test func `one attachment cannot be named twice`() throws {
        var decoder = PacketDecoderStateMachine(format: .json)
        let twice = #"51-["e",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":0}]]"#
        #expect(try decoder.receive(text: ByteBuffer(string: twice)).isNone)
        #expect(throws: PacketError(.illegalAttachments)) { try decoder.receive(binary: ByteBuffer(bytes: [1])) }
        let array = ByteBuffer(string: #"[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#)
        #expect(throws: PacketError(.illegalPayload)) {
            try EventArguments(array: array, format: .json, attachments: [ByteBuffer(bytes: [1])])
        }
    }
}

extension Optional {
    fileprivate var isNone: Bool { if case .none = self { true } else { false } }
}
