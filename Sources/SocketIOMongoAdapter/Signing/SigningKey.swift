// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// A secret with which the nodes of a cluster sign their documents. Programs that only have access to the database do not have it.
///
/// See ``MongoAdapterConfiguration/signingKeys``. Its bytes never appear in a description or a log.
public struct SigningKey: Sendable, CustomStringConvertible {
    /// The shortest and the longest key, in bytes.
    public static let sizes = 32...1_024

    let bytes: [UInt8]

    /// Creates a key.
    ///
    /// - Parameter bytes: 32 to 1 024 random bytes, for example from `openssl rand 32`. Do not use a password as a key.
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Creates a key of hexadecimal digits, such as `openssl rand -hex 32` makes, with white space around them.
    ///
    /// - Returns: nil if there is something else in the text, or an odd number of digits.
    public init?(hexadecimal text: String) {
        var nibbles: [UInt8] = []
        var hasEnded = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): hasEnded = hasEnded || !nibbles.isEmpty
            case _ where hasEnded: return nil
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibbles.append(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibbles.append(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibbles.append(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        guard nibbles.count.isMultiple(of: 2) else { return nil }
        self.bytes = stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }

    /// Says that it is a key, and how long.
    public var description: String { "a key of \(bytes.count) bytes" }
}
