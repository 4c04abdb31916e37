// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOCore
import SocketIOMessagePack
import SocketIOText
import Testing

@Suite("SocketIOValue")
struct SocketIOValueTests {
    static let value: SocketIOValue = [
        "null": nil, "yes": true, "int": -5, "big": 9_007_199_254_740_993, "double": 1.5, "text": "é\n", "list": [1, [2, "x"], []],
        "blob": .binary(ByteBuffer(bytes: [1, 2, 3])), "empty": [:], "__proto__": "key",
    ]

    @Test
    func `goes through the JSON coders and back`() throws {
        let (json, attachments) = try JSONCoding.encode(Self.value)
        #expect(attachments == [ByteBuffer(bytes: [1, 2, 3])])
        #expect(try JSONCoding.decode(SocketIOValue.self, json, attachments) == Self.value)
        #expect(try JSONCoding.decode([SocketIOValue].self, "[\(json)]", attachments) == [Self.value])
    }

    @Test
    func `goes through the MessagePack coders and back`() throws {
        let bytes = try MessagePackEncoder().encode(Self.value)
        #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: bytes) == Self.value)
        #expect(try MessagePackValue(decoding: bytes)["blob"] == .binary(ByteBuffer(bytes: [1, 2, 3])))
    }

    @Test(
        arguments: [
            (.max, "18446744073709551615"), (1 << 63, "9223372036854775808"), ((1 << 63) - 1, "9223372036854775807"), (0, "0"),
        ] as [(UInt64, String)]
    )
    func `every integer of 64 bits survives`(number: UInt64, text: String) throws {
        let value = SocketIOValue(number)
        #expect(value == (number > UInt64(Int64.max) ? .uint(number) : .int(Int64(number))))
        // JSON
        let json = try JSONCoding.encode([value]).json
        #expect(json == "[\(text)]")
        #expect(try JSONCoding.decode([SocketIOValue].self, json) == [value])
        #expect(try JSONCoding.decode([UInt64].self, json) == [number])
        #expect(try JSONCoding.decode(SocketIOValue.self, JSONCoding.encode(number).json) == value)
        // MessagePack
        let bytes = try MessagePackEncoder().encode([value])
        #expect(try MessagePackDecoder().decode([SocketIOValue].self, from: bytes) == [value])
        #expect(try MessagePackDecoder().decode([UInt64].self, from: bytes) == [number])
        #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: MessagePackEncoder().encode(number)) == value)
        // Any other coder
        #expect(try JSONDecoder().decode(SocketIOValue.self, from: JSONEncoder().encode(value)) == value)
        // A BigInt of JavaScript's MessagePack
        let bigInt = ByteBuffer(bytes: [0xc7, UInt8(text.utf8.count), 1] + Array(text.utf8))
        #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: bigInt) == value)
        #expect(try MessagePackDecoder().decode(UInt64.self, from: bigInt) == number)
        #expect(try MessagePackDecoder().decode([UInt64].self, from: ByteBuffer(bytes: [0x91] + bigInt.readableBytesView)) == [number])
    }

    @Test func `numbers that are equal are equal whatever they are made of`() {
        #expect(SocketIOValue.uint(5) == .int(5) && SocketIOValue.int(5) == .uint(5))
        #expect(Set<SocketIOValue>([.uint(5), .int(5)]).count == 1)
        #expect(SocketIOValue.uint(.max) != .int(-1))
    }

    @Test
    func `goes through any other coder, but for binary`() throws {
        var value = Self.value
        guard case .object(var members) = value else { return }
        members["blob"] = nil
        value = .object(members)
        #expect(try JSONDecoder().decode(SocketIOValue.self, from: JSONEncoder().encode(value)) == value)
    }

    @Test(arguments: 1...4)
    func `random documents are the same value with every coder`(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        for _ in 0..<100 {
            let document = generator.document()
            let json = try JSONCoding.encode(document).json
            let value = try JSONCoding.decode(SocketIOValue.self, json)
            #expect(try JSONDecoder().decode(SocketIOValue.self, from: Data(json.utf8)) == value)
            #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: MessagePackEncoder().encode(value)) == value)
            #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: MessagePackEncoder().encode(document)) == value)
            #expect(try JSONCoding.decode(Document.self, JSONCoding.encode(value).json) == document)
        }
    }

    @Test
    func `what MessagePack has and JSON has not becomes what JSON.stringify makes of it, or an error`() throws {
        let date = try MessagePackValue.timestamp(.init(millisecondsSince1970: 1_700_000_000_123)).encoded()
        #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: date) == "2023-11-14T22:13:20.123Z")
        let undefined = ByteBuffer(bytes: [0x91, 0xd4, 0, 0])
        #expect(try MessagePackDecoder().decode(SocketIOValue.self, from: undefined) == [nil])
        let other = try MessagePackValue.array([.extension(7, ByteBuffer(bytes: [1]))]).encoded()
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(SocketIOValue.self, from: other) }
        let keys = try MessagePackValue.map([.init(["list"], 1)]).encoded()
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(SocketIOValue.self, from: keys) }
        #expect(throws: EncodingError.self) { try JSONCoding.encode(SocketIOValue.double(.nan)) }
    }

    @Test
    func `subscripts give nil for what is not there`() {
        #expect(Self.value["int"] == -5)
        #expect(Self.value["nothing"] == nil)
        #expect(Self.value["list"]?[1]?[1] == "x")
        #expect(Self.value["list"]?[9] == nil)
        #expect(Self.value["list"]?[-1] == nil)
        #expect(SocketIOValue.int(1)["a"] == nil)
    }
}
