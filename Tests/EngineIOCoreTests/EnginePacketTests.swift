// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct EnginePacketTests {
    @Test(arguments: [
        ("0", EnginePacket.open), ("1", .close), ("2", .ping(isProbe: false)), ("2probe", .ping(isProbe: true)),
        ("2prob", .ping(isProbe: false)), ("3", .pong(isProbe: false)), ("3probe", .pong(isProbe: true)), ("4", .text(ByteBuffer())),
        ("4hello", .text(ByteBuffer(string: "hello"))), ("b", .binary(ByteBuffer())),
        ("bAQIDBA==", .binary(ByteBuffer(bytes: [1, 2, 3, 4]))),
        ("5", .upgrade), ("6", .noop),
    ])
    func `known packets are read`(text: String, packet: EnginePacket) {
        #expect(EnginePacket.decode(ByteBuffer(string: text)) == packet)
    }

    @Test(arguments: ["", "7", "abc", "b!", "bAAAAA", "\u{1e}", "é", " 4a"])
    func `anything else is no packet`(text: String) {
        #expect(EnginePacket.decode(ByteBuffer(string: text)) == nil)
    }

    private func decode(_ payload: String, maximum: Int = 100) -> [EnginePayloadDecoder.Element] {
        var decoder = EnginePayloadDecoder(ByteBuffer(string: payload), maximumPackets: maximum)
        var result: [EnginePayloadDecoder.Element] = []
        while let element = decoder.next() { result.append(element) }
        return result
    }

    @Test func `payloads are split at separators`() {
        let one = EnginePacket.text(ByteBuffer(string: "a"))
        #expect(decode("4a") == [.packet(one)])
        #expect(decode("4a\u{1e}2\u{1e}bAQ==") == [.packet(one), .packet(.ping(isProbe: false)), .packet(.binary(ByteBuffer(bytes: [1])))])
        #expect(decode("4a\u{1e}4") == [.packet(one), .packet(.text(ByteBuffer()))])
    }

    @Test(arguments: ["", "\u{1e}", "4a\u{1e}", "4a\u{1e}\u{1e}4b", "4a\u{1e}x\u{1e}4b"])
    func `nothing follows what cannot be parsed`(payload: String) {
        let elements = decode(payload)
        #expect(elements.last == .invalid)
        #expect(elements.filter { $0 == .invalid }.count == 1)
    }

    @Test func `more packets than allowed are invalid`() {
        let payload = Array(repeating: "4a", count: 5).joined(separator: "\u{1e}")
        #expect(decode(payload, maximum: 5).count == 5 && !decode(payload, maximum: 5).contains(.invalid))
        #expect(decode(payload, maximum: 4).last == .invalid)
    }

    @Test func `a payload of many separators is read in one pass`() {
        // A quadratic decoder takes minutes here.
        let payload = ByteBuffer(repeating: 0x1e, count: 1_000_000)
        var decoder = EnginePayloadDecoder(payload, maximumPackets: .max)
        #expect(decoder.next() == .invalid)
        var long = ByteBuffer(string: String(repeating: "4\u{1e}", count: 500_000) + "4")
        var count = 0
        decoder = EnginePayloadDecoder(long, maximumPackets: .max)
        while case .packet = decoder.next() { count += 1 }
        #expect(count == 500_001)
        long.clear()
    }

    @Test func `only well formed UTF 8 is accepted`() {
        #expect(ByteBuffer(string: "4é𝕊").isValidUTF8 && ByteBuffer().isValidUTF8)
        for bad: [UInt8] in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc0, 0x80]] {
            #expect(!ByteBuffer(bytes: bad).isValidUTF8)
        }
    }
}
