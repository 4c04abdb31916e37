// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTestSupport
import Testing

@testable import SwiftSocketIO

@Suite(.timeLimit(.minutes(1))) struct TaskRegistryTests {
    @Test func `what ends is waited for`() async {
        let registry = TaskRegistry()
        let ended = Reports<Int>()
        for number in 0..<10 { registry.start { ended.report(number) } }
        await registry.finish(grace: .seconds(30))
        var numbers: Set<Int> = []
        for _ in 0..<10 { if let number = await ended.next() { numbers.insert(number) } }
        #expect(numbers == Set(0..<10))
    }

    @Test func `what a task starts is waited for as well`() async {
        let registry = TaskRegistry()
        let ended = Shared(false)
        registry.start {
            registry.start {
                // Long enough for who does not wait to be noticed.
                try? await Task.sleep(for: .milliseconds(50))
                ended.value = true
            }
        }
        await registry.finish(grace: .seconds(30))
        #expect(ended.value)
    }

    @Test func `what ignores its cancellation is given up`() async {
        let registry = TaskRegistry()
        let (release, hold) = AsyncStream.makeStream(of: Void.self)
        registry.start { await Task.detached { for await _ in release {} }.value }
        await registry.finish(grace: .milliseconds(20))
        hold.finish()
        await registry.finish(grace: .seconds(30))
    }
}
