// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOMessagePack
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// These functions compare `T` with the types that need no `Decoder`, the most common first; each hands on what it does not know. Generic
// code runs unspecialised here, so none of them makes an `Optional<T>` or casts, which would ask the runtime for metadata.
// Each type whose `init(from:)` asks a single value container for itself must be here, or it would ask for ever.
extension MessagePackTree {
    /// Decodes a value of any type; `path` is asked for only if the type needs a `Decoder`, and for errors.
    @inline(__always)
    func decode<T: Decodable>(_ type: T.Type, at object: MessagePackObject, path: () -> MessagePackPath?) throws -> T {
        do {
            if T.self == String.self { return unchanged(try string(object), as: type) }
            if T.self == Int.self { return unchanged(try integer(object, as: Int.self), as: type) }
            if T.self == Double.self { return unchanged(try double(object), as: type) }
            if T.self == Bool.self { return unchanged(try bool(object), as: type) }
            return try decodeNumber(type, object, path)
        } catch let fault as MessagePackFault {
            throw fault.decodingError(at: path())
        }
    }

    private func decodeNumber<T: Decodable>(_ type: T.Type, _ object: MessagePackObject, _ path: () -> MessagePackPath?) throws -> T {
        if T.self == Int64.self { return unchanged(try integer(object, as: Int64.self), as: type) }
        if T.self == UInt64.self { return unchanged(try integer(object, as: UInt64.self), as: type) }
        if T.self == UInt.self { return unchanged(try integer(object, as: UInt.self), as: type) }
        if T.self == Int32.self { return unchanged(try integer(object, as: Int32.self), as: type) }
        if T.self == UInt32.self { return unchanged(try integer(object, as: UInt32.self), as: type) }
        if T.self == Int16.self { return unchanged(try integer(object, as: Int16.self), as: type) }
        if T.self == UInt16.self { return unchanged(try integer(object, as: UInt16.self), as: type) }
        if T.self == Int8.self { return unchanged(try integer(object, as: Int8.self), as: type) }
        if T.self == UInt8.self { return unchanged(try integer(object, as: UInt8.self), as: type) }
        if T.self == Float.self { return unchanged(try float(object), as: type) }
        if T.self == Int128.self { return unchanged(try integer(object, as: Int128.self), as: type) }
        if T.self == UInt128.self { return unchanged(try integer(object, as: UInt128.self), as: type) }
        return try decodeRich(type, object, path)
    }

    private func decodeRich<T: Decodable>(_ type: T.Type, _ object: MessagePackObject, _ path: () -> MessagePackPath?) throws -> T {
        if T.self == ByteBuffer.self { return unchanged(try binary(object, for: type), as: type) }
        if T.self == Data.self { return unchanged(Data(try binary(object, for: type).readableBytesView), as: type) }
        if T.self == Date.self { return unchanged(try timestamp(object, for: type).date, as: type) }
        if T.self == MessagePackTimestamp.self { return unchanged(try timestamp(object, for: type), as: type) }
        if T.self == MessagePackValue.self { return unchanged(try value(object), as: type) }
        if T.self == URL.self { return unchanged(try url(object), as: type) }
        if T.self == Decimal.self { return unchanged(try decimal(object), as: type) }
        let isArray = object.pointee.type == MSGPACK_OBJECT_ARRAY
        if T.self == [UInt8].self, !isArray { return unchanged(Array(try binary(object, for: type).readableBytesView), as: type) }
        if isArray { return try decodeArray(type, object, path) }
        if object.pointee.type == MSGPACK_OBJECT_MAP { return try decodeDictionary(type, object, path) }
        return try T(from: MessagePackTreeDecoder(tree: self, object: object, path: path()))
    }

    // Collections of the common types. If an element is wrong the decoder below tries again: its errors have a path.

    private func decodeArray<T: Decodable>(_ type: T.Type, _ object: MessagePackObject, _ path: () -> MessagePackPath?) throws -> T {
        if T.self == [String].self, let value = try? elements(object, { try $0.string($1) }) { return unchanged(value, as: type) }
        if T.self == [Int].self, let value = try? elements(object, { try $0.integer($1, as: Int.self) }) {
            return unchanged(value, as: type)
        }
        if T.self == [Double].self, let value = try? elements(object, { try $0.double($1) }) { return unchanged(value, as: type) }
        return try T(from: MessagePackTreeDecoder(tree: self, object: object, path: path()))
    }

    private func decodeDictionary<T: Decodable>(_ type: T.Type, _ object: MessagePackObject, _ path: () -> MessagePackPath?) throws -> T {
        if T.self == [String: String].self, let value = try? members(object, { try $0.string($1) }) {
            return unchanged(value, as: type)
        }
        if T.self == [String: Int].self, let value = try? members(object, { try $0.integer($1, as: Int.self) }) {
            return unchanged(value, as: type)
        }
        if T.self == [String: Double].self, let value = try? members(object, { try $0.double($1) }) {
            return unchanged(value, as: type)
        }
        if T.self == [String: Bool].self, let value = try? members(object, { try $0.bool($1) }) {
            return unchanged(value, as: type)
        }
        return try T(from: MessagePackTreeDecoder(tree: self, object: object, path: path()))
    }
}
