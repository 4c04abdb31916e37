// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOCore
import SocketIOText

/// The ids of `socketioxide`: 12 bytes, written as 16 characters of the base64 URL alphabet. Nodes, sockets and requests have them.
enum SocketioxideID {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    static let length = 16

    /// An id that no socket has.
    static let unassigned = String(repeating: "\0", count: length)

    /// Whether the text can be an id.
    static func isValid(_ text: String) -> Bool { text.utf8.count == length && text.utf8.allSatisfy { value($0) != nil } }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func text(_ bits: UInt128) -> String {
        String(unsafeUninitializedCapacity: length) { output in
            for position in 0..<length { output[position] = alphabet[Int(truncatingIfNeeded: bits >> (90 - 6 * position)) & 63] }
            return length
        }
    }

    /// The text of a message's id.
    static func text(_ id: MessageID) -> String { text(UInt128(id.seconds) << 64 | UInt128(id.rest)) }

    /// The text of a request's id, of which the first 12 bytes count.
    static func text(_ id: ClusterRequestID) -> String { text(UInt128(id.high) << 32 | UInt128(id.low >> 32)) }

    /// The request's id; nil if the text is none.
    static func request(_ text: String) -> ClusterRequestID? {
        guard text.utf8.count == length else { return nil }
        var bits: UInt128 = 0
        for character in text.utf8 {
            guard let value = value(character) else { return nil }
            bits = bits << 6 | UInt128(value)
        }
        return ClusterRequestID(high: UInt64(truncatingIfNeeded: bits >> 32), low: UInt64(truncatingIfNeeded: bits) << 32)
    }
}
#endif
