// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// These functions compare `T` with the types that need no `Decoder`, the most common first; each hands on what it does not know. Generic
// code runs unspecialised here, so none of them makes an `Optional<T>` or casts, which would ask the runtime for metadata.
// Each type whose `init(from:)` asks a single value container for itself must be here, or it would ask for ever.
extension JSONTape {
    /// Decodes a value of any type; `path` is asked for only if the type needs a `Decoder`, and for errors.
    @inline(__always)
    func decode<T: Decodable>(_ type: T.Type, at index: Int, path: () -> JSONPath?) throws -> T {
        do {
            if T.self == String.self { return unchanged(try string(at: index), as: type) }
            if T.self == Int.self { return unchanged(try integer(at: index, as: Int.self), as: type) }
            if T.self == Double.self { return unchanged(try double(at: index), as: type) }
            if T.self == Bool.self { return unchanged(try bool(at: index), as: type) }
            return try decodeNumber(type, index, path)
        } catch let fault as JSONValueFault {
            throw fault.decodingError(at: path())
        }
    }

    private func decodeNumber<T: Decodable>(_ type: T.Type, _ index: Int, _ path: () -> JSONPath?) throws -> T {
        if T.self == Int64.self { return unchanged(try integer(at: index, as: Int64.self), as: type) }
        if T.self == UInt64.self { return unchanged(try integer(at: index, as: UInt64.self), as: type) }
        if T.self == UInt.self { return unchanged(try integer(at: index, as: UInt.self), as: type) }
        if T.self == Int32.self { return unchanged(try integer(at: index, as: Int32.self), as: type) }
        if T.self == UInt32.self { return unchanged(try integer(at: index, as: UInt32.self), as: type) }
        if T.self == Int16.self { return unchanged(try integer(at: index, as: Int16.self), as: type) }
        if T.self == UInt16.self { return unchanged(try integer(at: index, as: UInt16.self), as: type) }
        if T.self == Int8.self { return unchanged(try integer(at: index, as: Int8.self), as: type) }
        if T.self == UInt8.self { return unchanged(try integer(at: index, as: UInt8.self), as: type) }
        if T.self == Float.self { return unchanged(try number(at: index, JSONNumber.float), as: type) }
        if T.self == Int128.self { return unchanged(try number(at: index) { JSONNumber.wide($0, as: Int128.self) }, as: type) }
        if T.self == UInt128.self { return unchanged(try number(at: index) { JSONNumber.wide($0, as: UInt128.self) }, as: type) }
        return try decodeRich(type, index, path)
    }

    private func decodeRich<T: Decodable>(_ type: T.Type, _ index: Int, _ path: () -> JSONPath?) throws -> T {
        if T.self == SocketIOValue.self { return unchanged(try value(at: index), as: type) }
        if T.self == ByteBuffer.self { return unchanged(try attachment(at: index, for: type), as: type) }
        if T.self == Data.self { return unchanged(Data(try attachment(at: index, for: type).readableBytesView), as: type) }
        if T.self == Date.self { return unchanged(try date(at: index), as: type) }
        if T.self == URL.self { return unchanged(try url(at: index), as: type) }
        if T.self == Decimal.self {
            return unchanged(try number(at: index) { Decimal(string: String(decoding: $0, as: UTF8.self)) }, as: type)
        }
        if T.self == [UInt8].self, kind(at: index) != .array {
            return unchanged(Array(try attachment(at: index, for: type).readableBytesView), as: type)
        }
        return switch kind(at: index) {
        case .array: try decodeArray(type, index, path)
        case .object: try decodeDictionary(type, index, path)
        default: try T(from: JSONValueDecoder(tape: self, index: index, path: path()))
        }
    }

    // Collections of the common types. If an element is wrong the decoder below tries again: its errors have a path.

    private func decodeArray<T: Decodable>(_ type: T.Type, _ index: Int, _ path: () -> JSONPath?) throws -> T {
        if T.self == [String].self, let value = try? elements(of: index, { try $0.string(at: $1) }) {
            return unchanged(value, as: type)
        }
        if T.self == [Int].self, let value = try? elements(of: index, { try $0.integer(at: $1, as: Int.self) }) {
            return unchanged(value, as: type)
        }
        if T.self == [Double].self, let value = try? elements(of: index, { try $0.double(at: $1) }) {
            return unchanged(value, as: type)
        }
        return try T(from: JSONValueDecoder(tape: self, index: index, path: path()))
    }

    private func decodeDictionary<T: Decodable>(_ type: T.Type, _ index: Int, _ path: () -> JSONPath?) throws -> T {
        if T.self == [String: String].self, let value = try? members(of: index, { try $0.string(at: $1) }) {
            return unchanged(value, as: type)
        }
        if T.self == [String: Int].self, let value = try? members(of: index, { try $0.integer(at: $1, as: Int.self) }) {
            return unchanged(value, as: type)
        }
        if T.self == [String: Double].self, let value = try? members(of: index, { try $0.double(at: $1) }) {
            return unchanged(value, as: type)
        }
        if T.self == [String: Bool].self, let value = try? members(of: index, { try $0.bool(at: $1) }) {
            return unchanged(value, as: type)
        }
        return try T(from: JSONValueDecoder(tape: self, index: index, path: path()))
    }
}
