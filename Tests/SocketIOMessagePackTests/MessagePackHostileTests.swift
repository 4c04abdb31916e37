// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import Testing

@Suite("MessagePack from strangers")
struct MessagePackHostileTests {
    @Test(
        arguments: [
            [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff], [0xc6, 0xff, 0xff, 0xff, 0xff],
            [0xc9, 0xff, 0xff, 0xff, 0xff, 0], [0xdc, 0xff, 0xff], [0xde, 0xff, 0xff], [0x9f], [0x8f, 0xc0], [0x92, 0xc0], [0x82, 1, 2, 3],
            [0xdf, 0x80, 0, 0, 0], [0xdd, 0, 0, 0, 2, 0xc0], [],
        ] as [[UInt8]]
    )
    func `declared lengths are checked before anything is allocated`(bytes: [UInt8]) {
        let buffer = ByteBuffer(bytes: bytes)
        #expect { try MessagePackReader.validate(buffer) } throws: { ($0 as? MessagePackError)?.code == .truncated }
        #expect { try MessagePackValue(decoding: buffer) } throws: { ($0 as? MessagePackError)?.code == .truncated }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode([Int].self, from: buffer) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode([String: Int].self, from: buffer) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(ByteBuffer.self, from: buffer) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(String.self, from: buffer) }
        var reader = MessagePackReader(buffer)
        #expect(throws: MessagePackError.self) { try reader.readRaw() }
        #expect(reader.offset == 0)
    }

    @Test
    func `a container header declares no more than the bytes that are left can hold`() throws {
        var reader = MessagePackReader(ByteBuffer(bytes: [0xdd, 0, 0, 0, 3, 1, 2]))
        #expect { try reader.readArrayHeader() } throws: { ($0 as? MessagePackError)?.code == .truncated }
        reader = MessagePackReader(ByteBuffer(bytes: [0x82, 1, 2, 3]))
        #expect { try reader.readMapHeader() } throws: { ($0 as? MessagePackError)?.code == .truncated }
    }

    @Test
    func `32 nested arrays are accepted by everything, 33 by nothing`() throws {
        let deepest = ByteBuffer(bytes: [UInt8](repeating: 0x91, count: 32) + [0xc0])
        let deeper = ByteBuffer(bytes: [UInt8](repeating: 0x91, count: 33) + [0xc0])
        #expect(try MessagePackValue(decoding: deepest) == MessagePackValue.null.nested(32))
        #expect(try MessagePackDecoder().decode(Nest.self, from: deepest).depth == 32)
        #expect(try MessagePackEncoder().encode(Nest(depth: 32)) == deepest)
        #expect(try MessagePackValue.null.nested(32).encoded() == deepest)
        #expect { try MessagePackValue(decoding: deeper) } throws: { ($0 as? MessagePackError)?.code == .tooDeep }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(Nest.self, from: deeper) }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode(Nest(depth: 33)) }
        #expect { try MessagePackValue.null.nested(33).encoded() } throws: { ($0 as? MessagePackError)?.code == .tooDeep }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a million opening brackets neither recurse nor allocate`() {
        for byte: UInt8 in [0x91, 0x81, 0x9f, 0x8f] {
            let buffer = ByteBuffer(repeating: byte, count: 1_000_000)
            #expect { try MessagePackReader.validate(buffer) } throws: { ($0 as? MessagePackError)?.code == .tooDeep }
        }
    }

    @Test
    func `the number of values is bounded`() throws {
        let limits = MessagePackLimits(maximumValues: 4)
        try MessagePackReader.validate(ByteBuffer(bytes: [0x93, 1, 2, 3]), limits: limits)
        let more = ByteBuffer(bytes: [0x94, 1, 2, 3, 4])
        #expect { try MessagePackReader.validate(more, limits: limits) } throws: { ($0 as? MessagePackError)?.code == .tooManyValues }
        #expect(throws: DecodingError.self) { try MessagePackDecoder(limits: limits).decode([Int].self, from: more) }
    }

    @Test
    func `c1, trailing bytes and strings that are not UTF-8 are refused`() {
        #expect { try MessagePackValue(decoding: ByteBuffer(bytes: [0x91, 0xc1])) } throws: {
            ($0 as? MessagePackError)?.code == .invalidByte
        }
        #expect { try MessagePackValue(decoding: ByteBuffer(bytes: [1, 2])) } throws: { ($0 as? MessagePackError)?.code == .trailingBytes }
        #expect { try MessagePackValue(decoding: ByteBuffer(bytes: [0xa2, 0xc3, 0x28])) } throws: {
            ($0 as? MessagePackError)?.code == .invalidUTF8
        }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(String.self, from: ByteBuffer(bytes: [0xa1, 0xff])) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode([String].self, from: ByteBuffer(bytes: [0x91, 0xa1, 0xff])) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(Int.self, from: ByteBuffer(bytes: [1, 2])) }
    }

    @Test(
        arguments: [
            [0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0x80], [0xf5, 0x80, 0x80, 0x80], [0xf8], [0x61, 0xff, 0x7a],
        ] as [[UInt8]]
    )
    func `what is passed on undecoded is UTF-8 as well`(text: [UInt8]) throws {
        let short = [0xa0 | UInt8(text.count)] + text
        let long = [0xd9, UInt8(text.count)] + text
        for string in [short, long, [0xda, 0] + long.dropFirst(), [0xdb, 0, 0, 0] + long.dropFirst()] {
            for value in [string, [0x91] + string, [0x81] + string + [1], [0x81, 0xa1, 0x61] + string] {
                let bytes = ByteBuffer(bytes: value)
                #expect { try MessagePackReader.validate(bytes) } throws: { ($0 as? MessagePackError)?.code == .invalidUTF8 }
            }
        }
        try MessagePackReader.validate(ByteBuffer(bytes: [0xa6] + Array("é😀".utf8)))
        // Binary may be anything.
        try MessagePackReader.validate(ByteBuffer(bytes: [0xc4, UInt8(text.count)] + text))
    }

    @Test(
        arguments: [
            [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
            [0xcb, 0x43, 0xe0, 0, 0, 0, 0, 0, 0], [0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]]
    )
    func `numbers that do not fit are refused`(bytes: [UInt8]) {
        let buffer = ByteBuffer(bytes: bytes)
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode(Int.self, from: buffer) }
        #expect(throws: DecodingError.self) { try MessagePackDecoder().decode([Int64].self, from: ByteBuffer(bytes: [0x91] + bytes)) }
        var reader = MessagePackReader(buffer)
        #expect { try reader.readInteger(as: Int.self) } throws: { ($0 as? MessagePackError)?.code == .outOfRange }
    }

    @Test(.timeLimit(.minutes(1)))
    func `random bytes never crash, and what the walk accepts both readers accept`() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<40, using: &random)
            let buffer = ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            let structure = (try? MessagePackReader.validate(buffer)) != nil
            let cursor = try? MessagePackValue(decoding: buffer)
            let tree = try? MessagePackDecoder().decode(Wrapped.self, from: buffer).value
            if !structure { #expect(cursor == nil && tree == nil) }
            // NaN is not equal to itself; compare the bytes.
            #expect(try cursor?.encoded() == tree?.encoded())
        }
    }
}

/// Arrays in arrays, and nil innermost.
struct Nest: Codable {
    var depth: Int

    init(depth: Int) { self.depth = depth }

    init(from decoder: any Decoder) throws {
        if try decoder.singleValueContainer().decodeNil() {
            self.depth = 0
        } else {
            var container = try decoder.unkeyedContainer()
            self.depth = try container.decode(Nest.self).depth + 1
        }
    }

    func encode(to encoder: any Encoder) throws {
        if self.depth == 0 {
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        } else {
            var container = encoder.unkeyedContainer()
            try container.encode(Nest(depth: self.depth - 1))
        }
    }
}

/// Takes the way through msgpack-c's tree for any value.
struct Wrapped: Decodable {
    var value: MessagePackValue

    init(from decoder: any Decoder) throws {
        self.value = try decoder.singleValueContainer().decode(MessagePackValue.self)
    }
}

/// A generator whose sequence a test can repeat (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
