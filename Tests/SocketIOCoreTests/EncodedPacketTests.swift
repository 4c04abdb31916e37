// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct EncodedPacketTests {
    @Test(arguments: [0, 1, 124, 125, 126, 65_534, 65_535, 65_536])
    func `frames carry the length that follows`(_ size: Int) {
        let text = String(repeating: "a", count: size)
        let packet = EncodedPacket(message: ByteBuffer(string: text), isBinary: false)
        var frames = packet.frames
        #expect(frames.readInteger() == UInt8(0x81))
        let short = frames.readInteger(as: UInt8.self)
        let length =
            switch short {
            case 126: frames.readInteger(as: UInt16.self).map(Int.init)
            case 127: frames.readInteger(as: UInt64.self).map(Int.init)
            default: short.map(Int.init)
            }
        #expect(length == size + 1)
        #expect(String(buffer: frames) == "4" + text)
        #expect(String(buffer: packet.message) == text)
    }

    @Test func `attachments follow their packet in both transports`() {
        let packet = EncodedPacket(
            message: ByteBuffer(string: "51-[]"),
            isBinary: false,
            attachments: [ByteBuffer(bytes: [1, 2, 3, 4]), ByteBuffer()]
        )
        #expect(Array(packet.frames.readableBytesView) == [0x81, 6] + Array("451-[]".utf8) + [0x82, 4, 1, 2, 3, 4, 0x82, 0])
        var payload = ByteBuffer()
        packet.writePolling(to: &payload)
        #expect(String(buffer: payload) == "451-[]\u{1e}bAQIDBA==\u{1e}b")
        #expect(packet.pollingByteCount == payload.readableBytes)
        #expect(packet.messageCount == 3)
        #expect(packet.attachments == [ByteBuffer(bytes: [1, 2, 3, 4]), ByteBuffer()])
    }

    @Test func `the confirmation of a connection tells its ids`() throws {
        let encoder = PacketEncoder(format: .json)
        #expect(String(buffer: encoder.connect(namespace: "/", sid: "a").message) == #"0{"sid":"a"}"#)
        #expect(String(buffer: encoder.connect(namespace: "/b", sid: "a", pid: "c").message) == #"0/b,{"sid":"a","pid":"c"}"#)
        let strange = "\"\\\n\u{1}\u{2028}é"
        var decoder = PacketDecoderStateMachine(format: .json, limits: .init(attachments: 1, bytes: 1000))
        guard case .connect(let payload)? = try decoder.receive(text: encoder.connect(namespace: "/", sid: strange).message)?.content else {
            Issue.record("not a CONNECT packet")
            return
        }
        #expect(try payload?.decode([String: String].self) == ["sid": strange])
    }

    @Test func `base 64 round trips and refuses other bytes`() {
        for count in 0..<50 {
            let bytes = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) })
            var text = ByteBuffer()
            Base64.encode(bytes, into: &text)
            #expect(Base64.decode(text) == bytes)
        }
        for bad in ["A", "A===", "AB C", "AB=C", "====", "AAAAA", "é"] {
            #expect(Base64.decode(ByteBuffer(string: bad)) == nil, "\(bad)")
        }
        #expect(Base64.decode(ByteBuffer(string: "-_8")) == ByteBuffer(bytes: [0xfb, 0xff]))
    }
}
