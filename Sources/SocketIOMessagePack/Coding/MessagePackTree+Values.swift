// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOMessagePack
import NIOCore
import SocketIOText

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Why a value is not of the type that is wanted, before its path is known.
struct MessagePackFault: Error {
    enum Reason {
        case mismatch(wanted: StaticString, found: String, isNil: Bool)
        case corrupted(String)
    }

    var type: any Any.Type
    var reason: Reason

    func decodingError(at path: MessagePackPath?) -> DecodingError {
        switch reason {
        case .mismatch(let wanted, let found, let isNil):
            let context = DecodingError.Context(codingPath: path.keys, debugDescription: "expected \(wanted), found \(found)")
            return isNil ? .valueNotFound(type, context) : .typeMismatch(type, context)
        case .corrupted(let text):
            return .dataCorrupted(DecodingError.Context(codingPath: path.keys, debugDescription: text))
        }
    }
}

/// The address of a value in a tree, valid while the tree is.
typealias MessagePackObject = UnsafePointer<msgpack_object>

// The types that are read without a `Decoder`.
extension MessagePackTree {
    func string(_ object: MessagePackObject) throws(MessagePackFault) -> String {
        guard let bytes = object.pointee.stringBytes else { throw mismatch(String.self, "a string", object) }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw MessagePackFault(type: String.self, reason: .corrupted("the string is not UTF-8"))
        }
        guard !CombiningMarks.exceedLimit(in: bytes) else {
            throw MessagePackFault(type: String.self, reason: .corrupted("the string has \(CombiningMarks.complaint)"))
        }
        return string
    }

    func bool(_ object: MessagePackObject) throws(MessagePackFault) -> Bool {
        guard object.pointee.type == MSGPACK_OBJECT_BOOLEAN else { throw mismatch(Bool.self, "a boolean", object) }
        return object.pointee.via.boolean
    }

    @inline(__always)
    func integer<I: FixedWidthInteger>(_ object: MessagePackObject, as type: I.Type = I.self) throws(MessagePackFault) -> I {
        let value: I? =
            switch object.pointee.type {
            case MSGPACK_OBJECT_POSITIVE_INTEGER: I(exactly: object.pointee.via.u64)
            case MSGPACK_OBJECT_NEGATIVE_INTEGER: I(exactly: object.pointee.via.i64)
            case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: I(exactly: object.pointee.via.f64)
            default:
                switch bigInt(object) {
                case .int(let value): I(exactly: value)
                case .uint(let value): I(exactly: value)
                case .double(let value): I(exactly: value)
                default: throw mismatch(type, "a number", object)
                }
            }
        guard let value else { throw MessagePackFault(type: type, reason: .corrupted("the number does not fit \(type)")) }
        return value
    }

    func double(_ object: MessagePackObject) throws(MessagePackFault) -> Double {
        switch object.pointee.type {
        case MSGPACK_OBJECT_POSITIVE_INTEGER: Double(object.pointee.via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: Double(object.pointee.via.i64)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: object.pointee.via.f64
        default:
            switch bigInt(object) {
            case .int(let value): Double(value)
            case .uint(let value): Double(value)
            case .double(let value): value
            default: throw mismatch(Double.self, "a number", object)
            }
        }
    }

    private func bigInt(_ object: MessagePackObject) -> MessagePackValue? {
        guard object.pointee.type == MSGPACK_OBJECT_EXT, object.pointee.via.ext.type == MessagePackExtension.bigInt else { return nil }
        return MessagePackExtension.bigInt(extensionBytes(object))
    }

    func float(_ object: MessagePackObject) throws(MessagePackFault) -> Float {
        let value = try double(object)
        let float = Float(value)
        guard float.isFinite || !value.isFinite else {
            throw MessagePackFault(type: Float.self, reason: .corrupted("the number does not fit Float"))
        }
        return float
    }

    func binary(_ object: MessagePackObject, for type: any Any.Type) throws(MessagePackFault) -> ByteBuffer {
        guard object.pointee.type == MSGPACK_OBJECT_BIN else {
            guard object.pointee.isBinaryExtension else { throw mismatch(type, "binary", object) }
            return extensionBytes(object)
        }
        return slice(object.pointee.via.bin.ptr, count: object.pointee.via.bin.size)
    }

    func timestamp(_ object: MessagePackObject, for type: any Any.Type) throws(MessagePackFault) -> MessagePackTimestamp {
        guard object.pointee.type == MSGPACK_OBJECT_EXT, !object.pointee.isBinaryExtension,
            let timestamp = MessagePackTimestamp(extension: object.pointee.via.ext.type, bytes: extensionBytes(object))
        else { throw mismatch(type, "a timestamp", object) }
        return timestamp
    }

    private func extensionBytes(_ object: MessagePackObject) -> ByteBuffer {
        slice(object.pointee.via.ext.ptr, count: object.pointee.via.ext.size)
    }

    func url(_ object: MessagePackObject) throws(MessagePackFault) -> URL {
        guard let url = URL(string: try string(object)) else {
            throw MessagePackFault(type: URL.self, reason: .corrupted("the string is not a URL"))
        }
        return url
    }

    func decimal(_ object: MessagePackObject) throws(MessagePackFault) -> Decimal {
        let value: Decimal? =
            switch object.pointee.type {
            case MSGPACK_OBJECT_POSITIVE_INTEGER: Decimal(object.pointee.via.u64)
            case MSGPACK_OBJECT_NEGATIVE_INTEGER: Decimal(object.pointee.via.i64)
            case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: Decimal(string: object.pointee.via.f64.description)
            default: Decimal(string: try string(object))
            }
        guard let value else { throw MessagePackFault(type: Decimal.self, reason: .corrupted("the value is not a decimal number")) }
        return value
    }

    /// Any value. Recursion is bounded by the depth of the tree.
    func value(_ object: MessagePackObject) throws(MessagePackFault) -> MessagePackValue {
        switch object.pointee.type {
        case MSGPACK_OBJECT_NIL: return .null
        case MSGPACK_OBJECT_BOOLEAN: return .bool(object.pointee.via.boolean)
        case MSGPACK_OBJECT_POSITIVE_INTEGER:
            if let value = Int64(exactly: object.pointee.via.u64) { return .int(value) }
            return .uint(object.pointee.via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: return .int(object.pointee.via.i64)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: return .double(object.pointee.via.f64)
        case MSGPACK_OBJECT_STR: return .string(try string(object))
        case MSGPACK_OBJECT_BIN: return .binary(try binary(object, for: MessagePackValue.self))
        case MSGPACK_OBJECT_ARRAY:
            return .array(try elements(object) { (tree, element) throws(MessagePackFault) in try tree.value(element) })
        case MSGPACK_OBJECT_MAP: return .map(try pairs(object))
        default:
            if object.pointee.isNil { return .null }
            if object.pointee.isBinaryExtension { return .binary(extensionBytes(object)) }
            if let timestamp = try? self.timestamp(object, for: MessagePackValue.self) { return .timestamp(timestamp) }
            return .extension(object.pointee.via.ext.type, extensionBytes(object))
        }
    }

    /// The elements of an array.
    @inline(__always)
    func elements<E, F: Error>(_ array: MessagePackObject, _ element: (MessagePackTree, MessagePackObject) throws(F) -> E) throws(F) -> [E]
    {
        guard let all = array.pointee.elements, let base = all.baseAddress else { return [] }
        var elements: [E] = []
        elements.reserveCapacity(all.count)
        for index in all.indices { elements.append(try element(self, base + index)) }
        return elements
    }

    /// The members of a map with string keys; of equal keys the last one counts.
    @inline(__always)
    func members<E>(_ map: MessagePackObject, _ member: (MessagePackTree, MessagePackObject) throws -> E) throws -> [String: E] {
        guard let all = map.pointee.pairs, let base = all.baseAddress else { return [:] }
        if let problem = self.problem(ofKeys: all) { throw MessagePackFault(type: [String: E].self, reason: .corrupted(problem.message)) }
        var members: [String: E] = [:]
        for index in all.indices { members[try string((base + index).key)] = try member(self, (base + index).value) }
        return members
    }

    private func pairs(_ map: MessagePackObject) throws(MessagePackFault) -> [MessagePackValue.Pair] {
        guard let all = map.pointee.pairs, let base = all.baseAddress else { return [] }
        var pairs: [MessagePackValue.Pair] = []
        for index in all.indices {
            pairs.append(MessagePackValue.Pair(try value((base + index).key), try value((base + index).value)))
        }
        return pairs
    }

    func mismatch(_ type: any Any.Type, _ wanted: StaticString, _ object: MessagePackObject) -> MessagePackFault {
        MessagePackFault(type: type, reason: .mismatch(wanted: wanted, found: object.pointee.kind, isNil: object.pointee.isNil))
    }
}

// A pair is its key followed by its value; these give their addresses, stable as long as the tree lives.
extension UnsafePointer<msgpack_object_kv> {
    var key: MessagePackObject { UnsafeRawPointer(self).assumingMemoryBound(to: msgpack_object.self) }
    var value: MessagePackObject { key + 1 }
}
