// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency

/// The clock and the executor of a node's tasks: those of the system, or those of an event loop.
struct ClusterClock: Sendable {
    private let eventLoop: (any EventLoop)?

    init(_ eventLoop: (any EventLoop)?) { self.eventLoop = eventLoop }

    var now: NIODeadline { eventLoop?.now ?? .now() }

    /// Sleeps.
    ///
    /// - Throws: An error if the task is cancelled.
    func sleep(for duration: Duration) async throws {
        guard let eventLoop else { return try await Task.sleep(for: duration) }
        let alarm = eventLoop.scheduleTask(in: TimeAmount(duration)) {}
        try await withTaskCancellationHandler {
            try await alarm.futureResult.get()
        } onCancel: {
            alarm.cancel()
        }
    }

    /// Where the node's tasks run; nil for the global pool.
    var executor: (any TaskExecutor)? { eventLoop.map { LoopExecutor($0) } }
}
