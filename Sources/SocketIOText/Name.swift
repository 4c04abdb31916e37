// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// A name that may come from outside, as a dictionary key: compared and hashed by its UTF-8 bytes.
///
/// Swift's own strings are equal if they are canonically equivalent, so that two rooms of Node.js would be one here, and to find that
/// out they are normalised, which takes quadratic time for text made for it.
@usableFromInline
package struct Name: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as a string.
    @usableFromInline
    package let text: String

    /// Wraps a name.
    @inlinable
    package init(_ text: String) { self.text = text }

    @inlinable
    package var description: String { text }

    @inlinable
    package static func == (left: Name, right: Name) -> Bool { Bytewise.equal(left.text, right.text) }

    @inlinable
    package static func < (left: Name, right: Name) -> Bool { Bytewise.less(left.text, right.text) }

    @inlinable
    package func hash(into hasher: inout Hasher) { Bytewise.hash(text, into: &hasher) }
}

extension Name: ExpressibleByStringLiteral {
    @inlinable
    package init(stringLiteral value: String) { self.init(value) }
}
