// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The extension types that notepack, the MessagePack library of JavaScript's clients, gives a meaning.
///
/// Type 0 is `undefined` as a `fixext 1` of a zero byte, a date as a `fixext 8`, and an `ArrayBuffer` or typed array in every other form,
/// also of one or eight bytes: `Buffer` alone becomes binary.
/// Type 1 is a `BigInt`, as its decimal digits.
package enum MessagePackExtension {
    static let javaScript: Int8 = 0
    package static let bigInt: Int8 = 1

    static let fixed1: UInt8 = 0xd4
    static let fixed8: UInt8 = 0xd7

    /// The number that a `BigInt` is, rounded if it needs more than 64 bits; nil if the bytes are not digits.
    package static func bigInt(_ bytes: ByteBuffer) -> MessagePackValue? {
        // A double has at most 309 digits before its point.
        guard bytes.readableBytes <= 310 else { return nil }
        let digits = String(buffer: bytes)
        if let value = Int64(digits) { return .int(value) }
        if let value = UInt64(digits) { return .uint(value) }
        guard digits.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 == UInt8(ascii: "-") }) else { return nil }
        return Double(digits).map { .double($0) }
    }

    /// Whether an extension is binary.
    ///
    /// - Parameters:
    ///   - type: The extension's type.
    ///   - isFixed: Whether its form is a `fixext`.
    ///   - count: The size of its content.
    ///   - first: The first byte of its content.
    static func isBinary(_ type: Int8, isFixed: Bool, count: Int, first: UInt8?) -> Bool {
        guard type == javaScript else { return false }
        return !isFixed || !(count == 8 || count == 1 && first == 0)
    }
}
