// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Ids that cannot be guessed, of the base64 URL alphabet: 90 random bits as 15 characters, which is as much as a `String` holds without
/// memory of its own, or up to 120 as 20.
package enum RandomID {
    private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The characters of an id of 90 bits.
    package static let shortLength = 15

    /// Makes an id.
    ///
    /// - Parameter length: The number of characters, from 15 to 20. Default 15.
    package static func make(length: Int = 15) -> String {
        let length = min(max(length, 15), 20)
        var (high, low) = RandomBits.next()
        return String(unsafeUninitializedCapacity: length) { output in
            for position in 0..<length {
                let bits = position < 10 ? high : low
                output[position] = alphabet[Int(bits & 63)]
                if position < 10 { high >>= 6 } else { low >>= 6 }
            }
            return length
        }
    }
}
