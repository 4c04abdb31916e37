// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack

/// One value of each format of the specification with its bytes, in the smallest encoding.
struct Vector: Sendable, CustomStringConvertible {
    let name: String
    let value: MessagePackValue
    let bytes: [UInt8]

    init(_ name: String, _ value: MessagePackValue, _ bytes: [UInt8]) {
        self.name = name
        self.value = value
        self.bytes = bytes
    }

    var description: String { self.name }

    static let all: [Vector] = Self.scalars + Self.integers + Self.texts + Self.containers + Self.extensions

    private static let scalars: [Vector] = [
        Vector("nil", .null, [0xc0]),
        Vector("false", false, [0xc2]),
        Vector("true", true, [0xc3]),
        Vector("float 64", 1.5, [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]),
        Vector("negative zero", .double(-0.0), [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        Vector("infinity", .double(.infinity), [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]),
    ]

    private static let integers: [Vector] = [
        Vector("0", 0, [0x00]),
        Vector("127", 127, [0x7f]),
        Vector("128", 128, [0xcc, 0x80]),
        Vector("255", 255, [0xcc, 0xff]),
        Vector("256", 256, [0xcd, 0x01, 0x00]),
        Vector("65535", 65_535, [0xcd, 0xff, 0xff]),
        Vector("65536", 65_536, [0xce, 0, 1, 0, 0]),
        Vector("2^32-1", 4_294_967_295, [0xce, 0xff, 0xff, 0xff, 0xff]),
        Vector("2^32", 4_294_967_296, [0xcf, 0, 0, 0, 1, 0, 0, 0, 0]),
        Vector("2^63-1", .int(.max), [0xcf, 0x7f] + [UInt8](repeating: 0xff, count: 7)),
        Vector("2^63", .uint(1 << 63), [0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        Vector("2^64-1", .uint(.max), [0xcf] + [UInt8](repeating: 0xff, count: 8)),
        Vector("-1", -1, [0xff]),
        Vector("-32", -32, [0xe0]),
        Vector("-33", -33, [0xd0, 0xdf]),
        Vector("-128", -128, [0xd0, 0x80]),
        Vector("-129", -129, [0xd1, 0xff, 0x7f]),
        Vector("-32768", -32_768, [0xd1, 0x80, 0x00]),
        Vector("-32769", -32_769, [0xd2, 0xff, 0xff, 0x7f, 0xff]),
        Vector("-2^31", -2_147_483_648, [0xd2, 0x80, 0, 0, 0]),
        Vector("-2^31-1", -2_147_483_649, [0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]),
        Vector("-2^63", .int(.min), [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ]

    private static func text(_ count: Int) -> MessagePackValue { .string(String(repeating: "a", count: count)) }
    private static func a(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }
    private static func binary(_ count: Int) -> MessagePackValue { .binary(ByteBuffer(repeating: 0x61, count: count)) }

    private static let texts: [Vector] = [
        Vector("fixstr empty", "", [0xa0]),
        Vector("fixstr umlaut", "é", [0xa2, 0xc3, 0xa9]),
        Vector("fixstr 31", text(31), [0xbf] + a(31)),
        Vector("str 8, 32", text(32), [0xd9, 32] + a(32)),
        Vector("str 8, 255", text(255), [0xd9, 255] + a(255)),
        Vector("str 16, 256", text(256), [0xda, 1, 0] + a(256)),
        Vector("str 16, 65535", text(65_535), [0xda, 0xff, 0xff] + a(65_535)),
        Vector("str 32, 65536", text(65_536), [0xdb, 0, 1, 0, 0] + a(65_536)),
        Vector("bin 8, empty", binary(0), [0xc4, 0]),
        Vector("bin 8, 255", binary(255), [0xc4, 255] + a(255)),
        Vector("bin 16, 256", binary(256), [0xc5, 1, 0] + a(256)),
        Vector("bin 32, 65536", binary(65_536), [0xc6, 0, 1, 0, 0] + a(65_536)),
    ]

    private static func ones(_ count: Int) -> MessagePackValue { .array(Array(repeating: 1, count: count)) }
    private static func i(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }
    private static func map(_ count: Int) -> MessagePackValue {
        .map((0..<count).map { MessagePackValue.Pair(.int(Int64($0)), .null) })
    }
    private static func mapBytes(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { key -> [UInt8] in
            if key < 128 { return [UInt8(key), 0xc0] }
            if key < 256 { return [0xcc, UInt8(key), 0xc0] }
            return [0xcd, UInt8(key >> 8), UInt8(key & 0xff), 0xc0]
        }
    }

    private static let containers: [Vector] = [
        Vector("fixarray empty", [], [0x90]),
        Vector("fixarray 15", ones(15), [0x9f] + i(15)),
        Vector("array 16, 16", ones(16), [0xdc, 0, 16] + i(16)),
        Vector("array 16, 65535", ones(65_535), [0xdc, 0xff, 0xff] + i(65_535)),
        Vector("array 32, 65536", ones(65_536), [0xdd, 0, 1, 0, 0] + i(65_536)),
        Vector("fixmap empty", [:], [0x80]),
        Vector("fixmap", ["a": 1, "b": [nil]], [0x82, 0xa1, 0x61, 1, 0xa1, 0x62, 0x91, 0xc0]),
        Vector("map 16", map(16), [0xde, 0, 16] + mapBytes(16)),
        Vector("map 16, 300", map(300), [0xde, 1, 44] + mapBytes(300)),
    ]

    private static let extensions: [Vector] = [
        Vector("fixext 1", .extension(5, ByteBuffer(bytes: [7])), [0xd4, 5, 7]),
        Vector("fixext 2", .extension(5, ByteBuffer(bytes: i(2))), [0xd5, 5] + i(2)),
        Vector("fixext 4", .extension(5, ByteBuffer(bytes: i(4))), [0xd6, 5] + i(4)),
        Vector("fixext 8", .extension(5, ByteBuffer(bytes: i(8))), [0xd7, 5] + i(8)),
        Vector("fixext 16", .extension(-5, ByteBuffer(bytes: i(16))), [0xd8, 0xfb] + i(16)),
        Vector("ext 8", .extension(5, ByteBuffer(bytes: i(3))), [0xc7, 3, 5] + i(3)),
        Vector("ext 16", .extension(5, ByteBuffer(bytes: i(256))), [0xc8, 1, 0, 5] + i(256)),
        Vector("ext 32", .extension(5, ByteBuffer(bytes: i(65_536))), [0xc9, 0, 1, 0, 0, 5] + i(65_536)),
        Vector("timestamp 32", .timestamp(.init(seconds: 1_700_000_000)), [0xd6, 0xff, 0x65, 0x53, 0xf1, 0x00]),
        Vector(
            "timestamp 64",
            .timestamp(.init(seconds: 1_700_000_000, nanoseconds: 500_000_000)),
            [0xd7, 0xff, 0x77, 0x35, 0x94, 0x00, 0x65, 0x53, 0xf1, 0x00]
        ),
        Vector(
            "timestamp 96",
            .timestamp(.init(seconds: -1, nanoseconds: 1)),
            [0xc7, 12, 0xff, 0, 0, 0, 1] + [UInt8](repeating: 0xff, count: 8)
        ),
    ]
}

extension MessagePackValue {
    /// The value inside `count` arrays.
    func nested(_ count: Int) -> MessagePackValue { (0..<count).reduce(self) { value, _ in .array([value]) } }
}
