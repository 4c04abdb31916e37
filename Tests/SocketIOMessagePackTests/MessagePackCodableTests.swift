// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOMessagePack
import Testing

@Suite("MessagePack and Codable")
struct MessagePackCodableTests {
    struct Person: Codable, Equatable {
        var name: String
        var age: UInt8
        var height: Double?
        var tags: [String]
        var scores: [String: Int]
        var avatar: Data
        var raw: [UInt8]
        var blob: ByteBuffer
        var born: Date
        var home: URL
        var id: UUID
        var balance: Decimal
        var ratio: Float
        var friend: [Person]
    }

    static let person = Person(
        name: "Ada ✓",
        age: 36,
        height: nil,
        tags: ["a", "b"],
        scores: ["x": -1, "y": 1 << 40],
        avatar: Data([1, 2, 3]),
        raw: [4, 5],
        blob: ByteBuffer(bytes: [6]),
        born: Date(timeIntervalSince1970: 1_700_000_000.25),
        home: URL(string: "https://example.com/a?b=c").unsafelyUnwrapped,
        id: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)),
        balance: Decimal(string: "12.34").unsafelyUnwrapped,
        ratio: 0.1,
        friend: []
    )

    @Test
    func `a struct of everything comes back`() throws {
        var person = Self.person
        person.friend = [Self.person]
        person.height = 1.5
        let bytes = try MessagePackEncoder().encode(person)
        #expect(try MessagePackDecoder().decode(Person.self, from: bytes) == person)
    }

    @Test
    func `binary, dates and numbers have their own formats`() throws {
        let bytes = try MessagePackEncoder().encode(Self.person)
        let value = try MessagePackValue(decoding: bytes)
        #expect(value["avatar"] == .binary(ByteBuffer(bytes: [1, 2, 3])))
        #expect(value["raw"] == .binary(ByteBuffer(bytes: [4, 5])))
        #expect(value["born"] == .timestamp(.init(seconds: 1_700_000_000, nanoseconds: 250_000_000)))
        #expect(value["home"] == "https://example.com/a?b=c")
        #expect(value["balance"] == "12.34")
        #expect(value["age"] == 36)
        #expect(value["height"] == nil)
        #expect(bytes.readableBytesView.first == 0x8d)
    }

    @Test(arguments: [15, 16, 17, 300, 65_535, 65_536, 70_000])
    func `headers grow when a container has more than 15 elements, at every level`(count: Int) throws {
        let inner = Dictionary(uniqueKeysWithValues: (0..<min(count, 300)).map { ("key\($0)", $0) })
        let value = ["first": [inner], "second": [inner, inner]]
        #expect(try MessagePackDecoder().decode([String: [[String: Int]]].self, from: MessagePackEncoder().encode(value)) == value)
        let array = Array(0..<count).map { Optional($0) }
        #expect(try MessagePackDecoder().decode([[Int?]].self, from: MessagePackEncoder().encode([array, array])) == [array, array])
    }

    /// Opens several nested containers, fills them in turns, and calls `super` in between.
    struct Interleaved: Codable, Equatable {
        enum Keys: String, CodingKey { case left, right, list, own, last }

        var numbers: [Int]

        init(numbers: [Int]) { self.numbers = numbers }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let left = try container.nestedContainer(keyedBy: Keys.self, forKey: .left)
            var list = try container.nestedUnkeyedContainer(forKey: .list)
            var numbers = [try left.decode(Int.self, forKey: .own), try left.decode(Int.self, forKey: .last)]
            while !list.isAtEnd { numbers.append(try list.decode(Int.self)) }
            numbers.append(try container.superDecoder().singleValueContainer().decode(Int.self))
            numbers.append(try container.decode(Int.self, forKey: .last))
            self.numbers = numbers
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            var left = container.nestedContainer(keyedBy: Keys.self, forKey: .left)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            let parent = container.superEncoder()
            try container.encode(self.numbers[self.numbers.count - 1], forKey: .last)
            try left.encode(self.numbers[0], forKey: .own)
            for number in self.numbers[2..<(self.numbers.count - 2)] { try list.encode(number) }
            try left.encode(self.numbers[1], forKey: .last)
            var single = parent.singleValueContainer()
            try single.encode(self.numbers[self.numbers.count - 2])
        }
    }

    @Test
    func `nested containers may be filled in any order`() throws {
        let values = [Interleaved(numbers: Array(0..<40)), Interleaved(numbers: Array(3..<9))]
        var bytes = ByteBuffer(string: "before")
        try MessagePackEncoder().encode(values, into: &bytes)
        #expect(bytes.readString(length: 6) == "before")
        #expect(try MessagePackDecoder().decode([Interleaved].self, from: bytes) == values)
        let many = Array(repeating: values[0], count: 20)
        #expect(try MessagePackDecoder().decode([Interleaved].self, from: MessagePackEncoder().encode(many)) == many)
    }

    class Base: Codable {
        var one = 1
    }

    final class Derived: Base {
        private enum Keys: String, CodingKey { case two }
        var two = 2

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            self.two = try decoder.container(keyedBy: Keys.self).decode(Int.self, forKey: .two)
            try super.init(from: decoder)
        }

        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(self.two, forKey: .two)
        }
    }

    @Test
    func `a subclass that asks the same encoder for a container again adds to the same map`() throws {
        let bytes = try MessagePackEncoder().encode(Derived())
        #expect(try MessagePackValue(decoding: bytes) == ["one": 1, "two": 2])
        #expect(try MessagePackDecoder().decode(Derived.self, from: bytes).two == 2)
    }

    struct Failing: Encodable {
        enum Keys: CodingKey { case good, bad, after }
        struct Bad: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(["x": [1, 2]])
                throw CancellationError()
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(1, forKey: .good)
            try? container.encode(Bad(), forKey: .bad)
            try container.encode(2, forKey: .after)
        }
    }

    @Test
    func `an element whose encoding throws leaves no trace if the caller goes on`() throws {
        #expect(try MessagePackValue(decoding: MessagePackEncoder().encode(Failing())) == ["good": 1, "after": 2])
        var buffer = ByteBuffer(string: "x")
        #expect(throws: CancellationError.self) { try MessagePackEncoder().encode([Failing.Bad()], into: &buffer) }
        #expect(buffer == ByteBuffer(string: "x"))
    }

    @Test
    func `misuse of an encoder throws and does not crash`() {
        struct TwoKinds: Encodable {
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Failing.Keys.self)
                var array = encoder.unkeyedContainer()
                try map.encode(1, forKey: .good)
                try array.encode(1)
            }
        }
        struct TwoValues: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(1)
                try container.encode(2)
            }
        }
        struct Nothing: Encodable {
            func encode(to encoder: any Encoder) throws {}
        }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode(TwoKinds()) }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode([TwoKinds()]) }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode([TwoValues()]) }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode(Nothing()) }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode(Date(timeIntervalSince1970: .infinity)) }
    }

    @Test
    func `errors tell the path`() throws {
        struct Outer: Codable {
            struct Inner: Codable { var list: [Int] }
            var inner: Inner
        }
        let bytes = try MessagePackValue.map([.init("inner", ["list": [1, "no"]])]).encoded()
        #expect {
            try MessagePackDecoder().decode(Outer.self, from: bytes)
        } throws: { error in
            guard case DecodingError.typeMismatch(_, let context) = error else { return false }
            return context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } == ["inner", "list", "1"]
        }
        #expect {
            try MessagePackEncoder().encode(["when": [Date(timeIntervalSince1970: .nan)]])
        } throws: { error in
            guard case EncodingError.invalidValue(_, let context) = error else { return false }
            return context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } == ["when", "0"]
        }
    }

    @Test
    func `the last of several equal keys counts`() throws {
        let bytes = try MessagePackValue.map([.init("a", 1), .init("b", 2), .init("a", 3)]).encoded()
        #expect(try MessagePackDecoder().decode([String: Int].self, from: bytes) == ["a": 3, "b": 2])
    }

    @Test
    func `integer keys of a dictionary`() throws {
        let bytes = try MessagePackValue.map([.init(1, "a"), .init(-2, "b")]).encoded()
        #expect(try MessagePackDecoder().decode([Int: String].self, from: bytes) == [1: "a", -2: "b"])
        #expect(try MessagePackDecoder().decode([Int: String].self, from: MessagePackEncoder().encode([5: "x"])) == [5: "x"])
    }

    @Test
    func `binary is not copied`() throws {
        let bytes = try MessagePackEncoder().encode(["blob": ByteBuffer(repeating: 7, count: 1_000)])
        let blob = try #require(try MessagePackDecoder().decode([String: ByteBuffer].self, from: bytes)["blob"])
        let inside = bytes.withUnsafeReadableBytes { outer in
            blob.withUnsafeReadableBytes { inner in
                guard let start = outer.baseAddress, let end = inner.baseAddress else { return false }
                return (start..<start + outer.count).contains(end)
            }
        }
        #expect(inside)
    }

    @Test
    func `milliseconds before 1970 round down`() {
        #expect(MessagePackTimestamp(millisecondsSince1970: -1) == MessagePackTimestamp(seconds: -1, nanoseconds: 999_000_000))
        #expect(MessagePackTimestamp(Date(timeIntervalSince1970: -0.25)) == MessagePackTimestamp(seconds: -1, nanoseconds: 750_000_000))
        #expect(MessagePackTimestamp(Date(timeIntervalSince1970: .nan)) == nil)
        #expect(MessagePackTimestamp(seconds: -1, nanoseconds: 750_000_000).date == Date(timeIntervalSince1970: -0.25))
    }
}
