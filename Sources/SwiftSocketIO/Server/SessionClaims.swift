// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The sessions that one client asks for when it comes back: each costs the other nodes a question, so that it may ask for some at a time,
/// and only for so many that are not there. Used on the client's event loop only.
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

    /// Resumes when the next session may be asked for, or with false if it may not.
    func begin(_ continuation: CheckedContinuation<Bool, Never>) {
        guard !isClosed, failuresLeft > 0 else { return continuation.resume(returning: false) }
        guard running < concurrent else { return waiting.append(continuation) }
        running += 1
        continuation.resume(returning: true)
    }

    /// To be called once for each that began.
    func end(isRestored: Bool) {
        running -= 1
        if !isRestored { failuresLeft -= 1 }
        while running < concurrent, let next = waiting.popFirst() { begin(next) }
    }

    /// The client has gone.
    func close() {
        isClosed = true
        while let next = waiting.popFirst() { next.resume(returning: false) }
    }
}
