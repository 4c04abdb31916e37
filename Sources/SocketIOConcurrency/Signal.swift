// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Wakes all waiting tasks. Raising it several times while no task waits counts once.
package final class Signal: Sendable {
    private struct Waiter {
        var id: UInt64
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var isRaised = false
        /// One, most often: it costs no allocation.
        var first: Waiter?
        var others: [Waiter] = []
        var lastID: UInt64 = 0

        mutating func remove(_ id: UInt64) -> Waiter? {
            if let waiter = first, waiter.id == id {
                first = others.popLast()
                return waiter
            }
            return others.firstIndex { $0.id == id }.map { others.remove(at: $0) }
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// How many tasks wait, for tests.
    package var waiterCount: Int { state.withLock { ($0.first == nil ? 0 : 1) + $0.others.count } }

    package func raise() {
        let (first, others) = state.withLock { state in
            defer {
                state.first = nil
                state.others = []
            }
            state.isRaised = state.first == nil
            return (state.first, state.others)
        }
        first?.continuation.resume()
        for waiter in others { waiter.continuation.resume() }
    }

    /// Returns when the signal is raised, or when the task is cancelled.
    package func wait() async {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isRaised, !Task.isCancelled else {
                        state.isRaised = false
                        return false
                    }
                    let waiter = Waiter(id: id, continuation: continuation)
                    if state.first == nil { state.first = waiter } else { state.others.append(waiter) }
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.remove(id) }?.continuation.resume()
        }
    }

    /// Waits for the signal, but not longer than this.
    package func wait(atMost duration: Duration) async {
        await withTimeLimit(duration) { await self.wait() }
    }
}
