// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// What a decoder asks of an object's keys before the application gets them as strings.
///
/// Keys are told apart by their bytes. A Swift dictionary would take two of them as one that are canonically equivalent, and lose a value
/// without a word; and it would normalise them.
package struct KeyCheck {
    /// Why an object is refused.
    package enum Problem: Sendable, Equatable {
        /// A key has more combining marks in a row than ``CombiningMarks/limit``.
        case combiningMarks
        /// Two keys have different bytes and are the same to Swift's strings.
        case equivalentKeys

        /// What is wrong, and why it matters.
        package var message: String {
            switch self {
            case .combiningMarks: "a key has " + CombiningMarks.complaint
            case .equivalentKeys:
                "the object has two keys with different bytes that Swift's strings take as equal (canonical equivalence): "
                    + "a dictionary would lose one of them"
            }
        }
    }

    // No key in it has more marks in a row than the limit, which keeps the comparison linear.
    private var keys: Set<String> = []

    package init() {}

    /// Adds a key. Keys that have the same bytes are one key: repeating it is not a problem.
    package mutating func add(_ key: String) -> Problem? {
        if CombiningMarks.exceedLimit(in: key) { return .combiningMarks }
        let (isNew, member) = keys.insert(key)
        return isNew || Bytewise.equal(member, key) ? nil : .equivalentKeys
    }

    /// Whether keys with these bytes need no check: none that is pure ASCII does, unless another of its object is not.
    package static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index + 8 <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return false }
            index += 8
        }
        while index < bytes.count {
            if bytes[index] >= 0x80 { return false }
            index += 1
        }
        return true
    }
}
