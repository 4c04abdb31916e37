// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import Testing

@Suite("MessagePack bytes")
struct MessagePackVectorTests {
    @Test(arguments: Vector.all)
    func `a value is written byte for byte as the specification says`(vector: Vector) throws {
        #expect(try Array(vector.value.encoded().readableBytesView) == vector.bytes)
        #expect(try Array(MessagePackEncoder().encode(vector.value).readableBytesView) == vector.bytes)
    }

    @Test(arguments: Vector.all)
    func `and read back, by the cursor and through msgpack-c`(vector: Vector) throws {
        let buffer = ByteBuffer(bytes: vector.bytes)
        #expect(try MessagePackValue(decoding: buffer) == vector.value)
        // Inside an array the value comes from msgpack-c's tree.
        let wrapped = ByteBuffer(bytes: [0x91] + vector.bytes)
        #expect(try MessagePackDecoder().decode([MessagePackValue].self, from: wrapped) == [vector.value])
    }

    @Test(arguments: Vector.all)
    func `skipping a value gives its range`(vector: Vector) throws {
        var reader = MessagePackReader(ByteBuffer(bytes: [0xc3] + vector.bytes + [0xc2]))
        #expect(try reader.readBool())
        #expect(try reader.skip() == 1..<(1 + vector.bytes.count))
        #expect(try reader.readBool() == false)
        #expect(reader.isAtEnd)
    }

    @Test(arguments: Vector.all)
    func `every proper prefix is refused as truncated`(vector: Vector) throws {
        for count in Set((0..<min(vector.bytes.count, 40)).map { $0 } + [vector.bytes.count - 1]) {
            let prefix = ByteBuffer(bytes: vector.bytes.prefix(count))
            #expect { try MessagePackValue(decoding: prefix) } throws: { ($0 as? MessagePackError)?.code == .truncated }
        }
    }

    @Test(
        arguments: [
            [0xcc, 5], [0xcd, 0, 5], [0xce, 0, 0, 0, 5], [0xcf, 0, 0, 0, 0, 0, 0, 0, 5], [0xd0, 5], [0xd1, 0, 5], [0xd2, 0, 0, 0, 5],
            [0xd3, 0, 0, 0, 0, 0, 0, 0, 5], [0xca, 0x40, 0xa0, 0, 0], [0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]]
    )
    func `encodings that are longer than needed are read`(bytes: [UInt8]) throws {
        let buffer = ByteBuffer(bytes: bytes)
        #expect(try MessagePackDecoder().decode(Int.self, from: buffer) == 5)
        #expect(try MessagePackDecoder().decode(Double.self, from: buffer) == 5)
        #expect(try MessagePackDecoder().decode([UInt8].self, from: ByteBuffer(bytes: [0x91] + bytes)) == [5])
    }

    @Test
    func `notepack's undefined is nil, its dates are dates, other extensions are refused`() throws {
        let undefined = ByteBuffer(bytes: [0xd4, 0, 0])
        #expect(try MessagePackDecoder().decode(Int?.self, from: undefined) == nil)
        #expect(try MessagePackDecoder().decode([Int?].self, from: ByteBuffer(bytes: [0x92, 0xd4, 0, 0, 1])) == [nil, 1])
        #expect(try MessagePackValue(decoding: undefined) == .null)
        var reader = MessagePackReader(undefined)
        #expect(reader.readNil() && reader.isAtEnd)

        // new Date(1700000000123) as notepack 2 writes it: extension 0, milliseconds.
        let date = ByteBuffer(bytes: [0xd7, 0, 0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x7b])
        #expect(try MessagePackDecoder().decode(MessagePackTimestamp.self, from: date) == .init(millisecondsSince1970: 1_700_000_000_123))

        let other = ByteBuffer(bytes: [0xd4, 2, 0])
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(Int?.self, from: other) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(MessagePackTimestamp.self, from: other) }
    }

    /// What `ArrayBuffer` and typed arrays are with notepack, and what other encoders may write of them.
    static let binaryExtensions: [(head: [UInt8], count: Int)] = [
        ([0xc7, 0, 0], 0), ([0xc7, 1, 0], 1), ([0xc7, 3, 0], 3), ([0xc7, 4, 0], 4), ([0xc7, 8, 0], 8), ([0xc7, 12, 0], 12),
        ([0xc7, 16, 0], 16), ([0xc7, 212, 0], 212), ([0xc7, 255, 0], 255), ([0xc8, 1, 0, 0], 256), ([0xc8, 0, 1, 0], 1),
        ([0xc8, 0, 8, 0], 8), ([0xc9, 0, 1, 0, 0, 0], 65_536), ([0xc9, 0, 0, 0, 1, 0], 1), ([0xd5, 0], 2), ([0xd6, 0], 4), ([0xd8, 0], 16),
        ([0xd4, 0], 1),
    ]

    @Test(arguments: binaryExtensions)
    func `extension 0 of any length is binary`(head: [UInt8], count: Int) throws {
        // A single zero byte in a fixext is undefined.
        let first: UInt8 = head == [0xd4, 0] ? 1 : 0
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) &+ first }
        let (bytes, expected) = (head + content, ByteBuffer(bytes: content))
        let decoder = MessagePackDecoder()
        #expect(try decoder.decode(ByteBuffer.self, from: ByteBuffer(bytes: bytes)) == expected)
        #expect(try decoder.decode([UInt8].self, from: ByteBuffer(bytes: bytes)) == content)
        #expect(try decoder.decode([String: ByteBuffer?].self, from: ByteBuffer(bytes: [0x81, 0xa1, 0x61] + bytes)) == ["a": expected])
        #expect(try decoder.decode([MessagePackValue].self, from: ByteBuffer(bytes: [0x91] + bytes)) == [.binary(expected)])
        #expect(try MessagePackValue(decoding: ByteBuffer(bytes: bytes)) == .binary(expected))
        #expect(throws: DecodingError.self) { try decoder.decode(MessagePackTimestamp.self, from: ByteBuffer(bytes: bytes)) }
        #expect(throws: DecodingError.self) { try decoder.decode(Int.self, from: ByteBuffer(bytes: bytes)) }
        var reader = MessagePackReader(ByteBuffer(bytes: bytes + [7]))
        let isNil = reader.readNil()
        #expect(!isNil)
        let timestamp = try? reader.readTimestamp()
        #expect(timestamp == nil)
        let (binary, number) = (try reader.readBinary(), try reader.readInteger(as: Int.self))
        #expect(binary == expected && number == 7)
    }

    @Test(arguments: ["", "x", "1.5", "--1", "+-1", String(repeating: "9", count: 400)])
    func `what is not the digits of a BigInt is refused`(text: String) {
        let size = UInt16(text.utf8.count)
        let bytes = ByteBuffer(bytes: [0xc8, UInt8(size >> 8), UInt8(size & 0xff), 1] + Array(text.utf8))
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(Int.self, from: bytes) }
        #expect(throws: DecodingError.self) {
            try MessagePackDecoder().decode([Double].self, from: ByteBuffer(bytes: [0x91] + bytes.readableBytesView))
        }
    }
}
