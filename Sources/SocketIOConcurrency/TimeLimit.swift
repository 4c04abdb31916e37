// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Waits for `work`, but not longer than `limit`. After the limit `work` is cancelled; it must return soon then.
///
/// - Parameters:
///   - limit: The limit.
///   - sleep: Sleeps on the clock that measures the limit. Default: the system's.
///   - work: What is waited for.
package func withTimeLimit(
    _ limit: Duration,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    _ work: @escaping @Sendable () async -> Void
) async {
    await withTaskGroup(of: Void.self) { group in
        group.addTask { await work() }
        group.addTask { try? await sleep(limit) }
        await group.next()
        group.cancelAll()
    }
}

/// Waits for `work`, but not longer than until `deadline`, at which it is cancelled.
package func withTimeLimit(until deadline: NIODeadline, _ work: @escaping @Sendable () async -> Void) async {
    await withTimeLimit(deadline.timeLeft, work)
}

extension NIODeadline {
    /// The time from now, on the system's clock; not negative.
    package var timeLeft: Duration { .nanoseconds(max(0, (self - .now()).nanoseconds)) }
}
