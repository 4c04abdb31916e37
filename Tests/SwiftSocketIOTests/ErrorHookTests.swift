// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import SwiftSocketIO

@Suite struct ErrorHookTests {
    /// Clients can cause any number of errors: none may cost more than the one before.
    @Test func `the error hook can be called any number of times`() {
        let io = SocketIOServer()
        let count = Counter()
        io.onError { _ in count.value.add(1, ordering: .relaxed) }
        for _ in 0..<300_000 { io.errors.report(CancellationError(), from: .event) }
        #expect(count.value.load(ordering: .relaxed) == 300_000)
    }
}

private final class Counter: Sendable {
    let value = Atomic(0)
}
