// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// In files that import this module these stand before the operators of the standard library. They do not reach generic code: keys of
// dictionaries and members of sets are `Name`, and `scripts/check-strings` finds what still compares strings by canonical equivalence.

extension String {
    /// Whether both have the same bytes of UTF-8.
    @inlinable
    @inline(__always)
    package static func == (left: String, right: String) -> Bool { Bytewise.equal(left, right) }

    /// Whether their bytes of UTF-8 differ.
    @inlinable
    @inline(__always)
    package static func != (left: String, right: String) -> Bool { !Bytewise.equal(left, right) }

    /// Whether the bytes of UTF-8 of the first come before those of the second.
    package static func < (left: String, right: String) -> Bool { Bytewise.less(left, right) }

    /// Whether a `case` has the same bytes of UTF-8.
    @inlinable
    @inline(__always)
    package static func ~= (pattern: String, value: String) -> Bool { Bytewise.equal(pattern, value) }

    /// Whether it begins with the bytes of another string.
    package func hasPrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether it ends with the bytes of another string.
    package func hasSuffix(_ suffix: String) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }
}

extension String? {
    /// Whether both are nil or have the same bytes of UTF-8.
    package static func == (left: String?, right: String?) -> Bool {
        switch (left, right) {
        case (let left?, let right?): Bytewise.equal(left, right)
        case (nil, nil): true
        default: false
        }
    }

    /// Whether only one is nil or their bytes of UTF-8 differ.
    package static func != (left: String?, right: String?) -> Bool { !(left == right) }

    // With a string that is not optional the compiler would take the generic operator of the standard library.

    /// Whether there is a string and it has the same bytes of UTF-8.
    package static func == (left: String?, right: String) -> Bool { left.map { Bytewise.equal($0, right) } ?? false }

    /// Whether there is no string or its bytes of UTF-8 differ.
    package static func != (left: String?, right: String) -> Bool { !(left == right) }

    /// Whether a `case` has the same bytes of UTF-8.
    package static func ~= (pattern: String, value: String?) -> Bool { value.map { Bytewise.equal(pattern, $0) } ?? false }
}

extension Sequence<String> {
    /// Whether one of the elements has the same bytes of UTF-8.
    package func contains(_ text: String) -> Bool { contains { Bytewise.equal($0, text) } }
}
