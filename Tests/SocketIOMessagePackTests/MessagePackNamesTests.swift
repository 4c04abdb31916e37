// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import Testing

/// Text and keys that Swift's strings compare slowly, or take as equal although they are not.
@Suite struct MessagePackNamesTests {
    private static let few = String(repeating: "\u{301}\u{323}", count: 32)
    private static let many = few + "\u{301}"

    private struct Login: Codable { let token: String }

    private static func bytes(_ value: MessagePackValue) throws -> ByteBuffer { try value.encoded() }

    private static func refusal<T: Decodable>(_ type: T.Type, _ value: MessagePackValue) throws -> String? {
        do {
            _ = try MessagePackDecoder().decode(type, from: bytes(value))
            return nil
        } catch DecodingError.dataCorrupted(let context) {
            return context.debugDescription
        }
    }

    @Test func `text with too many marks in a row is refused wherever the application would get it`() throws {
        let text = MessagePackValue.string(Self.many)
        let complaint = "more than 64 combining marks in a row"
        #expect(try Self.refusal(String.self, text)?.contains(complaint) == true)
        #expect(try Self.refusal([String].self, ["a", text])?.contains(complaint) == true)
        #expect(try Self.refusal([String: String].self, ["a": text])?.contains(complaint) == true)
        #expect(try Self.refusal(Login.self, ["token": text])?.contains(complaint) == true)
        #expect(try Self.refusal(MessagePackValue.self, [text])?.contains(complaint) == true)
        #expect(try Self.refusal([MessagePackValue].self, [text])?.contains(complaint) == true)
        #expect { try MessagePackValue(decoding: Self.bytes(text)) } throws: { ($0 as? MessagePackError)?.code == .combiningMarks }
    }

    @Test func `a key with too many marks in a row is refused`() throws {
        let key = MessagePackValue.string(Self.many)
        let complaint = "a key has more than 64 combining marks in a row"
        #expect(try Self.refusal([String: Int].self, [key: 1])?.contains(complaint) == true)
        #expect(try Self.refusal([String: [Int]].self, [key: []])?.contains(complaint) == true)
        #expect(try Self.refusal(Login.self, ["token": "a", key: 1])?.contains(complaint) == true)
    }

    @Test func `text with as many marks as the limit is taken`() throws {
        let text = String(repeating: Self.few + "a", count: 100)
        #expect(try MessagePackDecoder().decode(String.self, from: Self.bytes(.string(text))).utf8.elementsEqual(text.utf8))
        #expect(try MessagePackDecoder().decode([String: Int].self, from: Self.bytes([.string(text): 1])).values.first == 1)
    }

    @Test(arguments: ["\u{958}", "e\u{301}", "中"])
    func `keys that are not ASCII have a limit together`(letter: String) throws {
        let keys = (0..<40).map { index in MessagePackValue.string(String(repeating: letter, count: 2_000 / letter.utf8.count) + "\(index)")
        }
        let map = { (keys: ArraySlice<MessagePackValue>) in MessagePackValue.map(keys.map { .init($0, 1) }) }
        let complaint = "have more than 65536 bytes together"
        #expect(try MessagePackDecoder().decode([String: Int].self, from: Self.bytes(map(keys[..<30]))).count == 30)
        #expect(try Self.refusal([String: Int].self, map(keys[...]))?.contains(complaint) == true)
        #expect(try Self.refusal([String: Int64].self, map(keys[...]))?.contains(complaint) == true)
        #expect(try Self.refusal([[String: Int]].self, [map(keys[..<20]), map(keys[20...])])?.contains(complaint) == true)
        #expect(try MessagePackDecoder().decode(MessagePackValue.self, from: Self.bytes(map(keys[...]))) == map(keys[...]))
    }

    @Test(arguments: [("Jos\u{E9}", "Jose\u{301}"), ("K", "\u{212A}"), (";", "\u{37E}")])
    func `a map with two keys that a dictionary would merge is refused`(left: String, right: String) throws {
        let map: MessagePackValue = [.string(left): 1, "other": 3, .string(right): 2]
        let complaint = "two keys with different bytes"
        #expect(try Self.refusal([String: Int].self, map)?.contains(complaint) == true)
        #expect(try Self.refusal([String: Int64].self, map)?.contains(complaint) == true)
        let value = try MessagePackDecoder().decode(MessagePackValue.self, from: Self.bytes(map))
        #expect(value[left] == 1 && value[right] == 2)
    }

    @Test func `a key that is only repeated still counts once`() throws {
        #expect(try MessagePackDecoder().decode([String: Int].self, from: Self.bytes(["\u{E9}": 1, "\u{E9}": 2])) == ["\u{E9}": 2])
    }

    @Test func `keys of large maps are told apart by their bytes`() throws {
        struct Both: Decodable {
            let letter: Int
            let kelvin: Int?
            enum CodingKeys: String, CodingKey {
                case letter = "K"
                case kelvin = "\u{212A}"
            }
        }
        let filler = (0..<40).map { MessagePackValue.Pair(.string("k\($0)"), 0) }
        let value = try MessagePackDecoder().decode(Both.self, from: Self.bytes(.map([.init("K", 1)] + filler)))
        #expect(value.letter == 1 && value.kelvin == nil)
    }

    @Test func `values are compared by their bytes`() {
        #expect(MessagePackValue.string("\u{E9}") != .string("e\u{301}"))
        #expect(Set<MessagePackValue>(["\u{E9}", "e\u{301}", "\u{E9}", [1], 1, nil]).count == 5)
    }
}
