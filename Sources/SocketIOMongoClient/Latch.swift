// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOConcurrency
import Synchronization

/// Counts down to zero and then resumes all waiting tasks.
final class Latch: Sendable {
    private let remaining: Mutex<Int>
    private let gate = Gate()

    init(count: Int) { remaining = Mutex(count) }

    func countUp() { remaining.withLock { $0 += 1 } }

    func countDown() {
        let isZero = remaining.withLock { remaining in
            remaining -= 1
            return remaining == 0
        }
        if isZero { gate.open() }
    }

    /// Waits until the count is zero, the timeout has passed, or the task is cancelled.
    func wait(atMost timeout: Duration) async {
        await withTaskGroup { group in
            group.addTask { await self.gate.wait() }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
    }
}
#endif
