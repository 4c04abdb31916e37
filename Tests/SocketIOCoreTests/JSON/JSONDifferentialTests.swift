// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOCore
import Testing

/// Our coders against Foundation's. Where the two differ on purpose, a test of its own says so.
@Suite("JSON coders give what Foundation's give", .timeLimit(.minutes(2)))
struct JSONDifferentialTests {
    @Test(arguments: 1...8)
    func `random documents are written byte for byte alike and read alike, both ways`(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        for _ in 0..<250 {
            let document = generator.document()
            let ours = try JSONCoding.encode(document).json
            let theirs = try JSONCoding.foundation(document)
            #expect(ours == theirs)
            #expect(try JSONCoding.decode(Document.self, theirs) == document)
            #expect(try JSONDecoder().decode(Document.self, from: Data(ours.utf8)) == document)
        }
    }

    struct Everything: Codable, Equatable {
        struct Inner: Codable, Equatable {
            var list: [Int16]
            var map: [String: UInt32]
            var name: String?
            var pairs: [Int: String]
        }

        enum Color: String, Codable { case red, green }
        enum Shape: Codable, Equatable { case circle(radius: Double), square(Int), point }

        var a: Int8
        var b: UInt8
        var c: Int32
        var d: UInt64
        var e: Float
        var f: Double
        var g: Bool
        var h: String
        var i: Color
        var j: Shape
        var k: Inner?
        var l: [Inner]
        var m: URL
        var n: UUID
        var o: Decimal
        var p: Int64?
        var q: [[Double?]]

        init(_ generator: inout DocumentGenerator) {
            self.a = .random(in: .min ... .max, using: &generator)
            self.b = .random(in: .min ... .max, using: &generator)
            self.c = .random(in: .min ... .max, using: &generator)
            self.d = .random(in: .min ... .max, using: &generator)
            self.e = Float(generator.double() / 1e300)
            self.f = generator.double()
            self.g = .random(using: &generator)
            self.h = generator.string()
            self.i = .random(using: &generator) ? .red : .green
            self.j = [.circle(radius: generator.double()), .square(3), .point].randomElement(using: &generator) ?? .point
            self.k = .random(using: &generator) ? Inner(list: [1, -2], map: ["a": 3], name: nil, pairs: [4: "x"]) : nil
            self.l = [Inner(list: [], map: [:], name: generator.string(), pairs: [:])]
            self.m = URL(string: "https://example.com/a%20b?c=d#e").unsafelyUnwrapped
            self.n = UUID()
            self.o = Decimal(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 1_000
            self.p = .random(using: &generator) ? nil : .random(in: .min ... .max, using: &generator)
            self.q = [[generator.double(), nil], [], [1]]
        }
    }

    @Test(arguments: 1...4)
    func `structs of all kinds of members`(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        for _ in 0..<100 {
            let value = Everything(&generator)
            let ours = try JSONCoding.encode(value).json
            let theirs = try JSONCoding.foundation(value)
            #expect(ours == theirs)
            #expect(try JSONCoding.decode(Everything.self, theirs) == value)
            #expect(try JSONDecoder().decode(Everything.self, from: Data(ours.utf8)) == value)
        }
    }

    @Test(arguments: 1...4)
    func `doubles and floats of any bits`(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        for _ in 0..<2_000 {
            let bits = generator.next()
            let double = Double(bitPattern: bits)
            if double.isFinite {
                let text = try JSONCoding.encode(double).json
                #expect(text == (try JSONCoding.foundation(double)))
                #expect(try JSONCoding.decode(Double.self, text).bitPattern == double.bitPattern)
            }
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
            if float.isFinite {
                let text = try JSONCoding.encode(float).json
                #expect(text == (try JSONCoding.foundation(float)))
                #expect(try JSONCoding.decode(Float.self, text).bitPattern == float.bitPattern)
            }
        }
    }

    @Test(arguments: 1...4)
    func `number texts are read alike: the digits, the rounding, and what does not fit`(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        for _ in 0..<2_000 {
            var text = Bool.random(using: &generator) ? "-" : ""
            text += String(generator.next() >> UInt64.random(in: 0..<64, using: &generator))
            if Bool.random(using: &generator) { text += "." + String(generator.next() >> UInt64.random(in: 0..<64, using: &generator)) }
            if Bool.random(using: &generator) { text += "e" + String(Int.random(in: -330...310, using: &generator)) }
            let ours = try? JSONCoding.decode(Double.self, text)
            let theirs = try? JSONDecoder().decode(Double.self, from: Data(text.utf8))
            // Foundation refuses a number that is too small; to JSON.parse and to us it is zero.
            if theirs == nil, ours == 0 { continue }
            #expect(ours?.bitPattern == theirs?.bitPattern, "\(text)")
        }
    }

    @Test(arguments: 1...8)
    func `mutated texts are accepted and refused alike`(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\/0123456789.eE+-truefalsn \n\t\u{1}xuU".utf8) + [0x80, 0xc3, 0xe2, 0xff, 0xed, 0xa0]
        for _ in 0..<500 {
            var bytes = Array(try JSONCoding.encode(generator.document(depth: 3)).json.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                let byte = alphabet.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = byte
                case 1: bytes.insert(byte, at: position)
                default: bytes.remove(at: position)
                }
            }
            // Lone surrogates: we follow JSON.parse, and have a test of that.
            if String(decoding: bytes, as: UTF8.self).lowercased().contains("\\ud") { continue }
            let ours = try? JSONArgumentDecoder().decode(Document.self, from: ByteBuffer(bytes: bytes))
            let theirs = try? JSONDecoder().decode(Document.self, from: Data(bytes))
            #expect(Self.isAlike(ours, theirs), "\(String(decoding: bytes, as: UTF8.self))")
            if ours != nil { try JSONScanner().validate(ByteBuffer(bytes: bytes)) }
        }
    }

    /// Foundation takes some numbers with a fraction of more than 15 digits for integers.
    private static func isAlike(_ ours: Document?, _ theirs: Document?) -> Bool {
        switch (ours, theirs) {
        case (.double(let ours), .int(let theirs)): (ours - Double(theirs)).magnitude < 1
        case (.array(let ours), .array(let theirs)): ours.count == theirs.count && zip(ours, theirs).allSatisfy { self.isAlike($0, $1) }
        case (.object(let ours), .object(let theirs)):
            ours.count == theirs.count && ours.allSatisfy { self.isAlike($0.value, theirs[$0.key]) }
        default: ours == theirs
        }
    }
}
