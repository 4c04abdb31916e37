// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension FuzzTarget {
    /// The JSON scanner and the coders of arguments.
    static let json = FuzzTarget(name: "json") { bytes in
        // The memory of the input ends where the input ends, so the sanitizer sees a read beyond it.
        let isValid = (try? JSONScanner().validate(bytes)) != nil
        let buffer = ByteBuffer(bytes: bytes)
        let attachments = [ByteBuffer(string: "first"), ByteBuffer(string: "second")]
        try rule(isValid == ((try? JSONScanner().validate(buffer)) != nil), "the scanner does not care where the bytes are")
        try checkValue(buffer, attachments, isValid: isValid)
        try checkElements(buffer)
        try checkText(try? JSONArgumentDecoder().decode(String.self, from: buffer))
        for key in (try? JSONArgumentDecoder().decode([String: SocketIOValue].self, from: buffer))?.keys.map({ $0 }) ?? [] {
            try checkText(key)
        }
        try checkScalars(buffer)
        _ = try? JSONArgumentDecoder().decode(Everything.self, from: buffer, attachments: attachments)
        _ = try? JSONArgumentDecoder().decode([Everything].self, from: buffer, attachments: attachments)
    }

    private static func checkValue(_ buffer: ByteBuffer, _ attachments: [ByteBuffer], isValid: Bool) throws {
        guard let value = try? JSONArgumentDecoder().decode(SocketIOValue.self, from: buffer, attachments: attachments) else { return }
        try rule(isValid, "what is decoded is valid")
        var again = ByteBuffer()
        var binary: [ByteBuffer] = []
        guard (try? JSONArgumentEncoder().encode(value, into: &again, attachments: &binary)) != nil else {
            try rule(false, "what was decoded can be encoded")
            return
        }
        let copy = try? JSONArgumentDecoder().decode(SocketIOValue.self, from: again, attachments: binary)
        // An object that says that it is a placeholder, but is none, is not decoded in the first place.
        try rule(copy == value, "a value survives the coders")
    }

    private static func checkElements(_ buffer: ByteBuffer) throws {
        guard let elements = try? JSONScanner().elements(of: buffer) else { return }
        for element in elements { try rule((try? JSONScanner().validate(element)) != nil, "each element is valid by itself") }
    }

    private static func checkScalars(_ buffer: ByteBuffer) throws {
        var list = ByteBuffer(string: "[")
        list.writeImmutableBuffer(buffer)
        list.writeString("]")
        try rule(alike(String.self, buffer, list), "a string is the same alone and in an array")
        try rule(alike(Int.self, buffer, list), "an integer is the same alone and in an array")
        try rule(alike(Double.self, buffer, list), "a number is the same alone and in an array")
        try rule(alike(Bool.self, buffer, list), "a boolean is the same alone and in an array")
    }

    private static func alike<T: Decodable & Equatable>(_ type: T.Type, _ buffer: ByteBuffer, _ list: ByteBuffer) -> Bool {
        guard let value = try? JSONArgumentDecoder().decode(type, from: buffer) else { return true }
        return (try? JSONArgumentDecoder().decode([T].self, from: list)) == [value]
    }

    /// Members of all kinds, all optional, so that the decoder gets far.
    struct Everything: Decodable {
        var a: Int?
        var b: UInt8?
        var c: Float?
        var d: Double?
        var e: String?
        var f: [String]?
        var g: [String: Int]?
        var h: Date?
        var i: URL?
        var j: Decimal?
        var k: UUID?
        var l: ByteBuffer?
        var m: [UInt8]?
        var n: [Everything]?
        var o: [Int: [Bool?]]?
        var p: Data?
    }
}
