// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency

/// Whose time a node lives by.
extension ClusterNode {
    /// The time now.
    var now: NIODeadline { options.eventLoop?.now ?? .now() }

    /// Waits.
    ///
    /// - Throws: An error if the task is cancelled.
    func sleep(for duration: Duration) async throws {
        guard let loop = options.eventLoop else { return try await Task.sleep(for: duration) }
        let alarm = loop.scheduleTask(in: TimeAmount(duration)) {}
        try await withTaskCancellationHandler {
            try await alarm.futureResult.get()
        } onCancel: {
            alarm.cancel()
        }
    }

    /// Where the node's tasks run; nil for the global pool.
    var executor: (any TaskExecutor)? { options.eventLoop.map { LoopExecutor($0) } }
}
