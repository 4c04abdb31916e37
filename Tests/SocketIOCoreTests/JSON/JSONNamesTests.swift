// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOCore
import SocketIOText
import Testing

/// Text and keys that Swift's strings compare slowly, or take as equal although they are not.
@Suite struct JSONNamesTests {
    private static let few = String(repeating: "\u{301}\u{323}", count: 32)
    private static let many = few + "\u{301}"
    private static let escaped = String(repeating: #"\u0301\u0323"#, count: 33)

    private struct Login: Decodable { let token: String }
    private struct Optional: Decodable { let token: String? }
    private enum Choice: String, Decodable { case one }

    private static func refusal<T: Decodable>(_ type: T.Type, _ json: String) -> String? {
        do {
            _ = try JSONCoding.decode(type, json)
            return nil
        } catch DecodingError.dataCorrupted(let context) {
            return context.debugDescription
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [many, escaped, "x" + many + "x"])
    func `text with too many marks in a row is refused wherever the application would get it`(text: String) throws {
        let complaint = "more than 64 combining marks in a row"
        #expect(Self.refusal(String.self, #""\#(text)""#)?.contains(complaint) == true)
        #expect(Self.refusal([String].self, #"["a","\#(text)"]"#)?.contains(complaint) == true)
        #expect(Self.refusal([String: String].self, #"{"a":"\#(text)"}"#)?.contains(complaint) == true)
        #expect(Self.refusal(Login.self, #"{"token":"\#(text)"}"#)?.contains(complaint) == true)
        #expect(Self.refusal(Optional.self, #"{"token":"\#(text)"}"#)?.contains(complaint) == true)
        #expect(Self.refusal(SocketIOValue.self, #"[{"a":"\#(text)"}]"#)?.contains(complaint) == true)
        #expect(Self.refusal(Choice.self, #""\#(text)""#)?.contains(complaint) == true)
        #expect(Self.refusal(URL.self, #""\#(text)""#)?.contains(complaint) == true)
        #expect(Self.refusal(Date.self, #""\#(text)""#)?.contains(complaint) == true)
    }

    @Test(arguments: [many, escaped])
    func `a key with too many marks in a row is refused`(key: String) throws {
        let complaint = "a key has more than 64 combining marks in a row"
        #expect(Self.refusal([String: Int].self, #"{"\#(key)":1}"#)?.contains(complaint) == true)
        #expect(Self.refusal([String: [Int]].self, #"{"a":[],"\#(key)":[]}"#)?.contains(complaint) == true)
        #expect(Self.refusal(Login.self, #"{"token":"a","\#(key)":1}"#)?.contains(complaint) == true)
        #expect(Self.refusal(SocketIOValue.self, #"{"\#(key)":1}"#)?.contains(complaint) == true)
    }

    @Test func `the path to refused text is named`() throws {
        let error = try #require(throws: DecodingError.self) { try JSONCoding.decode([Login].self, #"[{"token":"\#(Self.many)"}]"#) }
        guard case .dataCorrupted(let context) = error else { throw error }
        #expect(context.codingPath.map(\.stringValue) == ["Index 0", "token"])
    }

    @Test func `text with as many marks as the limit is taken`() throws {
        #expect(try JSONCoding.decode(String.self, #""\#(Self.few)""#).utf8.elementsEqual(Self.few.utf8))
        let text = String(repeating: Self.few + "a", count: 100)
        #expect(try JSONCoding.decode(Login.self, #"{"token":"\#(text)"}"#).token.utf8.elementsEqual(text.utf8))
        #expect(try JSONCoding.decode([String: Int].self, #"{"\#(text)":1}"#).values.first == 1)
    }

    /// All of three bytes, the last one once its escape is resolved.
    @Test(arguments: ["\u{958}", "e\u{301}", "中", #"\u0958"#])
    func `keys that are not ASCII have a limit together`(letter: String) throws {
        let keys = (0..<40).map { index in String(repeating: letter, count: 660) + "\(index)" }
        let object = { (keys: ArraySlice<String>) in "{" + keys.map { #""\#($0)":1"# }.joined(separator: ",") + "}" }
        let complaint = "have more than 65536 bytes together"
        #expect(try JSONCoding.decode([String: Int].self, object(keys[..<30])).count == 30)
        #expect(Self.refusal([String: Int].self, object(keys[...]))?.contains(complaint) == true)
        #expect(Self.refusal([String: Int64].self, object(keys[...]))?.contains(complaint) == true)
        #expect(Self.refusal([[String: Int]].self, "[\(object(keys[..<20])),\(object(keys[20...]))]")?.contains(complaint) == true)
        guard case .object(let members) = try JSONCoding.decode(SocketIOValue.self, object(keys[...])) else { throw CancellationError() }
        #expect(members.count == 40)
    }

    @Test func `a long key with escapes is found by its whole name, and by no other`() throws {
        struct Wanted: Decodable { let token: String, other: Int? }
        let long = String(repeating: #"\u0061"#, count: 300)
        let value = try JSONCoding.decode([String: Int].self, #"{"\#(long)":1,"\#(long)":2,"b":3}"#)
        #expect(value == [String(repeating: "a", count: 300): 2, "b": 3])
        let wanted = try JSONCoding.decode(Wanted.self, #"{"\#(long)":1,"\u0074oke\u006e":"x","\u006f\u0074\u0068\u0065\u0072":7}"#)
        #expect(wanted.token == "x" && wanted.other == 7)
    }

    @Test(arguments: [("Jos\u{E9}", "Jose\u{301}"), ("K", "\u{212A}"), (";", "\u{37E}"), (#"\u0065\u0301"#, "\u{E9}")])
    func `an object with two keys that a dictionary would merge is refused`(left: String, right: String) throws {
        let json = #"{"\#(left)":1,"other":3,"\#(right)":2}"#
        let complaint = "two keys with different bytes"
        #expect(Self.refusal([String: Int].self, json)?.contains(complaint) == true)
        #expect(Self.refusal([String: Double?].self, json)?.contains(complaint) == true)
        #expect(Self.refusal([[String: Int]].self, "[\(json)]")?.contains(complaint) == true)
        // JavaScript distinguishes them, and so does this type.
        let value = try JSONCoding.decode(SocketIOValue.self, json)
        guard case .object(let members) = value else { throw CancellationError() }
        #expect(members.count == 3)
        #expect(value[right] == 2)
    }

    @Test func `a key that is only repeated still counts once`() throws {
        #expect(try JSONCoding.decode([String: Int].self, #"{"\u00e9":1,"é":2}"#) == ["\u{E9}": 2])
    }

    @Test func `keys of large objects are told apart by their bytes`() throws {
        struct Both: Decodable {
            let composed: Int
            let kelvin: Int?
            enum CodingKeys: String, CodingKey {
                case composed = "K"
                case kelvin = "\u{212A}"
            }
        }
        let filler = (0..<40).map { #""k\#($0)":0"# }.joined(separator: ",")
        let value = try JSONCoding.decode(Both.self, #"{"K":1,\#(filler)}"#)
        #expect(value.composed == 1 && value.kelvin == nil)
    }

    @Test func `values are compared by their bytes`() {
        #expect(SocketIOValue.string("\u{E9}") != .string("e\u{301}"))
        #expect((["\u{E9}": 1] as SocketIOValue) != ["e\u{301}": 1])
        #expect(Set<SocketIOValue>(["\u{E9}", "e\u{301}", "\u{E9}", [1], 1, nil]).count == 5)
        #expect(SocketIOValue(["a": 1]) == ["a": 1])
    }
}
