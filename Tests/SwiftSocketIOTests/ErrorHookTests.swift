// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOCore
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

    @Test func `the log of a server that ends says how much was lost`() async throws {
        let log = RecordedLog()
        let context = Shared<AdapterContext?>(nil)
        let io = SocketIOServer(adapter: StubAdapterFactory(onMake: { context.value = $0 }), logger: log.logger)
        try await io.start()
        let lost = UndeliveredOperation(kind: .emit, namespace: "/", event: "news", error: CancellationError())
        for _ in 0..<1_000 { try #require(context.value).onUndelivered(lost) }
        await io.close()
        let lines = log.lines.value.filter { $0.level == .warning }
        #expect(lines.count == 11)
        #expect(lines.last?.text == "other servers may not have received more operations than those logged suppressed=990")
    }
}

private final class Counter: Sendable {
    let value = Atomic(0)
}
