// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore

/// Objects that the connections of one event loop share.
final class LoopContext: Sendable {
    let eventLoop: any EventLoop
    let executor: LoopExecutor
    private let boundTimers: LoopBound<LoopTimers>

    init(_ loop: any EventLoop) {
        self.eventLoop = loop
        self.executor = LoopExecutor(loop)
        self.boundTimers = LoopBound(LoopTimers(loop: loop), to: loop)
    }

    /// On the loop.
    var timers: LoopTimers { boundTimers.value }

    /// Runs `body` on the loop: immediately if called there.
    func perform(_ body: @escaping @Sendable (LoopContext) -> Void) {
        if eventLoop.inEventLoop { body(self) } else { eventLoop.execute { body(self) } }
    }
}
