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
    private let boundStandstills: LoopBound<StandstillWatch>

    init(_ loop: any EventLoop) {
        self.eventLoop = loop
        self.executor = LoopExecutor(loop)
        let timers = LoopTimers(loop: loop)
        self.boundTimers = LoopBound(timers, to: loop)
        self.boundStandstills = LoopBound(StandstillWatch(loop: loop, timers: timers), to: loop)
    }

    /// On the loop.
    var timers: LoopTimers { boundTimers.value }
    /// On the loop.
    var standstills: StandstillWatch { boundStandstills.value }

    /// Runs `body` on the loop: immediately if called there.
    func perform(_ body: @escaping @Sendable (LoopContext) -> Void) {
        if eventLoop.inEventLoop { body(self) } else { eventLoop.execute { body(self) } }
    }
}
