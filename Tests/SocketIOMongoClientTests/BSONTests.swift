// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import Testing

@Suite("BSON")
struct BSONTests {
    @Test(arguments: vectors)
    func `The writer is byte-exact`(vector: Vector) {
        let document = BSONDocument(vector.build)
        #expect(Array(document.bytes.readableBytesView) == vector.bytes)
    }

    @Test(arguments: vectors)
    func `What is written validates and is rewritten byte for byte`(vector: Vector) throws {
        let document = try BSONDocument(validating: ByteBuffer(bytes: vector.bytes))
        let copy = try BSONDocument { writer throws(MongoError) in
            try writer.append(contentsOf: document)
        }
        #expect(copy == document)
        #expect(document.copied() == document)
    }

    @Test
    func `Every type reads back through its accessor and through no other`() throws {
        let id = ObjectID()
        let document = BSONDocument { writer in
            writer.append("double", 1.5)
            writer.append("string", "grüße\0x")
            writer.append("int32", Int32(-7))
            writer.append("int64", Int64.min)
            writer.append("bool", true)
            writer.append("id", id)
            writer.append("date", dateMilliseconds: -1)
            writer.append("ts", BSONTimestamp(time: 9, increment: 3))
            writer.append("bin", binary: ByteBuffer(bytes: [1, 2, 3]), subtype: 128)
            writer.appendNull("null")
            writer.appendDocument("doc") { $0.append("a", Int32(1)) }
            writer.appendArray("array") { array in
                array.append("x")
                array.appendDocument { $0.append("y", true) }
                array.append(Int64(5))
            }
        }
        #expect(document["double"]?.double == 1.5)
        #expect(document["string"]?.string == "grüße\0x")
        #expect(document["int32"]?.int32 == -7)
        #expect(document["int64"]?.int64 == .min)
        #expect(document["bool"]?.bool == true)
        #expect(document["id"]?.objectID == id)
        #expect(document["date"]?.dateMilliseconds == -1)
        #expect(document["ts"]?.timestamp == BSONTimestamp(time: 9, increment: 3))
        #expect(document["bin"]?.binary == BSONBinary(subtype: 128, bytes: ByteBuffer(bytes: [1, 2, 3])))
        #expect(document["null"]?.isNull == true)
        #expect(document["doc"]?.document?["a"]?.integer == 1)
        #expect(document["array"]?.array?["1"]?.document?["y"]?.bool == true)
        #expect(document["array"]?.array?["2"]?.int64 == 5)
        #expect(document["missing"] == nil)
        #expect(document["int32"]?.string == nil)
        #expect(document["string"]?.binary == nil)
        #expect(document["double"]?.integer == nil)
        #expect(document["doc"]?.array == nil)
    }

    @Test
    func `A slice of a larger buffer reads like a document of its own`() throws {
        let inner = BSONDocument { $0.append("a", "b") }
        let outer = BSONDocument { writer in
            writer.append("padding", String(repeating: "x", count: 1_000))
            writer.append("inner", inner)
        }
        let slice = try #require(outer["inner"]?.document)
        #expect(slice == inner)
        #expect(slice["a"]?.string == "b")
        #expect(slice.hashValue == inner.hashValue)
    }

    @Test
    func `A NUL in a key cannot cut the key short`() throws {
        let document = BSONDocument { $0.append("a\0b", true) }
        var reader = BSONReader(document)
        #expect(try reader.next()?.key == "a\u{FFFD}b")
        #expect(try reader.next() == nil)
    }

    @Test
    func `A closure that throws leaves nothing behind`() {
        struct Stop: Error {}
        let document = BSONDocument { writer in
            writer.append("a", true)
            try? writer.appendDocument("half") { inner throws(Stop) in
                inner.append("b", true)
                throw Stop()
            }
            try? writer.appendArray("half") { inner throws(Stop) in
                inner.append("b")
                throw Stop()
            }
            writer.append("c", true)
        }
        #expect(
            document
                == BSONDocument { writer in
                    writer.append("a", true)
                    writer.append("c", true)
                }
        )
    }

    @Test(arguments: [1, 2, 50, 100])
    func `Nesting is accepted up to the limit and refused above`(limit: Int) throws {
        func nested(_ levels: Int) -> BSONDocument {
            (1..<levels).reduce(BSONDocument()) { inner, _ in BSONDocument { $0.append("d", inner) } }
        }
        _ = try BSONDocument(validating: nested(limit).bytes, maximumDepth: limit)
        #expect(throws: MongoError.self) {
            try BSONDocument(validating: nested(limit + 1).bytes, maximumDepth: limit)
        }
    }

    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let build: @Sendable (inout BSONWriter) -> Void

        var testDescription: String { self.name }
    }

    /// From the examples of bsonspec.org and the field layouts there.
    static let vectors: [Vector] = [
        Vector(name: "empty", bytes: [5, 0, 0, 0, 0]) { _ in },
        Vector(
            name: "hello world",
            bytes: [22, 0, 0, 0, 2] + Array("hello\0".utf8) + [6, 0, 0, 0] + Array("world\0".utf8) + [0]
        ) { $0.append("hello", "world") },
        Vector(
            name: "array",
            bytes: [49, 0, 0, 0, 4] + Array("BSON\0".utf8) + [38, 0, 0, 0]
                + [2] + Array("0\0".utf8) + [8, 0, 0, 0] + Array("awesome\0".utf8)
                + [1] + Array("1\0".utf8) + [0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x14, 0x40]
                + [0x10] + Array("2\0".utf8) + [0xC2, 0x07, 0, 0] + [0, 0]
        ) { writer in
            writer.appendArray("BSON") { array in
                array.append("awesome")
                array.append(5.05)
                array.append(Int32(1_986))
            }
        },
        Vector(name: "int64", bytes: [16, 0, 0, 0, 0x12, 97, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0]) {
            $0.append("a", Int64(-2))
        },
        Vector(name: "bool and null", bytes: [12, 0, 0, 0, 8, 97, 0, 1, 10, 98, 0, 0]) { writer in
            writer.append("a", true)
            writer.appendNull("b")
        },
        Vector(name: "binary", bytes: [15, 0, 0, 0, 5, 97, 0, 2, 0, 0, 0, 0x80, 7, 9, 0]) {
            $0.append("a", binary: ByteBuffer(bytes: [7, 9]), subtype: 0x80)
        },
        Vector(name: "ObjectId", bytes: [20, 0, 0, 0, 7, 97, 0] + Array(1...12) + [0]) {
            $0.append("a", ObjectID(time: 0x0102_0304, uniquePart: 0x0506_0708_090A_0B0C))
        },
        Vector(name: "timestamp", bytes: [16, 0, 0, 0, 0x11, 97, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]) {
            $0.append("a", BSONTimestamp(time: 1, increment: 2))
        },
        Vector(name: "date", bytes: [16, 0, 0, 0, 9, 97, 0, 0xE8, 3, 0, 0, 0, 0, 0, 0, 0]) {
            $0.append("a", dateMilliseconds: 1_000)
        },
    ]
}

@Suite("ObjectID")
struct ObjectIDTests {
    @Test
    func `Bytes and hexadecimal read back`() throws {
        let id = ObjectID(time: 0x507F_1F77, uniquePart: 0xBCF8_6CD7_9943_9011)
        #expect(id.hex == "507f1f77bcf86cd799439011")
        #expect(ObjectID(hex: "507F1f77bcf86cd799439011") == id)
        #expect(ObjectID(bytes: id.bytes) == id)
    }

    @Test(arguments: ["", "507f1f77bcf86cd79943901", "507f1f77bcf86cd79943901g", "507f1f77bcf86cd7994390111"])
    func `Anything else is refused`(hex: String) {
        #expect(ObjectID(hex: hex) == nil)
        #expect(ObjectID(bytes: Array(hex.utf8).prefix(11)) == nil)
    }

    @Test
    func `Ids of one process differ and rise`() {
        let ids = (0..<10_000).map { _ in ObjectID() }
        #expect(Set(ids).count == ids.count)
        let parts = Set(ids.map { $0.uniquePart >> 24 })
        #expect(parts.count == 1)
    }
}

#endif
