// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOMessagePack
import Testing

@testable import SocketIOCore

/// The bytes of an argument, whatever it is.
@Suite struct EncodedValueDataTests {
    private static func json(_ text: String, _ attachments: [ByteBuffer] = []) -> EncodedValue {
        EncodedValue(format: .json, bytes: ByteBuffer(string: text), attachments: attachments)
    }

    private static func packed(_ value: some Encodable) throws -> EncodedValue {
        EncodedValue(format: .messagePack, bytes: try MessagePackEncoder().encode(value))
    }

    @Test func `a string is its UTF-8`() throws {
        #expect(Self.json(#""plain""#).data == Data("plain".utf8))
        #expect(Self.json(#""a\"b\u00e9\ud83d\ude00\n""#).data == Data("a\"bé😀\n".utf8))
        #expect(Self.json(#""""#).data.isEmpty)
        #expect(try Self.packed("é😀").data == Data("é😀".utf8))
        let marks = String(repeating: "\u{301}", count: 1_000)
        #expect(Self.json("\"\(marks)\"").data == Data(marks.utf8))
    }

    @Test func `a binary value is its bytes`() throws {
        let bytes = ByteBuffer(bytes: [0, 1, 255])
        #expect(Self.json(#"{"_placeholder":true,"num":0}"#, [bytes]).data == Data([0, 1, 255]))
        #expect(Self.json(#"{"_placeholder":true,"num":1}"#, [ByteBuffer(), bytes]).data == Data([0, 1, 255]))
        #expect(try Self.packed(Data([0, 1, 255])).data == Data([0, 1, 255]))
    }

    @Test(arguments: ["null", "true", "1.50", "-1e3", #"[1, "a"]"#, #"{"a" : [1]}"#, #"{"_placeholder":true,"num":0}"#])
    func `any other value is its JSON text, as it was sent`(text: String) {
        #expect(Self.json(text).data == Data(text.utf8))
    }

    @Test func `MessagePack that JSON can express is its JSON text`() throws {
        #expect(try Self.packed(["a": [1, 2]]).data == Data(#"{"a":[1,2]}"#.utf8))
        #expect(try Self.packed(true).data == Data("true".utf8))
        #expect(try Self.packed(1.5).data == Data("1.5".utf8))
    }

    @Test(arguments: [PacketFormat.json, .messagePack], [[], [0x22, 0x61], [0xc1], [0xd9], [0x92, 1], [0x7b, 0x22]] as [[UInt8]])
    func `bytes that are not a value are returned as they are`(format: PacketFormat, bytes: [UInt8]) {
        #expect(EncodedValue(format: format, bytes: ByteBuffer(bytes: bytes)).data == Data(bytes))
    }
}
