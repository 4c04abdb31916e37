// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import Testing

/// Bytes as somebody who can write to the collection, or to the network, might send them: never a trap, never a read outside.
@Suite("Hostile BSON")
struct HostileBSONTests {
    @Test(
        arguments: [
            [], [5], [5, 0, 0, 0], [4, 0, 0, 0, 0], [6, 0, 0, 0, 0], [5, 0, 0, 0, 1], [5, 0, 0, 0x80, 0], [0xFF, 0xFF, 0xFF, 0x7F, 0],
            [0, 0, 0, 0, 0], [5, 0, 0, 0, 0, 0],
        ] as [[UInt8]]
    )
    func `Wrong frames are refused`(bytes: [UInt8]) {
        let error = #expect(throws: MongoError.self) { try BSONDocument(ByteBuffer(bytes: bytes)) }
        #expect(error?.code == .invalidBSON)
    }

    @Test(
        arguments: [
            [0x02, 97, 0, 0, 0, 0, 0],  // string of length 0
            [0x02, 97, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0],  // string longer than everything
            [0x02, 97, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0],  // negative length
            [0x02, 97, 0, 2, 0, 0, 0, 98, 99],  // string without terminator
            [0x03, 97, 0, 4, 0, 0, 0, 0],  // document shorter than any
            [0x03, 97, 0, 0xFF, 0, 0, 0, 0],  // document larger than its parent
            [0x04, 97, 0, 6, 0, 0, 0, 10, 1],  // array without terminator
            [0x05, 97, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0],  // binary longer than everything
            [0x05, 97, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0],  // negative length
            [0x05, 97, 0, 1, 0, 0, 0],  // binary cut off
            [0x05, 97, 0, 5, 0, 0, 0, 2, 9, 0, 0, 0, 1],  // old binary whose inner length is wrong
            [0x08, 97, 0, 2],  // boolean that is neither
            [0x08, 97, 0],  // boolean cut off
            [0x10, 97, 0, 1, 0],  // int32 cut off
            [0x07, 97, 0, 1],  // ObjectId cut off
            [0x0B, 97, 0, 98, 0, 99],  // regular expression without end
            [0x0F, 97, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 0],  // scope longer than its frame
            [0x10, 97, 98],  // key without end
            [0x00, 97, 0, 1],  // terminator in the middle
            [0x20, 97, 0, 1],  // unknown type
            [0x10],
        ] as [[UInt8]]
    )
    func `Malformed elements are refused, and ended reading stays ended`(bytes: [UInt8]) throws {
        let frame = Self.frame(bytes)
        #expect(throws: MongoError.self) { try BSONDocument(validating: ByteBuffer(bytes: frame)) }
        let document = try BSONDocument(ByteBuffer(bytes: frame))
        var reader = BSONReader(document)
        #expect(throws: MongoError.self) { try reader.next() }
        #expect(try reader.next() == nil)
        #expect(document["zz"] == nil)
    }

    @Test
    func `Strings that are no UTF-8 are no strings`() throws {
        let document = try BSONDocument(ByteBuffer(bytes: Self.frame([0x02, 97, 0, 3, 0, 0, 0, 0xC3, 0x28, 0])))
        #expect(document["a"]?.string == nil)
        #expect(document["a"]?.stringBytes == ByteBuffer(bytes: [0xC3, 0x28]))
    }

    @Test
    func `A hundred thousand levels are refused without recursion`() {
        let levels = 100_000
        var bytes: [UInt8] = []
        for level in 0..<levels {
            let size = UInt32(5 + 8 * (levels - level - 1))
            withUnsafeBytes(of: size.littleEndian) { bytes.append(contentsOf: $0) }
            if level < levels - 1 { bytes += [0x03, 97, 0] }
        }
        bytes += Array(repeating: 0, count: levels)
        #expect(throws: MongoError.self) { try BSONDocument(validating: ByteBuffer(bytes: bytes)) }
    }

    @Test(arguments: 0..<8)
    func `Truncated and mutated documents never trap`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let seeds = BSONTests.vectors.map(\.bytes) + [Self.everything]
        for _ in 0..<4_000 {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<(1 + random.next() % 6) {
                let index = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[index] ^= 1 << (random.next() % 8)
                case 2: bytes[index] = [0, 0x7F, 0x80, 0xFF][Int(random.next() % 4)]
                default: bytes.remove(at: index)
                }
                if bytes.count < 6 { break }
            }
            let size = UInt32(bytes.count)
            if bytes.count >= 5 {
                withUnsafeBytes(of: size.littleEndian) { for (index, byte) in $0.enumerated() { bytes[index] = byte } }
                bytes[bytes.count - 1] = 0
            }
            Self.exercise(bytes)
        }
    }

    /// Everything that reads, on any bytes.
    static func exercise(_ bytes: [UInt8]) {
        guard let document = try? BSONDocument(ByteBuffer(bytes: bytes)) else { return }
        _ = try? BSONDocument(validating: document.bytes)
        var readers = [BSONReader(document)]
        var steps = 0
        while var reader = readers.popLast(), steps < 1_000 {
            steps += 1
            guard let element = try? reader.next() else { continue }
            readers.append(reader)
            Self.touch(element)
            if let inner = element.document ?? element.array { readers.append(BSONReader(inner)) }
        }
    }

    private static func touch(_ element: BSONElement) {
        _ = (element.key, element.double, element.string, element.stringBytes, element.binary, element.objectID, element.bool)
        _ = (element.dateMilliseconds, element.isNull, element.int32, element.int64, element.integer, element.timestamp)
        _ = (element.hasKey("a"), element.valueBytes.readableBytes)
        _ = BSONDocument { $0.append("copy", element) }
    }

    private static func frame(_ elements: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: UInt32(elements.count + 5).littleEndian) { bytes.append(contentsOf: $0) }
        return bytes + elements + [0]
    }

    /// One element of every type, deprecated ones included.
    private static let everything = Self.frame(
        BSONTests.vectors.flatMap { $0.bytes.dropFirst(4).dropLast() }
            + [0x06, 97, 0] + [0x0B, 97, 0, 98, 0, 99, 0] + [0x0C, 97, 0, 1, 0, 0, 0, 0] + Array(repeating: 7, count: 12)
            + [0x0D, 97, 0, 2, 0, 0, 0, 98, 0] + [0x0E, 97, 0, 2, 0, 0, 0, 98, 0]
            + [0x0F, 97, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0] + [0x13, 97, 0] + Array(repeating: 1, count: 16)
            + [0x05, 97, 0, 5, 0, 0, 0, 2, 1, 0, 0, 0, 9] + [0x7F, 97, 0] + [0xFF, 97, 0]
    )
}

/// A small generator, so that a failing seed reproduces.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

#endif
