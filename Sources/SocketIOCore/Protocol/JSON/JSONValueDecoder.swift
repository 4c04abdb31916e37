import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The decoder of one value of a tape.
struct JSONValueDecoder: Decoder {
    let tape: JSONTape
    let index: Int
    let path: JSONPath?

    var codingPath: [any CodingKey] { self.path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard self.tape.kind(at: self.index) == .object else { throw self.mismatch([String: Any].self, "an object") }
        return KeyedDecodingContainer(JSONKeyedDecodingContainer<Key>(tape: self.tape, object: self.index, path: self.path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard self.tape.kind(at: self.index) == .array else { throw self.mismatch([Any].self, "an array") }
        return JSONUnkeyedDecodingContainer(tape: self.tape, array: self.index, path: self.path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension JSONValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { self.tape.isNull(at: self.index) }

    @inline(__always)
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if T.self == String.self, let value = try self.string() as? T { return value }
        if let value = try self.number(type) { return value }
        if let value = try self.rich(type) { return value }
        return try T(from: self)
    }

    func string() throws -> String {
        guard let string = self.tape.string(at: self.index) else { throw self.mismatch(String.self, "a string") }
        return string
    }

    func bool() throws -> Bool {
        guard let bool = self.tape.bool(at: self.index) else { throw self.mismatch(Bool.self, "a boolean") }
        return bool
    }

    func double() throws -> Double {
        try self.number(Double.self) { JSONNumber.double($0) }
    }

    @inline(__always)
    func integer<I: FixedWidthInteger>(_ type: I.Type = I.self) throws -> I {
        try self.number(type) { JSONNumber.integer($0, as: type) }
    }

    @inline(__always)
    private func number<N>(_ type: N.Type, _ convert: (UnsafeRawBufferPointer) -> N?) throws -> N {
        guard self.tape.kind(at: self.index) == .number else { throw self.mismatch(type, "a number") }
        guard let value = self.tape.withBytes(at: self.index, isString: false, convert) else {
            throw self.corrupted("the number does not fit \(type)")
        }
        return value
    }

    /// Numbers and booleans; nil for other types.
    @inline(__always)
    private func number<T>(_ type: T.Type) throws -> T? {
        if T.self == Int.self { return try self.integer(Int.self) as? T }
        if T.self == Double.self { return try self.double() as? T }
        if T.self == Bool.self { return try self.bool() as? T }
        if T.self == Float.self { return try self.number(Float.self) { JSONNumber.float($0) } as? T }
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

    /// Types that are not decoded through their own `init(from:)`; nil for others.
    @inline(__always)
    private func rich<T: Decodable>(_ type: T.Type) throws -> T? {
        if T.self == SocketIOValue.self { return try self.value() as? T }
        if T.self == ByteBuffer.self { return try self.attachment(type) as? T }
        if T.self == Data.self { return Data(try self.attachment(type).readableBytesView) as? T }
        if T.self == [UInt8].self, self.tape.kind(at: self.index) != .array {
            return Array(try self.attachment(type).readableBytesView) as? T
        }
        if T.self == Date.self { return try self.date() as? T }
        if T.self == URL.self {
            guard let url = URL(string: try self.string()) else { throw self.corrupted("the string is no URL") }
            return url as? T
        }
        if T.self == Decimal.self { return try self.number(Decimal.self) { Decimal(string: String(decoding: $0, as: UTF8.self)) } as? T }
        return nil
    }

    private func date() throws -> Date {
        if self.tape.kind(at: self.index) == .number {
            guard let date = JSONDate.date(milliseconds: try self.double()) else { throw self.corrupted("the number is no date") }
            return date
        }
        guard let date = JSONDate.date(try self.string()) else {
            throw self.corrupted("the string is no date in the format YYYY-MM-DDTHH:mm:ss.sssZ")
        }
        return date
    }

    /// The attachment that a placeholder stands for.
    private func attachment(_ type: Any.Type) throws -> ByteBuffer {
        guard self.isPlaceholder else { throw self.mismatch(type, "binary") }
        guard let number = self.tape.find("num", in: self.index), self.tape.kind(at: number) == .number,
            let attachment: Int = self.tape.withBytes(at: number, isString: false, { JSONNumber.integer($0, as: Int.self) }),
            self.tape.attachments.indices.contains(attachment)
        else { throw self.corrupted("the placeholder names none of the \(self.tape.attachments.count) attachments") }
        return self.tape.attachments[attachment]
    }

    private var isPlaceholder: Bool {
        guard self.tape.kind(at: self.index) == .object, let mark = self.tape.find("_placeholder", in: self.index) else { return false }
        return self.tape.bool(at: mark) == true
    }

    /// The value as it is. Recursion is bounded by the depth of the tape.
    private func value() throws -> SocketIOValue {
        switch self.tape.kind(at: self.index) {
        case .null: return .null
        case .bool: return .bool(try self.bool())
        case .number:
            if let integer: Int64 = self.tape.withBytes(at: self.index, isString: false, { JSONNumber.integer($0, as: Int64.self) }) {
                return .int(integer)
            }
            return .double(try self.double())
        case .string: return .string(try self.string())
        case .array:
            var elements: [SocketIOValue] = []
            var position = self.index + 1
            while position < self.tape.entries[self.index].count {
                elements.append(try Self(tape: self.tape, index: position, path: self.path).value())
                position = self.tape.next(after: position)
            }
            return .array(elements)
        case .object:
            if self.isPlaceholder { return .binary(try self.attachment(SocketIOValue.self)) }
            var members: [String: SocketIOValue] = [:]
            var position = self.index + 1
            while position < self.tape.entries[self.index].count {
                members[self.tape.key(at: position)] = try Self(tape: self.tape, index: position + 1, path: self.path).value()
                position = self.tape.next(after: position + 1)
            }
            return .object(members)
        }
    }

    // MARK: Errors

    func mismatch(_ type: Any.Type, _ wanted: String) -> DecodingError {
        let text = "expected \(wanted), found \(self.tape.kind(at: self.index))"
        let context = DecodingError.Context(codingPath: self.codingPath, debugDescription: text)
        return self.decodeNil() ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    private func corrupted(_ text: String) -> DecodingError {
        DecodingError.dataCorrupted(DecodingError.Context(codingPath: self.codingPath, debugDescription: text))
    }
}
