// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOText

/// Decodes `Decodable` values from MessagePack.
///
/// - Lengths, depth and the number of values are checked before anything is allocated.
/// - Integers decode from floats that are whole numbers, floats from integers: JavaScript has one type for both.
/// - `Data`, `[UInt8]` and `ByteBuffer` decode from binary (the latter without copying), `Date` from a timestamp (extension −1) or the
///   date of notepack 2, `URL` from a string, `Decimal` from a number or a string.
/// - Of extension 0, which notepack writes, `undefined` (`d4 00 00`) is nil, a `fixext 8` is a date, and everything else is binary: an
///   `ArrayBuffer` or a typed array. A `BigInt` (extension 1) is a number. Every other extension type is refused.
/// - If a map holds a key twice, the last one counts. Keys are compared by their bytes; a map with two keys that only Swift's strings
///   take as equal (`é` in one character and in two) is refused, as a dictionary would lose one of them.
/// - A string or key with more than 64 combining marks in a row is refused: Swift needs quadratic time to compare it. So is a map whose keys
///   would become strings if, with those of others in the value, those that are not ASCII have more than 64 KiB.
public struct MessagePackDecoder: Sendable {
    /// What is accepted.
    public var limits: MessagePackLimits

    /// Creates a decoder.
    ///
    /// - Parameter limits: what is accepted.
    public init(limits: MessagePackLimits = .default) {
        self.limits = limits
    }

    /// Decodes a value.
    ///
    /// - Parameters:
    ///   - type: its type.
    ///   - buffer: exactly one MessagePack value.
    /// - Returns: the value.
    /// - Throws: `DecodingError`; with ``MessagePackError`` as the underlying error if the bytes are not MessagePack or exceed the limits.
    @inlinable
    public func decode<T: Decodable>(_ type: T.Type = T.self, from buffer: ByteBuffer) throws -> T {
        // The types are compared: the casts change nothing.
        if T.self == String.self { return unsafeBitCast(try _decodeString(buffer), to: type) }
        if T.self == Int.self { return unsafeBitCast(try _decodeInt(buffer), to: type) }
        if T.self == Double.self { return unsafeBitCast(try _decodeDouble(buffer), to: type) }
        if T.self == Bool.self { return unsafeBitCast(try _decodeBool(buffer), to: type) }
        return try _decodeAny(type, from: buffer)
    }

    @usableFromInline
    func _decodeString(_ buffer: ByteBuffer) throws -> String {
        try scalar(String.self, buffer) { (reader) throws(MessagePackError) in try reader.readText() }
    }

    @usableFromInline
    func _decodeInt(_ buffer: ByteBuffer) throws -> Int {
        try scalar(Int.self, buffer) { (reader) throws(MessagePackError) in try reader.readInteger(as: Int.self) }
    }

    @usableFromInline
    func _decodeDouble(_ buffer: ByteBuffer) throws -> Double {
        try scalar(Double.self, buffer) { (reader) throws(MessagePackError) in try reader.readDouble() }
    }

    @usableFromInline
    func _decodeBool(_ buffer: ByteBuffer) throws -> Bool {
        try scalar(Bool.self, buffer) { (reader) throws(MessagePackError) in try reader.readBool() }
    }

    @usableFromInline
    func _decodeAny<T: Decodable>(_ type: T.Type, from buffer: ByteBuffer) throws -> T {
        do {
            if T.self == MessagePackValue.self { return unchanged(try MessagePackValue(decoding: buffer, limits: limits), as: type) }
            let tree = try MessagePackTree(buffer, limits: limits)
            return try withExtendedLifetime(tree) { try tree.decode(type, at: tree.root) { nil } }
        } catch let error as MessagePackError {
            throw Self.malformed(error)
        }
    }

    private func scalar<T>(
        _ type: Any.Type,
        _ buffer: ByteBuffer,
        _ read: (inout MessagePackReader) throws(MessagePackError) -> T
    ) throws -> T {
        do {
            var reader = MessagePackReader(buffer, limits: limits)
            let value = try read(&reader)
            try reader.expectEnd()
            return value
        } catch {
            guard error.code == .typeMismatch else { throw Self.malformed(error) }
            let isNil = (try? MessagePackReader(buffer).peekKind()) == .null
            let context = DecodingError.Context(codingPath: [], debugDescription: error.message, underlyingError: error)
            throw isNil ? DecodingError.valueNotFound(type, context) : DecodingError.typeMismatch(type, context)
        }
    }

    private static func malformed(_ error: MessagePackError) -> DecodingError {
        let text = "The bytes are not acceptable MessagePack: \(error.message)"
        return DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: text, underlyingError: error))
    }
}

/// The path to a value that is being decoded, innermost key first.
final class MessagePackPath {
    let key: any CodingKey
    let parent: MessagePackPath?

    init(_ key: any CodingKey, in parent: MessagePackPath?) {
        self.key = key
        self.parent = parent
    }
}

extension Optional where Wrapped == MessagePackPath {
    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var node = self
        while let current = node {
            keys.append(current.key)
            node = current.parent
        }
        return keys.reversed()
    }
}

/// The decoders that ``MessagePackDecoder`` hands to `init(from:)`; for types of other targets that take any value.
package protocol MessagePackValueDecoder {
    func decodeMessagePackValue() throws -> MessagePackValue
}

/// The encoders that ``MessagePackEncoder`` hands to `encode(to:)`, which take a ``MessagePackValue`` as it is; for the same types.
package protocol MessagePackValueEncoder {}
