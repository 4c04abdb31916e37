// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import Synchronization

/// Random bits of the system's generator, taken in portions of 256 bytes: each is a system call, and a connection needs several ids.
package enum RandomBits {
    private static let pool = Mutex<[UInt64]>([])
    private static let portion = 32

    /// 128 bits, each returned only once.
    package static func next() -> (UInt64, UInt64) {
        pool.withLock { words in
            if words.count < 2 { words = fresh() }
            return (words.removeLast(), words.removeLast())
        }
    }

    private static func fresh() -> [UInt64] {
        var words = [UInt64](repeating: 0, count: portion)
        if words.withUnsafeMutableBytes({ socketio_random($0.baseAddress, UInt($0.count)) }) == 0 { return words }
        var generator = SystemRandomNumberGenerator()
        for index in words.indices { words[index] = generator.next() }
        return words
    }
}
