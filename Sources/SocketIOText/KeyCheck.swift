// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The check of an object's keys that a decoder makes before the application gets them as strings.
///
/// Keys are compared by their bytes. A Swift dictionary would treat two canonically equivalent keys as one and silently lose a value, and it
/// would normalize them.
package struct KeyCheck {
    /// Why an object is refused.
    package enum Problem: Sendable, Equatable {
        /// A key has more combining marks in a row than ``CombiningMarks/limit``.
        case combiningMarks
        /// Two keys have different bytes and are the same to Swift's strings.
        case equivalentKeys
        /// The keys that are not ASCII have more than ``KeyCheck/byteLimit`` bytes.
        case tooLong

        /// The problem, and why it matters.
        package var message: String {
            switch self {
            case .combiningMarks: "a key has " + CombiningMarks.complaint
            case .equivalentKeys:
                "the object has two keys with different bytes that Swift's strings take as equal (canonical equivalence): "
                    + "a dictionary would lose one of them"
            case .tooLong:
                "the keys that are not ASCII have more than \(KeyCheck.byteLimit) bytes together: Swift's strings normalise them whenever they "
                    + "are hashed; take a SocketIOValue, which does not"
            }
        }
    }

    /// The bytes that keys which are not ASCII may have together, in all objects of one value. To normalise a byte takes up to 80 ns, each
    /// time that the key is hashed, so that a megabyte would hold up an event loop for a tenth of a second and more.
    package static let byteLimit = 64 << 10

    // No key in it has more marks in a row than the limit, which keeps the comparison linear.
    private var keys: Set<String> = []

    package init() {}

    /// Adds a key. Keys that have the same bytes are one key: repeating it is not a problem.
    ///
    /// - Parameter bytesLeft: What is left of ``byteLimit``.
    package mutating func add(_ key: String, bytesLeft: inout Int) -> Problem? {
        if CombiningMarks.exceedLimit(in: key) { return .combiningMarks }
        if !Bytewise.withBytes(key, { Self.isPlain(UnsafeRawBufferPointer($0)) }) {
            bytesLeft -= key.utf8.count
            guard bytesLeft >= 0 else { return .tooLong }
        }
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
