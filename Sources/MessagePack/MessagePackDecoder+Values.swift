import CMessagePack
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The decoder of one value of a tree.
struct MessagePackTreeDecoder: Decoder {
    let tree: MessagePackTree
    /// Valid while the tree is.
    let object: UnsafePointer<msgpack_object>
    let path: MessagePackPath?

    var codingPath: [any CodingKey] { self.path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let pairs = self.object.pointee.pairs else { throw self.mismatch([String: Any].self, "a map") }
        return KeyedDecodingContainer(MessagePackKeyedDecodingContainer<Key>(tree: self.tree, pairs: pairs, path: self.path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = self.object.pointee.elements else { throw self.mismatch([Any].self, "an array") }
        return MessagePackUnkeyedDecodingContainer(tree: self.tree, elements: elements, path: self.path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension MessagePackTreeDecoder: SingleValueDecodingContainer, MessagePackValueDecoder {
    func decodeNil() -> Bool { self.object.pointee.isNil }

    @inline(__always)
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if T.self == String.self, let value = try self.string() as? T { return value }
        if let value = try self.number(type) { return value }
        if let value = try self.rich(type) { return value }
        return try T(from: self)
    }

    private func string() throws -> String {
        guard let bytes = self.object.pointee.stringBytes else { throw self.mismatch(String.self, "a string") }
        guard let string = String(validating: bytes, as: UTF8.self) else { throw self.corrupted("the string is not UTF-8") }
        return string
    }

    /// Numbers and booleans; nil for other types.
    @inline(__always)
    private func number<T>(_ type: T.Type) throws -> T? {
        if T.self == Int.self { return try self.integer(Int.self) as? T }
        if T.self == Bool.self {
            guard self.object.pointee.type == MSGPACK_OBJECT_BOOLEAN else { throw self.mismatch(type, "a boolean") }
            return self.object.pointee.via.boolean as? T
        }
        if T.self == Double.self { return try self.double() as? T }
        if T.self == Float.self {
            let value = try self.double()
            let float = Float(value)
            guard float.isFinite || !value.isFinite else { throw self.corrupted("the number does not fit Float") }
            return float as? T
        }
        if T.self == Int64.self { return try self.integer(Int64.self) as? T }
        if T.self == UInt64.self { return try self.integer(UInt64.self) as? T }
        if T.self == UInt.self { return try self.integer(UInt.self) as? T }
        if T.self == Int32.self { return try self.integer(Int32.self) as? T }
        if T.self == UInt32.self { return try self.integer(UInt32.self) as? T }
        if T.self == Int16.self { return try self.integer(Int16.self) as? T }
        if T.self == UInt16.self { return try self.integer(UInt16.self) as? T }
        if T.self == Int8.self { return try self.integer(Int8.self) as? T }
        if T.self == UInt8.self { return try self.integer(UInt8.self) as? T }
        return nil
    }

    private func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
        let object = self.object.pointee
        let value: I? =
            switch object.type {
            case MSGPACK_OBJECT_POSITIVE_INTEGER: I(exactly: object.via.u64)
            case MSGPACK_OBJECT_NEGATIVE_INTEGER: I(exactly: object.via.i64)
            case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: I(exactly: object.via.f64)
            default: throw self.mismatch(type, "a number")
            }
        guard let value else { throw self.corrupted("the number does not fit \(type)") }
        return value
    }

    private func double() throws -> Double {
        let object = self.object.pointee
        return switch object.type {
        case MSGPACK_OBJECT_POSITIVE_INTEGER: Double(object.via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: Double(object.via.i64)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: object.via.f64
        default: throw self.mismatch(Double.self, "a number")
        }
    }

    /// Types that are not decoded through their own `init(from:)`; nil for others.
    @inline(__always)
    private func rich<T: Decodable>(_ type: T.Type) throws -> T? {
        if T.self == ByteBuffer.self || T.self == Data.self || T.self == [UInt8].self { return try self.binary(type) }
        if T.self == Date.self { return try self.timestamp(type).date as? T }
        if T.self == MessagePackTimestamp.self { return try self.timestamp(type) as? T }
        if T.self == URL.self {
            guard let url = URL(string: try self.string()) else { throw self.corrupted("the string is no URL") }
            return url as? T
        }
        if T.self == Decimal.self { return try self.decimal() as? T }
        if T.self == MessagePackValue.self { return try self.value() as? T }
        return nil
    }

    /// Binary, or for `[UInt8]` also an array of numbers.
    private func binary<T: Decodable>(_ type: T.Type) throws -> T? {
        let object = self.object.pointee
        guard object.type == MSGPACK_OBJECT_BIN else {
            if T.self == [UInt8].self, object.type == MSGPACK_OBJECT_ARRAY { return nil }
            throw self.mismatch(type, "binary")
        }
        return Self.bytes(self.tree.slice(object.via.bin.ptr, count: object.via.bin.size), as: type)
    }

    static func bytes<T>(_ bytes: ByteBuffer, as type: T.Type) -> T? {
        if T.self == ByteBuffer.self { return bytes as? T }
        if T.self == Data.self { return Data(bytes.readableBytesView) as? T }
        return Array(bytes.readableBytesView) as? T
    }

    private func timestamp(_ type: Any.Type) throws -> MessagePackTimestamp {
        let object = self.object.pointee
        guard object.type == MSGPACK_OBJECT_EXT else { throw self.mismatch(type, "a timestamp") }
        let bytes = self.tree.slice(object.via.ext.ptr, count: object.via.ext.size)
        guard let timestamp = MessagePackTimestamp(extension: object.via.ext.type, bytes: bytes) else {
            throw self.mismatch(type, "a timestamp")
        }
        return timestamp
    }

    private func decimal() throws -> Decimal {
        let object = self.object.pointee
        switch object.type {
        case MSGPACK_OBJECT_POSITIVE_INTEGER: return Decimal(object.via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: return Decimal(object.via.i64)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64:
            guard let decimal = Decimal(string: object.via.f64.description) else { throw self.corrupted("the number does not fit Decimal") }
            return decimal
        default:
            guard let decimal = Decimal(string: try self.string()) else { throw self.corrupted("the string is no decimal number") }
            return decimal
        }
    }

    private func value() throws -> MessagePackValue {
        let object = self.object.pointee
        switch object.type {
        case MSGPACK_OBJECT_NIL: return .null
        case MSGPACK_OBJECT_BOOLEAN: return .bool(object.via.boolean)
        case MSGPACK_OBJECT_POSITIVE_INTEGER:
            if let value = Int64(exactly: object.via.u64) { return .int(value) }
            return .uint(object.via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: return .int(object.via.i64)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: return .double(object.via.f64)
        case MSGPACK_OBJECT_STR: return .string(try self.string())
        case MSGPACK_OBJECT_BIN: return .binary(self.tree.slice(object.via.bin.ptr, count: object.via.bin.size))
        case MSGPACK_OBJECT_ARRAY: return .array(try object.elements.map { try self.values($0) } ?? [])
        case MSGPACK_OBJECT_MAP: return .map(try object.pairs.map { try self.pairs($0) } ?? [])
        default:
            if object.isNil { return .null }
            if let timestamp = try? self.timestamp(MessagePackTimestamp.self) { return .timestamp(timestamp) }
            return .extension(object.via.ext.type, self.tree.slice(object.via.ext.ptr, count: object.via.ext.size))
        }
    }

    private func values(_ elements: UnsafeBufferPointer<msgpack_object>) throws -> [MessagePackValue] {
        guard let base = elements.baseAddress else { return [] }
        return try elements.indices.map { try self.at(base + $0).value() }
    }

    private func pairs(_ pairs: UnsafeBufferPointer<msgpack_object_kv>) throws -> [MessagePackValue.Pair] {
        guard let base = pairs.baseAddress else { return [] }
        return try pairs.indices.map { index in
            MessagePackValue.Pair(try self.at((base + index).key).value(), try self.at((base + index).value).value())
        }
    }

    private func at(_ object: UnsafePointer<msgpack_object>) -> Self {
        Self(tree: self.tree, object: object, path: self.path)
    }

    package func decodeMessagePackValue() throws -> MessagePackValue { try self.value() }

    // MARK: Errors

    func mismatch(_ type: Any.Type, _ wanted: String) -> DecodingError {
        let text = "expected \(wanted), found \(self.object.pointee.kind)"
        let context = DecodingError.Context(codingPath: self.codingPath, debugDescription: text)
        return self.decodeNil() ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    private func corrupted(_ text: String) -> DecodingError {
        DecodingError.dataCorrupted(DecodingError.Context(codingPath: self.codingPath, debugDescription: text))
    }
}

// A pair is its key followed by its value; these give their addresses, stable as long as the tree lives.
extension UnsafePointer<msgpack_object_kv> {
    var key: UnsafePointer<msgpack_object> { UnsafeRawPointer(self).assumingMemoryBound(to: msgpack_object.self) }
    var value: UnsafePointer<msgpack_object> { self.key + 1 }
}
