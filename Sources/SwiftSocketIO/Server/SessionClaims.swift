// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Bounds the sessions that one client claims when it reconnects: each claim is a request to the other nodes, so the client may make some at
/// the same time, and only so many that fail. Used on the client's event loop only.
final class SessionClaims {
    private let concurrent: Int
    private var failuresLeft: Int
    private var running = 0
    private var waiting: Deque<CheckedContinuation<Bool, Never>> = []
    private var isClosed = false

    init(concurrent: Int, failures: Int) {
        self.concurrent = concurrent
        self.failuresLeft = failures
    }

    /// Resumes with true when the next session may be claimed, or with false if it may not.
    func begin(_ continuation: CheckedContinuation<Bool, Never>) {
        guard !isClosed, failuresLeft > 0 else { return continuation.resume(returning: false) }
        guard running < concurrent else { return waiting.append(continuation) }
        running += 1
        continuation.resume(returning: true)
    }

    /// Must be called once for each claim that began.
    func end(isRestored: Bool) {
        running -= 1
        if !isRestored { failuresLeft -= 1 }
        while running < concurrent, let next = waiting.popFirst() { begin(next) }
    }

    /// Refuses all further claims: the client is disconnected.
    func close() {
        isClosed = true
        while let next = waiting.popFirst() { next.resume(returning: false) }
    }
}
