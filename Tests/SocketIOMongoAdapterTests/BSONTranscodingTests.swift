// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMessagePack
import SocketIOMongoClient
import NIOCore
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("JSON and MessagePack to BSON and back")
struct BSONTranscodingTests {
    static func bson(_ json: String, attachments: [String] = []) throws -> BSONDocument {
        var writer = BSONValueWriter()
        try writer.key("v")
        let value = EncodedValue(format: .json, bytes: ByteBuffer(string: json), attachments: attachments.map { ByteBuffer(string: $0) })
        try writer.write(value)
        return try BSONDocument(validating: try writer.finish().bytes)
    }

    static func json(_ document: BSONDocument) throws -> (text: String, attachments: [String]) {
        let arguments = try BSONTranscoder.argument(document["v"], .json)
        return (String(buffer: arguments[0]?.bytes ?? ByteBuffer()), arguments.attachments.map { String(buffer: $0) })
    }

    @Test(
        "Texts survive",
        arguments: [
            "null", "true", "false", "0", "-1", "2147483647", "2147483648", "-2147483649", "1.5", "1e+21", "5e-324", #""""#,
            #""é😀\n\"\\\u0000""#, "[]", "{}", "[[],[{}],{\"a\":[]}]", #"{"a":{"b":[1,"x",null,true]}}"#,
            #"{"$oid":"6b017d26e57d0f18c6cd3936","$date":1,"$numberLong":"1"}"#, #"{"__proto__":1,"constructor":2,"":3}"#,
            #"{"_placeholder":true,"num":0}"#, #"{"0":1,"a.b":2,"$":3,"_bsontype":"ObjectId"}"#,
        ]
    )
    func survives(text: String) throws {
        let document = try Self.bson(text)
        #expect(try Self.json(document).text == text)
        let packed = try BSONTranscoder.argument(document["v"], .messagePack)
        var writer = BSONValueWriter()
        try writer.key("v")
        try writer.write(try #require(packed[0]))
        #expect(try writer.finish() == document)
    }

    @Test
    func `Numbers have the types that JavaScript's driver gives them`() throws {
        for text in ["2147483647", "-2147483648", "1.0", "1e3", "0"] { #expect(try Self.bson(text)["v"]?.type == .int32, "\(text)") }
        for text in [
            "2147483648", "-2147483649", "-0", "-0.0", "0.5", "9007199254740993", "1e400", "-1e400", "123456789012345678901234567890",
        ] {
            #expect(try Self.bson(text)["v"]?.type == .double, "\(text)")
        }
        #expect(try Self.bson("-0")["v"]?.double?.sign == .minus)
        #expect(try Self.bson("1e400")["v"]?.double == .infinity)
        #expect(try Self.json(Self.bson("-1e400")).text == "null")
    }

    @Test
    func `Placeholders become binary wherever they are, however they are written`() throws {
        let document = try Self.bson(
            #"[{"_placeholder":true,"num":1},{"a":{ "num" : 0 , "_placeholder" : true }}]"#,
            attachments: ["x", "yz"]
        )
        let array = try #require(document["v"]?.array)
        #expect(array["0"]?.binary?.bytes == ByteBuffer(string: "yz"))
        #expect(array["1"]?.document?["a"]?.binary?.bytes == ByteBuffer(string: "x"))
        let (text, attachments) = try Self.json(document)
        #expect(text == #"[{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]"#)
        #expect(attachments == ["yz", "x"])
        for text in [
            #"{"_placeholder":true}"#, #"{"_placeholder":true,"num":1}"#, #"{"_placeholder":true,"num":-1}"#,
            #"{"_placeholder":true,"num":0.5}"#,
        ] {
            #expect(throws: ClusterError.self) { try Self.bson(text, attachments: ["x"]) }
        }
        #expect(try Self.bson(#"{"_placeholder":false,"num":7}"#, attachments: ["x"])["v"]?.document?["num"]?.int32 == 7)
    }

    @Test(arguments: [#"{"a\u0000b":1}"#, "[1,", "{} {}", "nul"])
    func `What BSON cannot express is told`(text: String) {
        let error = #expect(throws: ClusterError.self) { try Self.bson(text) }
        #expect(error?.code == (text.contains("u0000") ? .unsupported : .notSent))
    }

    @Test
    func `What is too deep or too large is told before it is written`() throws {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(try Self.json(Self.bson(deepest)).text == deepest)
        #expect(throws: ClusterError.self) { try Self.bson("[" + deepest + "]") }
        let large = "[" + Array(repeating: #"{"_placeholder":true,"num":0}"#, count: 20).joined(separator: ",") + "]"
        let attachment = String(repeating: "x", count: 1 << 20)
        let error = #expect(throws: ClusterError.self) { try Self.bson(large, attachments: [attachment]) }
        #expect(error?.code == .tooLarge)
    }

    @Test
    func `Types that only others write are read as JavaScript prints them`() throws {
        let values: [(String, (inout BSONWriter) -> Void)] = [
            ("\"6b017d26e57d0f18c6cd3936\"", { $0.append("v", ObjectID(hex: "6b017d26e57d0f18c6cd3936") ?? ObjectID()) }),
            ("\"1969-12-31T23:59:59.999Z\"", { $0.append("v", dateMilliseconds: -1) }),
            ("null", { $0.append("v", dateMilliseconds: .max) }),
            ("5", { $0.append("v", Int64(5)) }),
            ("9007199254740992", { $0.append("v", Int64(1) << 53) }),
            (#"{"low":1,"high":2097152,"unsigned":false}"#, { $0.append("v", (Int64(1) << 53) + 1) }),
            (#"{"low":0,"high":-2147483648,"unsigned":false}"#, { $0.append("v", Int64.min) }),
            (#"{"$timestamp":"4294967298"}"#, { $0.append("v", BSONTimestamp(time: 1, increment: 2)) }),
            ("null", { $0.append("v", Double.nan) }), ("null", { $0.append("v", -Double.infinity) }), ("0", { $0.append("v", -0.0) }),
        ]
        for (text, write) in values {
            #expect(try Self.json(BSONDocument { write(&$0) }).text == text)
        }
    }

    @Test
    func `Undefined is left out of objects and null elsewhere`() throws {
        var bytes = ByteBuffer()
        // { v: { a: undefined, b: [undefined] } }
        bytes.writeBytes([30, 0, 0, 0, 0x03, 0x76, 0, 22, 0, 0, 0, 0x06, 0x61, 0, 0x04, 0x62, 0, 8, 0, 0, 0, 0x06, 0x30, 0, 0, 0, 0])
        bytes.setInteger(Int32(bytes.readableBytes), at: 0, endianness: .little)
        bytes.setInteger(Int32(bytes.readableBytes - 8), at: 7, endianness: .little)
        let document = try BSONDocument(validating: bytes)
        #expect(try Self.json(document).text == #"{"b":[null]}"#)
        #expect(try BSONTranscoder.argument(document["v"], .messagePack).count == 1)
    }

    @Test
    func `MessagePack has dates, and integers of 64 bits become doubles`() throws {
        var packed = MessagePackWriter()
        try packed.writeArrayHeader(count: 4)
        packed.write(MessagePackTimestamp(millisecondsSince1970: -1_500))
        packed.write(UInt64.max)
        packed.write(Int64(-5))
        try packed.write(binary: [1, 2])
        var writer = BSONValueWriter()
        try writer.key("v")
        try writer.write(EncodedValue(format: .messagePack, bytes: packed.buffer))
        let array = try #require(try BSONDocument(validating: try writer.finish().bytes)["v"]?.array)
        #expect(array["0"]?.dateMilliseconds == -1_500)
        #expect(array["1"]?.double == 0x1p64)
        #expect(array["2"]?.int32 == -5)
        #expect(array["3"]?.binary?.bytes == ByteBuffer(bytes: [1, 2]))
        var hostile = MessagePackWriter()
        try hostile.writeMapHeader(count: 1)
        hostile.write(true)
        hostile.write(1)
        var other = BSONValueWriter()
        try other.key("v")
        #expect(throws: ClusterError.self) { try other.write(EncodedValue(format: .messagePack, bytes: hostile.buffer)) }
    }
}
#endif
