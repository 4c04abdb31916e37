// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOText

/// Any MessagePack value.
///
/// Strings are compared by their bytes of UTF-8, and not by canonical equivalence as Swift's strings are.
public enum MessagePackValue: Sendable {
    /// One key and its value in a map.
    public struct Pair: Hashable, Sendable {
        /// The key: in most maps a string.
        public var key: MessagePackValue
        /// The value.
        public var value: MessagePackValue

        /// Creates a pair.
        ///
        /// - Parameters:
        ///   - key: the key.
        ///   - value: the value.
        public init(_ key: MessagePackValue, _ value: MessagePackValue) {
            self.key = key
            self.value = value
        }
    }

    /// `nil`, and notepack's `undefined`.
    case null
    /// A boolean.
    case bool(Bool)
    /// An integer that fits 64 signed bits; the decoder uses this for all of them.
    case int(Int64)
    /// An integer above `Int64.max`.
    case uint(UInt64)
    /// A float.
    case double(Double)
    /// A string.
    case string(String)
    /// Bytes.
    case binary(ByteBuffer)
    /// An array.
    case array([MessagePackValue])
    /// A map, in its order on the wire; duplicate keys are kept.
    case map([Pair])
    /// A point in time (extension −1, and notepack 2's date).
    case timestamp(MessagePackTimestamp)
    /// An extension of another type.
    case `extension`(Int8, ByteBuffer)

    /// Decodes a value.
    ///
    /// - Parameters:
    ///   - buffer: exactly one value.
    ///   - limits: what is accepted.
    /// - Throws: ``MessagePackError`` for malformed bytes, those that exceed the limits, and strings with more than 64 combining marks in a
    ///   row (``MessagePackError/Code/combiningMarks``).
    public init(decoding buffer: ByteBuffer, limits: MessagePackLimits = .default) throws(MessagePackError) {
        try MessagePackReader.validate(buffer, limits: limits)
        var reader = MessagePackReader(buffer, limits: limits)
        self = try Self.read(&reader)
    }

    /// Encodes the value.
    ///
    /// - Returns: its bytes.
    /// - Throws: ``MessagePackError`` with code `tooDeep` or `tooLong`.
    public func encoded() throws(MessagePackError) -> ByteBuffer {
        var writer = MessagePackWriter()
        try write(to: &writer)
        return writer.buffer
    }

    /// Appends the value.
    ///
    /// - Parameter writer: where to.
    /// - Throws: ``MessagePackError`` with code `tooDeep` (more than 32 nested arrays and maps) or `tooLong`.
    public func write(to writer: inout MessagePackWriter) throws(MessagePackError) {
        try write(to: &writer, depthLeft: MessagePackLimits.deepestNesting)
    }

    /// The value for a string key of a map, the last one if there are several; nil for another key and in anything but a map.
    ///
    /// - Parameter key: the key.
    public subscript(key: String) -> MessagePackValue? {
        guard case .map(let pairs) = self else { return nil }
        return pairs.last { $0.key == .string(key) }?.value
    }
}

extension MessagePackValue {
    /// Reads one value whose structure has been validated, so that recursion and allocation are bounded.
    private static func read(_ reader: inout MessagePackReader) throws(MessagePackError) -> MessagePackValue {
        switch try reader.peekKind() {
        case .null:
            _ = reader.readNil()
            return .null
        case .bool: return .bool(try reader.readBool())
        case .integer:
            switch try reader.peekNumber().value {
            case .uint(let value) where value > UInt64(Int64.max): return .uint(try reader.readInteger())
            default: return .int(try reader.readInteger())
            }
        case .float: return .double(try reader.readDouble())
        case .string: return .string(try reader.readText())
        case .binary: return .binary(try reader.readBinary())
        case .array:
            var elements: [MessagePackValue] = []
            for _ in 0..<(try reader.readArrayHeader()) { elements.append(try read(&reader)) }
            return .array(elements)
        case .map:
            var pairs: [Pair] = []
            for _ in 0..<(try reader.readMapHeader()) { pairs.append(Pair(try read(&reader), try read(&reader))) }
            return .map(pairs)
        case .extension:
            if reader.readNil() { return .null }
            if let bytes = try? reader.readBinary() { return .binary(bytes) }
            if let timestamp = try? reader.readTimestamp() { return .timestamp(timestamp) }
            let content = try reader.readExtension()
            return .extension(content.type, content.bytes)
        }
    }

    func write(to writer: inout MessagePackWriter, depthLeft: Int) throws(MessagePackError) {
        switch self {
        case .null: writer.writeNil()
        case .bool(let value): writer.write(value)
        case .int(let value): writer.write(value)
        case .uint(let value): writer.write(value)
        case .double(let value): writer.write(value)
        case .string(let value): try writer.write(value)
        case .binary(let bytes): try writer.write(binary: bytes)
        case .timestamp(let value): writer.write(value)
        case .extension(let type, let bytes): try writer.writeExtension(type: type, bytes: bytes)
        case .array(let elements):
            let depthLeft = try Self.descend(depthLeft)
            try writer.writeArrayHeader(count: elements.count)
            for element in elements { try element.write(to: &writer, depthLeft: depthLeft) }
        case .map(let pairs):
            let depthLeft = try Self.descend(depthLeft)
            try writer.writeMapHeader(count: pairs.count)
            for pair in pairs {
                try pair.key.write(to: &writer, depthLeft: depthLeft)
                try pair.value.write(to: &writer, depthLeft: depthLeft)
            }
        }
    }

    private static func descend(_ depthLeft: Int) throws(MessagePackError) -> Int {
        guard depthLeft > 0 else {
            throw MessagePackError(.tooDeep, "nested deeper than \(MessagePackLimits.deepestNesting) arrays and maps")
        }
        return depthLeft - 1
    }
}

extension MessagePackValue: Hashable {
    /// Whether both are the same value.
    public static func == (left: MessagePackValue, right: MessagePackValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.uint(let left), .uint(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.binary(let left), .binary(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.map(let left), .map(let right)): left == right
        case (.timestamp(let left), .timestamp(let right)): left == right
        case (.extension(let leftType, let left), .extension(let rightType, let right)): leftType == rightType && left == right
        default: false
        }
    }

    /// Feeds the value to a hasher.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .uint(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value)
        case .string(let value): Bytewise.hash(value, into: &hasher)
        case .binary(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .map(let value): hasher.combine(value)
        case .timestamp(let value): hasher.combine(value)
        case .extension(let type, let value):
            hasher.combine(type)
            hasher.combine(value)
        }
    }
}

extension MessagePackValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// Creates ``null``.
    public init(nilLiteral: ()) { self = .null }
    /// Creates a boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Creates an integer.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// Creates a float.
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension MessagePackValue: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Creates a string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Creates an array.
    public init(arrayLiteral elements: MessagePackValue...) { self = .array(elements) }
    /// Creates a map, in the order of the literal.
    public init(dictionaryLiteral elements: (MessagePackValue, MessagePackValue)...) {
        self = .map(elements.map { Pair($0, $1) })
    }
}
