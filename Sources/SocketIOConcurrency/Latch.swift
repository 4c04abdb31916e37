// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A gate that opens when a count reaches zero.
package final class Latch: Sendable {
    private let remaining: Mutex<Int>
    private let gate = Gate()

    package init(count: Int) { remaining = Mutex(count) }

    package var isOpen: Bool { gate.isOpen }

    package func countUp() { remaining.withLock { $0 += 1 } }

    package func countDown() {
        let isZero = remaining.withLock { remaining in
            remaining -= 1
            return remaining == 0
        }
        if isZero { gate.open() }
    }

    /// Returns when the count is zero or the task is cancelled.
    package func wait() async { await gate.wait() }

    /// Waits, but not longer than this.
    package func wait(atMost duration: Duration) async {
        await withTimeLimit(duration) { await self.wait() }
    }
}
