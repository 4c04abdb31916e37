// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency

/// Makes session ids.
enum SessionID {
    /// The bytes of an id.
    static let length = 15
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// 15 characters that may stand in a URL, with 90 random bits from the system's generator: as much as a `String` holds without memory
    /// of its own.
    static func random() -> String {
        let random = RandomBits.next()
        var bits = random.0
        var left = 10
        return String(unsafeUninitializedCapacity: length) { buffer in
            for index in 0..<length {
                if left == 0 {
                    bits = random.1
                    left = 10
                }
                buffer[index] = alphabet[Int(bits & 63)]
                bits >>= 6
                left -= 1
            }
            return length
        }
    }
}
