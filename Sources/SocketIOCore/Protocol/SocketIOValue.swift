public import NIOCore

/// Any argument of an event, for those who do not know its type: what JavaScript can send.
///
/// Works with the JSON parser and the MessagePack parser. Binary is part of the value with both. Dates arrive as strings with the JSON
/// parser, because JSON has none; with MessagePack they are given the same form.
public enum SocketIOValue: Hashable, Sendable {
    /// `null`, and `undefined` inside an array.
    case null
    /// A boolean.
    case bool(Bool)
    /// A number that is whole: in 64 bits if it comes as an integer, up to 2⁵³ if it comes as a float.
    case int(Int64)
    /// Any other number.
    case double(Double)
    /// A string.
    case string(String)
    /// An `ArrayBuffer`, `Buffer`, `Blob`…
    case binary(ByteBuffer)
    /// An array.
    case array([SocketIOValue])
    /// An object.
    case object([String: SocketIOValue])
}

extension SocketIOValue {
    /// The member of an object; nil if there is none, and in anything but an object.
    ///
    /// - Parameter key: its key.
    public subscript(key: String) -> SocketIOValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// The element of an array; nil if there is none, and in anything but an array.
    ///
    /// - Parameter index: its position, from 0.
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
        self = .object(Dictionary(elements) { _, last in last })
    }
}
