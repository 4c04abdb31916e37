// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import SocketIOText

/// An argument of any type that JavaScript can send.
///
/// Works with the JSON parser and the MessagePack parser. Binary is part of the value with both. Dates arrive as strings with the JSON
/// parser, because JSON has no dates; with MessagePack they are converted to the same form.
public enum SocketIOValue: Sendable {
    /// `null`, and `undefined` inside an array.
    case null
    /// A boolean.
    case bool(Bool)
    /// A number that is whole: in 64 bits if it comes as an integer, up to 2⁵³ if it comes as a float.
    case int(Int64)
    /// An integer above `Int64.max`, which JavaScript would round. Smaller ones are ``int(_:)``.
    case uint(UInt64)
    /// Any other number.
    case double(Double)
    /// A string.
    case string(String)
    /// An `ArrayBuffer`, `Buffer`, `Blob`…
    case binary(ByteBuffer)
    /// An array.
    case array([SocketIOValue])
    /// An object.
    case object(NameMap<SocketIOValue>)
}

extension SocketIOValue {
    /// Creates an object of the values of a dictionary.
    public init(_ members: [String: SocketIOValue]) { self = .object(NameMap(members)) }
}

extension SocketIOValue {
    /// Creates a number.
    ///
    /// - Parameter value: Any integer of 64 bits without a sign: up to `Int64.max` it becomes ``int(_:)``.
    public init(_ value: UInt64) {
        if let signed = Int64(exactly: value) { self = .int(signed) } else { self = .uint(value) }
    }
}

/// Strings and keys are compared by their bytes of UTF-8, as in JavaScript, and not by canonical equivalence as Swift's strings are.
extension SocketIOValue: Hashable {
    /// Whether both are the same value.
    public static func == (left: SocketIOValue, right: SocketIOValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.uint(let left), .uint(let right)): left == right
        case (.int(let left), .uint(let right)), (.uint(let right), .int(let left)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.binary(let left), .binary(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    /// Feeds the value to a hasher.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(UInt64(bitPattern: value))
        case .uint(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value)
        case .string(let value): Bytewise.hash(value, into: &hasher)
        case .binary(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension SocketIOValue {
    /// The member of an object; nil if there is none or the value is not an object.
    ///
    /// - Parameter key: The key.
    public subscript(key: String) -> SocketIOValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// The element of an array; nil if there is none or the value is not an array.
    ///
    /// - Parameter index: The position, from 0.
    public subscript(index: Int) -> SocketIOValue? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }
}

extension SocketIOValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// Creates ``null``.
    public init(nilLiteral: ()) { self = .null }
    /// Creates a boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Creates a whole number.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// Creates a number.
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension SocketIOValue: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Creates a string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Creates an array.
    public init(arrayLiteral elements: SocketIOValue...) { self = .array(elements) }
    /// Creates an object; of equal keys the last one counts.
    public init(dictionaryLiteral elements: (String, SocketIOValue)...) {
        self = .object(NameMap(elements))
    }
}
