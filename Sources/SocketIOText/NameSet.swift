// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// A set of names: two of them are the same if their UTF-8 bytes are.
///
/// `Set<String>` takes names as the same that are canonically equivalent, as `é` and `e` with an accent: other implementations of Socket.IO,
/// and thus the other nodes of a cluster, distinguish them.
public struct NameSet: Hashable, Sendable {
    package private(set) var names: Set<Name>

    package init(names: Set<Name>) { self.names = names }

    /// Creates a set.
    ///
    /// - Parameter names: Its members; repeated ones count once.
    public init(_ names: some Sequence<String>) {
        self.names = Set(minimumCapacity: names.underestimatedCount)
        formUnion(names)
    }

    /// The number of names.
    public var count: Int { names.count }
}

extension NameSet: SetAlgebra {
    /// Creates an empty set.
    public init() { names = [] }

    /// Creates a set of the names of a literal. Without it, each empty literal would pass through generic code.
    public init(arrayLiteral names: String...) {
        self.names = Set(minimumCapacity: names.count)
        for name in names { insert(name) }
    }

    /// Whether a name is a member.
    public func contains(_ name: String) -> Bool { names.contains(Name(name)) }

    /// Adds a name.
    @discardableResult
    public mutating func insert(_ name: String) -> (inserted: Bool, memberAfterInsert: String) {
        let (inserted, member) = names.insert(Name(name))
        return (inserted, member.text)
    }

    /// Removes a name; returns nil if it is not a member.
    @discardableResult
    public mutating func remove(_ name: String) -> String? { names.remove(Name(name))?.text }

    /// Adds a name in place of one with the same bytes, which is returned.
    @discardableResult
    public mutating func update(with name: String) -> String? { names.update(with: Name(name))?.text }

    /// The names that are in either set.
    public func union(_ other: NameSet) -> NameSet { NameSet(names: names.union(other.names)) }
    /// The names that are in both sets.
    public func intersection(_ other: NameSet) -> NameSet { NameSet(names: names.intersection(other.names)) }
    /// The names that are in one of the sets only.
    public func symmetricDifference(_ other: NameSet) -> NameSet { NameSet(names: names.symmetricDifference(other.names)) }
    /// Adds the names of another set.
    public mutating func formUnion(_ other: NameSet) { names.formUnion(other.names) }
    /// Removes the names that are not in another set.
    public mutating func formIntersection(_ other: NameSet) { names.formIntersection(other.names) }
    /// Keeps the names that are in one of the sets only.
    public mutating func formSymmetricDifference(_ other: NameSet) { names.formSymmetricDifference(other.names) }
}

extension NameSet {
    /// The set with further names.
    public func union(_ names: some Sequence<String>) -> NameSet { union(NameSet(names)) }

    /// Adds names.
    public mutating func formUnion(_ names: some Sequence<String>) { for name in names { insert(name) } }
}

extension NameSet: Sequence {
    /// The names, in no particular order.
    public struct Iterator: IteratorProtocol, Sendable {
        var base: Set<Name>.Iterator
        /// The next name; nil at the end.
        public mutating func next() -> String? { base.next()?.text }
    }

    /// Iterates over the names, in no particular order.
    public func makeIterator() -> Iterator { Iterator(base: names.makeIterator()) }

    /// The number of names.
    public var underestimatedCount: Int { names.count }
}

extension NameSet: CustomStringConvertible {
    /// The names, quoted and in the order of their bytes.
    public var description: String { "\(names.sorted().map { $0.text })" }
}
