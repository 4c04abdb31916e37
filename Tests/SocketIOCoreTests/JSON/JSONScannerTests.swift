// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCore

@Suite("JSONScanner")
struct JSONScannerTests {
    @Test(arguments: [
        "0", "-0", "1", "-1.5e+10", "1E5", "1e-5", "0.0", "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\uDD1E\"",
        "true", "false",
        "null", "[]", "{}", " [ ] ", "\t{\r\n}\n", "[1,\"a\",null,[{}]]", "{\"a\":{\"b\":[1,2]},\"c\":\"\"}", "\"\\ud800\"",
        "\"\u{7f}\u{2028}é✓𝕊\"",
        "{\"a\":1,\"a\":2}", "{\"\":0}", "[[[[]]]]", "\"12345678\"", "\"1234567\\n12345678901234567\"",
    ]
    )
    func `accepts what RFC 8259 allows`(text: String) throws {
        try JSONScanner().validate(ByteBuffer(string: text))
        #expect(
            try JSONScanner().elements(of: ByteBuffer(string: "[\(text),\(text)]")).map { String(buffer: $0) }
                == [text, text].map(Self.trimmed)
        )
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    @Test(arguments: [
        "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
        "{a:1}", "{'a':1}",
        "{1:2}", "{\"a\" 1}", "{\"a\"::1}", "{,}", "[1}", "{\"a\":1]", "01", "-01", "+1", "1.", ".5", "-", "1e", "1e+", "0x10", "1_000",
        "1a", "NaN",
        "Infinity", "-Infinity", "nul", "nulll", "True", "tru", "truefalse", "undefined", "\"", "\"a", "\"\\", "\"\\\"", "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"", "\"\\u\"", "'a'", "\"\n\"", "\"\u{0}\"", "\"\u{1f}\"", "1 2", "[] []", "[]]", "{}}", "null null", "// a\n1",
        "/**/1", "[1]x",
        "\u{feff}1", "\u{a0}1", "\u{b}1", "\"a\"b\"", "[\"a\"\"b\"]", "{\"a\":1 \"b\":2}",
    ]
    )
    func `refuses everything else`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONScanner().validate(ByteBuffer(string: text)) }
        #expect(throws: JSONSyntaxError.self) { try JSONScanner().elements(of: ByteBuffer(string: text)) }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(SocketIOValue.self, text) }
        let wrapped = ByteBuffer(string: "[1,\(text)1]x")
        #expect(throws: JSONSyntaxError.self) { try JSONScanner().validate(wrapped) }
    }

    @Test(
        arguments: [
            [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc3, 0x28], [0xe0, 0x9f, 0xbf], [0xe2, 0x28, 0xa1], [0xe2, 0x82],
            [0xed, 0xa0, 0x80],
            [0xed, 0xbf, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x90, 0x28, 0xbc], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80],
            [0xfe], [0xff],
        ] as [[UInt8]]
    )
    func `refuses bytes that are not UTF-8, wherever they are in a string`(bytes: [UInt8]) {
        for padding in 0..<18 {
            let text = [0x22] + [UInt8](repeating: 0x61, count: padding) + bytes + [0x62, 0x62, 0x22]
            #expect { try JSONScanner().validate(ByteBuffer(bytes: text)) } throws: { ($0 as? JSONSyntaxError)?.reason == .invalidUTF8 }
            #expect(throws: DecodingError.self) { try JSONArgumentDecoder().decode(String.self, from: ByteBuffer(bytes: text)) }
        }
        #expect(throws: JSONSyntaxError.self) { try JSONScanner().validate(ByteBuffer(bytes: [0x22] + bytes)) }
    }

    @Test(arguments: 0..<40)
    func `finds special characters at every distance from the start`(padding: Int) throws {
        let filler = String(repeating: "a", count: padding)
        for special in ["\\n", "é", "\\\"", "𝕊", "\u{7f}"] {
            try JSONScanner().validate(ByteBuffer(string: "\"\(filler)\(special)\(filler)\""))
        }
        for special in ["\n", "\u{0}", "\"", "\\q", "\u{1f}"] {
            let text = ByteBuffer(string: "\"\(filler)\(special)\(filler)\"")
            #expect(throws: JSONSyntaxError.self) { try JSONScanner().validate(text) }
        }
        let string = "\(filler)\u{1}\"\\é\(filler)"
        #expect(try JSONCoding.decode(String.self, JSONCoding.encode(string).json) == string)
    }

    @Test
    func `elements are found in a buffer whose reader index is not zero`() throws {
        var buffer = ByteBuffer(string: "42[\"name\" , {\"a\":[1,2]},[],3.5,\"x\",null , [{}]]")
        buffer.moveReaderIndex(forwardBy: 2)
        let elements = try JSONScanner().elements(of: buffer)
        #expect(elements.map { String(buffer: $0) } == ["\"name\"", "{\"a\":[1,2]}", "[]", "3.5", "\"x\"", "null", "[{}]"])
        #expect(elements.count == 7)
        #expect(elements.ranges[7] == nil && elements.ranges[-1] == nil)
        #expect(elements.ranges.dropFirst()[0] == elements.ranges[1] && elements.ranges.dropFirst().dropLast().count == 5)
        #expect(elements.ranges.dropLast()[6] == nil && elements.ranges.dropFirst()[5] == elements.ranges[6])
        #expect(elements.ranges[0] == 1..<7)
        #expect(try JSONScanner().elements(of: ByteBuffer(string: "[]")).isEmpty)
    }

    @Test(arguments: ["{}", "{\"toString\":\"foo\"}", "\"a\"", "1", "null", "true"])
    func `only an array has elements`(text: String) {
        #expect { try JSONScanner().elements(of: ByteBuffer(string: text)) } throws: { ($0 as? JSONSyntaxError)?.reason == .notAnArray }
    }

    @Test
    func `the number of elements is bounded`() throws {
        let scanner = JSONScanner(maximumElements: 3)
        #expect(try scanner.elements(of: ByteBuffer(string: "[1,[2,2,2,2],3]")).count == 3)
        for text in ["[1,2,3,4]", "[1,2,3,[]]"] {
            #expect { try scanner.elements(of: ByteBuffer(string: text)) } throws: { ($0 as? JSONSyntaxError)?.reason == .tooManyElements }
        }
    }

    @Test
    func `64 nested arrays or objects are accepted by everything, 65 by nothing`() throws {
        for (open, inner, close) in [("[", "", "]"), ("{\"a\":", "1", "}"), ("[{\"a\":", "1", "}]")] {
            let unit = close.count
            let count = 64 / unit
            let deepest = String(repeating: open, count: count) + inner + String(repeating: close, count: count)
            try JSONScanner().validate(ByteBuffer(string: deepest))
            let value = try JSONCoding.decode(SocketIOValue.self, deepest)
            #expect(try JSONCoding.encode(value).json == deepest)
            #expect(try JSONCoding.encode(JSONCoding.decode(Document.self, deepest)).json == deepest)
            let deeper = ByteBuffer(string: "[\(deepest)]")
            #expect { try JSONScanner().validate(deeper) } throws: { ($0 as? JSONSyntaxError)?.reason == .tooDeep }
            #expect(throws: DecodingError.self) { try JSONArgumentDecoder().decode(SocketIOValue.self, from: deeper) }
            #expect(throws: EncodingError.self) { try JSONCoding.encode(SocketIOValue.array([value])) }
            #expect(throws: EncodingError.self) { try JSONCoding.encode([value]) }
            #expect(throws: EncodingError.self) { try JSONCoding.encode(["a": ["b": value]]) }
            #expect(throws: EncodingError.self) { try JSONCoding.encode([value.document]) }
        }
        #expect { try JSONScanner(maximumDepth: 2).validate(ByteBuffer(string: "[[[]]]")) } throws: {
            ($0 as? JSONSyntaxError)?.reason == .tooDeep
        }
        #expect(JSONScanner(maximumDepth: 10_000).maximumDepth == 64)
    }

    @Test(.timeLimit(.minutes(1)))
    func `large hostile texts take linear time`() {
        let count = 2_000_000
        for text in [
            String(repeating: "[", count: count), String(repeating: "{\"a\":", count: count / 5),
            "\"" + String(repeating: "\\\"", count: count),
            "\"" + String(repeating: "é", count: count), String(repeating: "9", count: count) + "x",
            "[" + String(repeating: "0,", count: count),
            String(repeating: " ", count: count), "[" + String(repeating: "\"\",", count: count),
            "1e" + String(repeating: "9", count: count) + ".",
        ] {
            #expect(throws: JSONSyntaxError.self) { try JSONScanner().validate(ByteBuffer(string: text)) }
            #expect(throws: JSONSyntaxError.self) { try JSONScanner().elements(of: ByteBuffer(string: text)) }
            #expect(throws: DecodingError.self) { try JSONCoding.decode(SocketIOValue.self, text) }
        }
    }
}

extension SocketIOValue {
    fileprivate var document: Document {
        switch self {
        case .null, .binary: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(Int(value))
        case .uint(let value): .double(Double(value))
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .array(let values): .array(values.map(\.document))
        case .object(let members): .object(Dictionary(members.map { ($0.name, $0.value.document) }) { $1 })
        }
    }
}
