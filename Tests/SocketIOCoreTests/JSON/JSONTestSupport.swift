// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOCore

/// Any JSON document, as an ordinary `Codable` type: both coders have to go through its containers.
indirect enum Document: Codable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([Document])
    case object([String: Document])

    struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(intValue: Int) { nil }
        init(stringValue: String) { self.stringValue = stringValue }
    }

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let object = try? decoder.container(keyedBy: Name.self) {
            var members: [String: Document] = [:]
            for key in object.allKeys { members[key.stringValue] = try object.decode(Document.self, forKey: key) }
            self = .object(members)
        } else if var array = try? decoder.unkeyedContainer() {
            var elements: [Document] = []
            while !array.isAtEnd { elements.append(try array.decode(Document.self)) }
            self = .array(elements)
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Int.self) {
            self = .int(value)
        } else if let value = try? single.decode(Double.self) {
            self = .double(value)
        } else {
            self = .string(try single.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var single = encoder.singleValueContainer()
            try single.encodeNil()
        case .bool(let value): try value.encode(to: encoder)
        case .int(let value): try value.encode(to: encoder)
        case .double(let value): try value.encode(to: encoder)
        case .string(let value): try value.encode(to: encoder)
        case .array(let elements):
            var array = encoder.unkeyedContainer()
            for element in elements { try array.encode(element) }
        case .object(let members):
            var object = encoder.container(keyedBy: Name.self)
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                try object.encode(value, forKey: Name(stringValue: key))
            }
        }
    }
}

/// Makes documents from a seed.
struct DocumentGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func document(depth: Int = 4) -> Document {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: return .null
        case 1: return .bool(.random(using: &self))
        case 2: return .int(self.int())
        case 3: return .double(self.double())
        case 4, 5: return .string(self.string())
        case 6, 7: return .array((0..<Int.random(in: 0..<6, using: &self)).map { _ in self.document(depth: depth - 1) })
        default:
            let keys = (0..<Int.random(in: 0..<6, using: &self)).map { _ in self.string() }
            return .object(Dictionary(keys.map { ($0, self.document(depth: depth - 1)) }) { first, _ in first })
        }
    }

    mutating func int() -> Int {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: Int.random(in: -10...10, using: &self)
        case 1: Int.random(in: -100_000...100_000, using: &self)
        case 2: [Int.min, Int.max, 1 << 53, -(1 << 53) - 1].randomElement(using: &self) ?? 0
        default: Int(truncatingIfNeeded: self.next())
        }
    }

    /// A number with a fraction or beyond the integers, so that it is a double whichever coder reads it.
    mutating func double() -> Double {
        while true {
            let value: Double =
                switch Int.random(in: 0..<4, using: &self) {
                case 0: Double.random(in: -1...1, using: &self)
                case 1: (Double.random(in: -1e6...1e6, using: &self) * 100).rounded() / 100
                case 2:
                    [.leastNonzeroMagnitude, -2.5, 1.7976931348623157e308, 0.1, 1e21, 123456789.125, 1e-7].randomElement(using: &self)
                        ?? 0.5
                default: Double(bitPattern: self.next())
                }
            if value.isFinite, Int(exactly: value) == nil { return value }
        }
    }

    mutating func string() -> String {
        let alphabets: [[Unicode.Scalar]] = [
            Array("abcdefghijklmnopqrstuvwxyz_$".unicodeScalars),
            Array("\"\\/\u{0}\u{1}\u{8}\u{9}\u{a}\u{c}\u{d}\u{1f}\u{7f}".unicodeScalars),
            Array("é✓𝕊\u{2028}\u{2029}\u{fffd}\u{10ffff}日本\u{7ff}\u{800}\u{ffff}".unicodeScalars),
        ]
        let count = Int.random(in: 0..<[4, 12, 40].randomElement(using: &self).unsafelyUnwrapped, using: &self)
        var string = ""
        for _ in 0..<count {
            let alphabet = alphabets[[0, 0, 0, 1, 2].randomElement(using: &self) ?? 0]
            string.unicodeScalars.append(alphabet.randomElement(using: &self) ?? "a")
        }
        return string
    }
}

/// The coders under test, with less to write.
enum JSONCoding {
    static func encode(_ value: some Encodable) throws -> (json: String, attachments: [ByteBuffer]) {
        var buffer = ByteBuffer()
        var attachments: [ByteBuffer] = []
        try JSONArgumentEncoder().encode(value, into: &buffer, attachments: &attachments)
        return (String(buffer: buffer), attachments)
    }

    static func decode<T: Decodable>(_ type: T.Type = T.self, _ json: String, _ attachments: [ByteBuffer] = []) throws -> T {
        try JSONArgumentDecoder().decode(type, from: ByteBuffer(string: json), attachments: attachments)
    }

    /// What Foundation writes with the settings that JavaScript's peers expect.
    static func foundation(_ value: some Encodable, sortedKeys: Bool = true) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = sortedKeys ? [.withoutEscapingSlashes, .sortedKeys] : [.withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
