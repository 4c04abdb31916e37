// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOText

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Decodes one argument of an event or acknowledgement from its JSON bytes.
///
/// It gives what Foundation's `JSONDecoder` gives, with these differences:
/// - `Data`, `[UInt8]` and `ByteBuffer` are read from the packet's binary attachments: the JSON holds `{"_placeholder":true,"num":n}` in
///   their place, and `n` must be an integer that names one of them, also where the type is ``SocketIOValue``. In a packet without
///   attachments such an object is a plain object. `[UInt8]` is also read from an array of numbers.
/// - `Date` is read from the text that JavaScript's `Date` becomes in JSON (ISO 8601), or from a number of milliseconds since 1970
///   (`Date.now()`).
/// - If an object has a key twice the last one counts, as for `JSON.parse`; escapes of lone surrogates become U+FFFD.
/// - Keys are compared by their bytes, as in JavaScript. Where the type is not ``SocketIOValue``, an object is refused that has two keys
///   which Swift's strings take as equal (`é` in one character and in two): a dictionary would lose one of them.
/// - A string or key with more than 64 combining marks in a row is refused: Swift needs quadratic time to compare it. So is an object whose keys
///   would become strings if, with those of others in the argument, those that are not ASCII have more than 64 KiB; not where the type is ``SocketIOValue``.
/// - Arrays and objects nest 64 deep at most.
///
/// Strings, booleans, numbers and binary take a direct path without a `Decoder`.
public struct JSONArgumentDecoder: Sendable {
    /// Creates a decoder.
    public init() {}

    /// Decodes an argument.
    ///
    /// - Parameters:
    ///   - type: its type.
    ///   - bytes: exactly one JSON value.
    ///   - attachments: the packet's binary attachments, in the order of their numbers.
    /// - Returns: the argument.
    /// - Throws: `DecodingError`, also for bytes that are not JSON.
    @inlinable
    public func decode<T: Decodable>(_ type: T.Type = T.self, from bytes: ByteBuffer, attachments: [ByteBuffer] = []) throws -> T {
        // The types are compared: the casts change nothing.
        if T.self == String.self { return unsafeBitCast(try _string(bytes), to: T.self) }
        if T.self == Int.self { return unsafeBitCast(try _int(bytes), to: T.self) }
        if T.self == Double.self { return unsafeBitCast(try _double(bytes), to: T.self) }
        if T.self == Bool.self { return unsafeBitCast(try _bool(bytes), to: T.self) }
        return try _any(type, from: bytes, attachments: attachments)
    }

    @usableFromInline
    func _string(_ bytes: ByteBuffer) throws -> String {
        let value = try Self.scan(bytes) { (walker, bytes) throws(JSONSyntaxError) -> String? in
            guard try walker.byte() == UInt8(ascii: "\"") else { return nil }
            let start = walker.position
            let escaped = try walker.string()
            let end = walker.position
            try walker.expectEnd()
            let text = JSONText.string(UnsafeRawBufferPointer(rebasing: bytes[(start + 1)..<(end - 1)]), escaped: escaped)
            // Refused below, with a message.
            return CombiningMarks.exceedLimit(in: text) ? nil : text
        }
        if let value { return value }
        return try _any(String.self, from: bytes, attachments: [])
    }

    @usableFromInline
    func _int(_ bytes: ByteBuffer) throws -> Int {
        if let value = try Self.number(bytes, { JSONNumber.integer($0, as: Int.self) }) { return value }
        return try _any(Int.self, from: bytes, attachments: [])
    }

    @usableFromInline
    func _double(_ bytes: ByteBuffer) throws -> Double {
        if let value = try Self.number(bytes, JSONNumber.double) { return value }
        return try _any(Double.self, from: bytes, attachments: [])
    }

    @usableFromInline
    func _bool(_ bytes: ByteBuffer) throws -> Bool {
        let value = try Self.scan(bytes) { (walker, _) throws(JSONSyntaxError) -> Bool? in
            let first = try walker.byte()
            guard first == UInt8(ascii: "t") || first == UInt8(ascii: "f") else { return nil }
            try walker.literal()
            try walker.expectEnd()
            return first == UInt8(ascii: "t")
        }
        if let value { return value }
        return try _any(Bool.self, from: bytes, attachments: [])
    }

    @usableFromInline
    func _any<T: Decodable>(_ type: T.Type, from bytes: ByteBuffer, attachments: [ByteBuffer]) throws -> T {
        let tape: JSONTape
        do {
            tape = try JSONTape(bytes, attachments: attachments, maximumDepth: JSONWalker.deepestNesting)
        } catch {
            throw Self.malformed(error)
        }
        return try tape.decode(type, at: 0) { nil }
    }

    /// A number; nil if the value is none, or not one that `convert` can take.
    private static func number<T>(_ bytes: ByteBuffer, _ convert: (UnsafeRawBufferPointer) -> T?) throws -> T? {
        try scan(bytes) { (walker, bytes) throws(JSONSyntaxError) -> T? in
            let first = try walker.byte()
            guard JSONWalker.isDigit(first) || first == UInt8(ascii: "-") else { return nil }
            let start = walker.position
            _ = try walker.number()
            let end = walker.position
            try walker.expectEnd()
            return convert(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
    }

    @inline(__always)
    private static func scan<T>(
        _ buffer: ByteBuffer,
        _ body: (inout JSONWalker, UnsafeRawBufferPointer) throws(JSONSyntaxError) -> T?
    ) throws -> T? {
        let result = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONSyntaxError) -> T? in
                var walker = JSONWalker(bytes)
                walker.skipSpace()
                return try body(&walker, bytes)
            }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw malformed(error)
        }
    }

    private static func malformed(_ error: JSONSyntaxError) -> DecodingError {
        let text = "The argument is not acceptable JSON: \(error)"
        return DecodingError.dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: text, underlyingError: error))
    }
}
