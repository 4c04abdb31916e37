// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import Synchronization

/// Waits for work that cancellation cannot end; `withTimeLimit` waits for other work.
enum BoundedWait {
    /// Runs a function that the cancellation of the calling task does not reach.
    static func shielded(_ body: @escaping @Sendable () async -> Void) async {
        // Awaited: it ends before this returns.
        await Task { await body() }.value
    }

    /// Runs a function and waits for it, but not longer than until a deadline: then it is cancelled, and ends by itself later.
    ///
    /// - Returns: Whether it has ended.
    @discardableResult
    static func abandoning(at limit: NIODeadline?, _ body: @escaping @Sendable () async -> Void) async -> Bool {
        guard let limit else {
            await body()
            return true
        }
        let ended = Gate()
        let task = Task {
            await body()
            ended.open()
        }
        await withTimeLimit(until: limit) { await ended.wait() }
        task.cancel()
        return ended.isOpen
    }
}
