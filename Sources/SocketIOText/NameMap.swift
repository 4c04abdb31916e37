// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Values by name: two names are the same if their UTF-8 bytes are.
///
/// It is what `[String: Value]` would be if strings were not compared by canonical equivalence; see ``NameSet``.
public struct NameMap<Value> {
    package private(set) var values: [Name: Value]

    package init(values: [Name: Value]) { self.values = values }

    /// Creates an empty map.
    public init() { values = [:] }

    /// Creates a map of the values of a dictionary.
    public init(_ dictionary: [String: Value]) {
        values = Dictionary(minimumCapacity: dictionary.count)
        for (name, value) in dictionary { values[Name(name)] = value }
    }

    /// Creates a map of names and their values; of equal names the last one counts.
    public init(_ pairs: some Sequence<(String, Value)>) {
        values = Dictionary(minimumCapacity: pairs.underestimatedCount)
        for (name, value) in pairs { values[Name(name)] = value }
    }

    /// The value of a name; nil if there is none. Set it to nil to remove it.
    public subscript(name: String) -> Value? {
        get { values[Name(name)] }
        set { values[Name(name)] = newValue }
    }

    /// The number of names.
    public var count: Int { values.count }

    /// Whether there are no names.
    public var isEmpty: Bool { values.isEmpty }

    /// The names, in no particular order.
    public var names: NameSet { NameSet(names: Set(values.keys)) }

    /// The same names with other values.
    public func mapValues<Other, Failure: Error>(_ transform: (Value) throws(Failure) -> Other) throws(Failure) -> NameMap<Other> {
        var result = NameMap<Other>()
        result.values.reserveCapacity(values.count)
        for (name, value) in values { result.values[name] = try transform(value) }
        return result
    }
}

extension NameMap: Equatable where Value: Equatable {}
extension NameMap: Hashable where Value: Hashable {}
extension NameMap: Sendable where Value: Sendable {}

extension NameMap: ExpressibleByDictionaryLiteral {
    /// Creates a map; of equal names the last one counts.
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

extension NameMap: Sequence {
    /// The names with their values, in no particular order.
    public struct Iterator: IteratorProtocol {
        var base: Dictionary<Name, Value>.Iterator
        /// The next name with its value; nil at the end.
        public mutating func next() -> (name: String, value: Value)? { base.next().map { (name: $0.key.text, value: $0.value) } }
    }

    /// Iterates over the names with their values, in no particular order.
    public func makeIterator() -> Iterator { Iterator(base: values.makeIterator()) }

    /// The number of names.
    public var underestimatedCount: Int { values.count }
}

extension NameMap: CustomStringConvertible {
    /// The names with their values, in the order of the names' bytes.
    public var description: String {
        let members = values.sorted { $0.key < $1.key }.map { "\(String(reflecting: $0.key.text)): \(String(reflecting: $0.value))" }
        return members.isEmpty ? "[:]" : "[\(members.joined(separator: ", "))]"
    }
}
