// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOCore
import SocketIOMessagePack
import Testing

@Suite("JSON arguments")
struct JSONArgumentTests {
    // MARK: Binary

    struct Photo: Codable, Equatable {
        var name: String
        var image: Data
        var thumbnail: [UInt8]
        var more: [ByteBuffer]
        var extra: [String: Data?]
    }

    @Test
    func `binary anywhere in a value becomes attachments and comes back`() throws {
        let photo = Photo(
            name: "p",
            image: Data([1, 2]),
            thumbnail: [3],
            more: [ByteBuffer(bytes: [4]), ByteBuffer()],
            extra: ["k": Data([5])]
        )
        var buffer = ByteBuffer(string: "[")
        var attachments = [ByteBuffer(string: "earlier")]
        try JSONArgumentEncoder().encode(photo, into: &buffer, attachments: &attachments)
        #expect(
            String(buffer: buffer) == """
                [{"name":"p","image":{"_placeholder":true,"num":1},"thumbnail":{"_placeholder":true,"num":2},"more":\
                [{"_placeholder":true,"num":3},{"_placeholder":true,"num":4}],"extra":{"k":{"_placeholder":true,"num":5}}}
                """
        )
        #expect(attachments.dropFirst().map { Array($0.readableBytesView) } == [[1, 2], [3], [4], [], [5]])
        buffer.moveReaderIndex(forwardBy: 1)
        #expect(try JSONArgumentDecoder().decode(Photo.self, from: buffer, attachments: attachments) == photo)
    }

    @Test
    func `binary as the whole argument`() throws {
        let (json, attachments) = try JSONCoding.encode([UInt8](0...3))
        #expect(json == #"{"_placeholder":true,"num":0}"#)
        #expect(try JSONCoding.decode([UInt8].self, json, attachments) == [0, 1, 2, 3])
        #expect(try JSONCoding.decode(Data.self, json, attachments) == Data([0, 1, 2, 3]))
        #expect(try JSONCoding.decode(ByteBuffer.self, json, attachments) == ByteBuffer(bytes: [0, 1, 2, 3]))
        #expect(try JSONCoding.decode(Data?.self, json, attachments) == Data([0, 1, 2, 3]))
        #expect(try JSONCoding.decode(Data?.self, "null", attachments) == nil)
        #expect(try JSONCoding.decode(SocketIOValue.self, json, attachments) == .binary(ByteBuffer(bytes: [0, 1, 2, 3])))
        #expect(try JSONCoding.decode([UInt8].self, "[1,2,255]") == [1, 2, 255])
    }

    @Test(arguments: [
        #"{"_placeholder":true,"num":"splice"}"#, #"{"_placeholder":true,"num":1}"#, #"{"_placeholder":true,"num":-1}"#,
        #"{"_placeholder":true,"num":0.5}"#, #"{"_placeholder":true,"num":1e99}"#, #"{"_placeholder":true,"num":null}"#,
        #"{"_placeholder":true,"num":[0]}"#, #"{"_placeholder":true,"num":true}"#, #"{"_placeholder":true}"#,
        #"{"_placeholder":true,"num":99999999999999999999}"#, #"{"_placeholder":true,"num":"0"}"#,
        #"{"_placeholder":true,"num":0,"num":7}"#,
    ]
    )
    func `a placeholder must name an attachment with an integer (CVE-2022-2421)`(json: String) {
        let attachments = [ByteBuffer(bytes: [1])]
        #expect(throws: DecodingError.self) { try JSONCoding.decode(Data.self, json, attachments) }
        #expect(throws: DecodingError.self) { try JSONCoding.decode([UInt8].self, json, attachments) }
        #expect(throws: DecodingError.self) { try JSONCoding.decode([ByteBuffer].self, "[\(json)]", attachments) }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(SocketIOValue.self, json, attachments) }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(SocketIOValue.self, "{\"a\":[\(json)]}", attachments) }
    }

    @Test(arguments: [
        #"{"_placeholder":1,"num":0}"#, #"{"_placeholder":"true","num":0}"#, #"{"_placeholder":false,"num":0}"#, #"{"num":0}"#,
        #""AQI=""#, "1", "[]",
    ]
    )
    func `what is no placeholder is no binary`(json: String) throws {
        #expect(throws: DecodingError.self) { try JSONCoding.decode(Data.self, json, [ByteBuffer(bytes: [1])]) }
        guard case .binary = try JSONCoding.decode(SocketIOValue.self, json, [ByteBuffer(bytes: [1])]) else { return }
        Issue.record("\(json) was taken for binary")
    }

    // MARK: Strings, numbers, keys

    @Test(arguments: [
        (#""\u0041\n\/\"\\""#, "A\n/\"\\"), (#""\uD834\uDD1E""#, "𝄞"), (#""\ud834\udd1e""#, "𝄞"), (#""\uD834""#, "\u{fffd}"),
        (#""\uDD1E""#, "\u{fffd}"),
        (#""\uD834x""#, "\u{fffd}x"), (#""\uD834\n""#, "\u{fffd}\n"), (#""\uD834\uD834\uDD1E""#, "\u{fffd}𝄞"),
        (#""\uDD1E\uD834""#, "\u{fffd}\u{fffd}"),
        (#""\u0000\b\f\r\t""#, "\u{0}\u{8}\u{c}\r\t"), (#""é✓""#, "é✓"), (#""""#, ""),
    ]
    )
    func `escapes are decoded as JSON.parse does`(json: String, string: String) throws {
        #expect(try JSONCoding.decode(String.self, json) == string)
        #expect(try JSONCoding.decode([String].self, "[\(json)]") == [string])
        #expect(try JSONCoding.decode(SocketIOValue.self, json) == .string(string))
        let again = try JSONCoding.encode(string).json
        #expect(try JSONCoding.decode(String.self, again) == string)
    }

    @Test
    func `strings are escaped as far as JSON demands, not further`() throws {
        #expect(
            try JSONCoding.encode("a\"b\\c/d\u{0}\u{1f}\n\r\t\u{8}\u{c}\u{7f}\u{2028}é").json == #""a\"b\\c/d\u0000\u001f\n\r\t\b\f"#
                + "\u{7f}\u{2028}é\""
        )
        let nsString = NSString(string: "bridged \"string\" é") as String
        #expect(try JSONCoding.encode(nsString).json == #""bridged \"string\" é""#)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-1.5, "-1.5"), (1e15, "1000000000000000"), (9_007_199_254_740_991, "9007199254740991"),
            (0.1, "0.1"),
            (1e21, "1e+21"), (.leastNonzeroMagnitude, "5e-324"), (1e-7, "1e-07"), (123456.789, "123456.789"),
        ] as [(Double, String)]
    )
    func `numbers are written as JavaScript writes them, or in a form it reads alike`(value: Double, text: String) throws {
        #expect(try JSONCoding.encode(value).json == text)
        #expect(try JSONCoding.encode([value]).json == "[\(text)]")
        #expect(try JSONCoding.decode(Double.self, text) == value)
    }

    @Test(
        arguments: [
            ("1", 1), ("-0", 0), ("1.0", 1), ("1e3", 1_000), ("1.5e1", 15), ("100e-2", 1), ("9223372036854775807", .max),
            ("-9223372036854775808", .min),
            ("0e999999999999999999999", 0), ("1000000000000000000000e-3", 1_000_000_000_000_000_000), ("-1E+2", -100),
        ] as [(String, Int)]
    )
    func `integers decode from any text of a whole number that fits`(text: String, value: Int) throws {
        #expect(try JSONCoding.decode(Int.self, text) == value)
        #expect(try JSONCoding.decode([Int64].self, "[ \(text) ]") == [Int64(value)])
    }

    @Test(arguments: [
        "1.5", "9223372036854775808", "-9223372036854775809", "1e19", "99999999999999999999999", "1e999999999999999999999", "0.1",
        "1e-1",
        "9007199254740993.5",
    ]
    )
    func `numbers that do not fit are refused, not rounded`(text: String) {
        #expect(throws: DecodingError.self) { try JSONCoding.decode(Int.self, text) }
        #expect(throws: DecodingError.self) { try JSONCoding.decode([Int].self, "[\(text)]") }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(UInt8.self, "256") }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(UInt.self, "-1") }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(Double.self, "1e400") }
        #expect(throws: DecodingError.self) { try JSONCoding.decode(Float.self, "1e39") }
    }

    @Test
    func `every number type of the standard library goes through both coders`() throws {
        struct Numbers: Codable, Equatable {
            var a = Int8.min, b = Int16.min, c = Int32.min, d = Int64.min, e = Int.min
            var f = UInt8.max, g = UInt16.max, h = UInt32.max, i = UInt64.max, j = UInt.max
            var k = Float.leastNonzeroMagnitude, l = Double.greatestFiniteMagnitude
        }
        #expect(try JSONCoding.decode(Numbers.self, JSONCoding.encode(Numbers()).json) == Numbers())
        #expect(try JSONDecoder().decode(Numbers.self, from: Data(JSONCoding.encode(Numbers()).json.utf8)) == Numbers())
        #expect(try MessagePackDecoder().decode(Numbers.self, from: MessagePackEncoder().encode(Numbers())) == Numbers())
        // Those of 128 bits too, as arguments and in arrays.
        #expect(try MessagePackDecoder().decode([Int128].self, from: MessagePackEncoder().encode([Int128(-5)])) == [-5])
        #expect(try JSONCoding.encode([Int128.min]).json == "[\(Int128.min)]")
        #expect(try JSONCoding.decode([Int128].self, "[\(Int128.min)]") == [.min])
        #expect(throws: DecodingError.self) { try JSONCoding.decode(UInt128.self, "-1") }
        #expect(throws: EncodingError.self) { try MessagePackEncoder().encode([Int128.min]) }
    }

    @Test
    func `numbers that are not finite cannot be encoded; the error tells where`() {
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(throws: EncodingError.self) { try JSONCoding.encode(value) }
            #expect(throws: EncodingError.self) { try JSONCoding.encode(Float(value)) }
            #expect {
                try JSONCoding.encode(["a": [1, value]])
            } throws: { error in
                guard case EncodingError.invalidValue(_, let context) = error else { return false }
                return context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } == ["a", "1"]
            }
        }
    }

    @Test
    func `keys are keys, whatever they are called`() throws {
        let json = #"{"__proto__":1,"$oid":2,"constructor":3,"":4,"a\u0062":5,"@class":6}"#
        let expected = ["__proto__": 1, "$oid": 2, "constructor": 3, "": 4, "ab": 5, "@class": 6]
        #expect(try JSONCoding.decode([String: Int].self, json) == expected)
        #expect(try JSONCoding.decode(SocketIOValue.self, json) == SocketIOValue(expected.mapValues { .int(Int64($0)) }))
        struct Keyed: Decodable { var ab: Int }
        #expect(try JSONCoding.decode(Keyed.self, json).ab == 5)
    }

    @Test(arguments: [0, 10, 100])
    func `of equal keys the last one counts, in small and large objects`(padding: Int) throws {
        let filler = (0..<padding).map { "\"k\($0)\":0," }.joined()
        let json = "{\"x\":1,\(filler)\"\\u0078\":2,\"y\":3}"
        struct Keyed: Decodable, Equatable { var x: Int, y: Int }
        #expect(try JSONCoding.decode(Keyed.self, json) == Keyed(x: 2, y: 3))
        #expect(try JSONCoding.decode([String: Int].self, json).count == padding + 2)
        #expect(try JSONCoding.decode(SocketIOValue.self, json)["x"] == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a large object takes linear time`() throws {
        let value = Dictionary(uniqueKeysWithValues: (0..<50_000).map { ("key\($0)", $0) })
        let json = try JSONCoding.encode(value).json
        #expect(try JSONCoding.decode([String: Int].self, json) == value)
    }

    // MARK: Dates

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_700_000_000.123, "2023-11-14T22:13:20.123Z"), (-1, "1969-12-31T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"), (253_402_300_800, "+010000-01-01T00:00:00.000Z"),
            (-62_198_755_200, "-000001-01-01T00:00:00.000Z"),
            (-62_167_219_200, "0000-01-01T00:00:00.000Z"), (8.64e12, "+275760-09-13T00:00:00.000Z"), (-0.001, "1969-12-31T23:59:59.999Z"),
        ] as [(Double, String)]
    )
    func `dates are what JavaScript's Date is in JSON`(seconds: Double, text: String) throws {
        let date = Date(timeIntervalSince1970: seconds)
        #expect(try JSONCoding.encode(date).json == "\"\(text)\"")
        let decoded = try JSONCoding.decode(Date.self, "\"\(text)\"")
        #expect(abs(decoded.timeIntervalSince(date)) < 0.0005)
        #expect(try JSONCoding.encode(decoded).json == "\"\(text)\"")
    }

    @Test(
        arguments: [
            ("\"2026-01-31\"", 1_769_817_600), ("\"2026-01-31T12:00Z\"", 1_769_860_800), ("\"2026-01-31T12:00:00Z\"", 1_769_860_800),
            ("\"2026-01-31T14:00:00.5+02:00\"", 1_769_860_800.5), ("\"2026-01-31T06:30:00-05:30\"", 1_769_860_800),
            ("\"2026-01-30T24:00Z\"", 1_769_817_600),
            ("1769860800123", 1_769_860_800.123), ("\"2026-01\"", 1_767_225_600), ("\"2026\"", 1_767_225_600),
        ] as [(String, Double)]
    )
    func `other texts of dates`(json: String, seconds: Double) throws {
        #expect(abs(try JSONCoding.decode(Date.self, json).timeIntervalSince1970 - seconds) < 0.000_001)
    }

    @Test(arguments: [
        "\"\"", "\"now\"", "\"2026-13-01\"", "\"2026-02-29\"", "\"2026-01-32\"", "\"2026-01-01T25:00Z\"", "\"2026-01-01T12:00\"",
        "\"2026-01-01 12:00Z\"",
        "\"2026-01-01T12:00:60Z\"", "\"-000000-01-01\"", "\"2026-01-01T24:01Z\"", "\"2026-01-01T12:00:00.Z\"", "true", "9e15", "{}",
        "null",
        "\"2026-01-01T12:00:00.000Zx\"", "\"2026-01-01T12:00:00.0000000000000000000000000000000000000000Z\"",
    ]
    )
    func `what is no date`(json: String) {
        #expect(throws: DecodingError.self) { try JSONCoding.decode(Date.self, json) }
    }

    @Test(arguments: [Double.nan, .infinity, 1e18])
    func `a date that JavaScript has not is refused, and the error can be printed`(seconds: Double) {
        let error = #expect(throws: EncodingError.self) { try JSONCoding.encode(["when": Date(timeIntervalSince1970: seconds)]) }
        #expect(error.map { "\($0)".contains("when") } == true)
    }

    // MARK: Containers by hand

    /// Opens several nested containers, fills them in turns, and calls `super` in between.
    struct Interleaved: Codable, Equatable {
        enum Keys: String, CodingKey { case left, list, own, last }
        var numbers: [Int]
        var blob: Data

        init(numbers: [Int], blob: Data) {
            self.numbers = numbers
            self.blob = blob
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let left = try container.nestedContainer(keyedBy: Keys.self, forKey: .left)
            var list = try container.nestedUnkeyedContainer(forKey: .list)
            var numbers = [try left.decode(Int.self, forKey: .own)]
            while !list.isAtEnd { numbers.append(try list.decode(Int.self)) }
            numbers.append(try container.superDecoder().singleValueContainer().decode(Int.self))
            self.numbers = numbers
            self.blob = try left.decode(Data.self, forKey: .last)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            var left = container.nestedContainer(keyedBy: Keys.self, forKey: .left)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            let parent = container.superEncoder()
            try container.encode(Data([9]), forKey: .own)
            try left.encode(self.numbers[0], forKey: .own)
            for number in self.numbers[1..<(self.numbers.count - 1)] { try list.encode(number) }
            try left.encode(self.blob, forKey: .last)
            var single = parent.singleValueContainer()
            try single.encode(self.numbers[self.numbers.count - 1])
        }
    }

    @Test
    func `nested containers may be filled in any order, binary included`() throws {
        let values = [Interleaved(numbers: Array(0..<40), blob: Data([1])), Interleaved(numbers: [1, 2], blob: Data([2]))]
        var buffer = ByteBuffer(string: "xx")
        var attachments: [ByteBuffer] = []
        buffer.moveReaderIndex(forwardBy: 1)
        try JSONArgumentEncoder().encode(values, into: &buffer, attachments: &attachments)
        #expect(buffer.readString(length: 1) == "x")
        #expect(attachments.count == 4)
        #expect(try JSONArgumentDecoder().decode([Interleaved].self, from: buffer, attachments: attachments) == values)
    }

    struct Failing: Encodable {
        enum Keys: CodingKey { case good, bad, after }
        struct Bad: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(["x": [Data([1])]])
                throw CancellationError()
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try? container.encode(Bad(), forKey: .bad)
            try container.encode(1, forKey: .good)
            try? container.encode(Bad(), forKey: .bad)
            try container.encode(Data([2]), forKey: .after)
        }
    }

    @Test
    func `an element whose encoding throws leaves no trace if the caller goes on`() throws {
        let (json, attachments) = try JSONCoding.encode(Failing())
        #expect(json == #"{"good":1,"after":{"_placeholder":true,"num":0}}"#)
        #expect(attachments == [ByteBuffer(bytes: [2])])
        var buffer = ByteBuffer(string: "x")
        var kept = [ByteBuffer()]
        #expect(throws: CancellationError.self) { try JSONArgumentEncoder().encode([Failing.Bad()], into: &buffer, attachments: &kept) }
        #expect(buffer == ByteBuffer(string: "x") && kept.count == 1)
    }

    @Test
    func `misuse of an encoder throws and does not crash`() throws {
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
                try container.encode("2")
            }
        }
        struct Nothing: Encodable {
            func encode(to encoder: any Encoder) throws {}
        }
        #expect(throws: EncodingError.self) { try JSONCoding.encode(TwoKinds()) }
        #expect(throws: EncodingError.self) { try JSONCoding.encode([TwoKinds()]) }
        #expect(throws: EncodingError.self) { try JSONCoding.encode([TwoValues()]) }
        #expect(throws: EncodingError.self) { try JSONCoding.encode(Nothing()) }
        #expect(try JSONCoding.encode(["a": Nothing()]).json == #"{"a":{}}"#)
    }

    @Test
    func `errors of decoding tell what and where`() {
        struct Outer: Decodable {
            struct Inner: Decodable { var list: [Int], name: String }
            var inner: Inner
        }
        let texts: [(String, [String], String)] = [
            (#"{"inner":{"list":[1,"no"],"name":"a"}}"#, ["inner", "list", "1"], "typeMismatch"),
            (#"{"inner":{"list":[1],"name":2}}"#, ["inner", "name"], "typeMismatch"),
            (#"{"inner":{"list":[1],"name":null}}"#, ["inner", "name"], "valueNotFound"),
            (#"{"inner":{"list":[1.5],"name":""}}"#, ["inner", "list", "0"], "dataCorrupted"),
            (#"{"inner":{"list":[]}}"#, ["inner"], "keyNotFound"),
            (#"{"inner":[]}"#, ["inner"], "typeMismatch"), ("[]", [], "typeMismatch"), ("null", [], "valueNotFound"),
            ("{", [], "dataCorrupted"),
        ]
        for (text, path, kind) in texts {
            let error = #expect(throws: DecodingError.self) { try JSONCoding.decode(Outer.self, text) }
            let theirs = #expect(throws: DecodingError.self) { try JSONDecoder().decode(Outer.self, from: Data(text.utf8)) }
            #expect(error?.kind == kind && error?.path == path, "\(text)")
            #expect(error?.kind == theirs?.kind, "\(text)")
            // Foundation leaves out the index of a number that does not fit.
            if kind != "dataCorrupted" { #expect(error?.path == theirs?.path, "\(text)") }
        }
        let element = #expect(throws: DecodingError.self) { try JSONCoding.decode([String: [Int]].self, #"{"a":[],"b":[1,2,"3"]}"#) }
        #expect(element?.path == ["b", "2"])
        let member = #expect(throws: DecodingError.self) { try JSONCoding.decode([[String: Bool]].self, #"[{},{"b":true,"c":0}]"#) }
        #expect(member?.path == ["1", "c"])
        #expect(#expect(throws: DecodingError.self) { try JSONCoding.decode(String.self, "1") }?.kind == "typeMismatch")
        #expect(#expect(throws: DecodingError.self) { try JSONCoding.decode(Int.self, "null") }?.kind == "valueNotFound")
        #expect(#expect(throws: DecodingError.self) { try JSONCoding.decode(Bool.self, "1") }?.kind == "typeMismatch")
        #expect(#expect(throws: DecodingError.self) { try JSONCoding.decode(Double.self, "\"1\"") }?.kind == "typeMismatch")
    }
}

extension DecodingError {
    fileprivate var kind: String {
        switch self {
        case .typeMismatch: "typeMismatch"
        case .valueNotFound: "valueNotFound"
        case .keyNotFound: "keyNotFound"
        case .dataCorrupted: "dataCorrupted"
        @unknown default: "other"
        }
    }

    fileprivate var path: [String] {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        @unknown default: []
        }
    }
}
