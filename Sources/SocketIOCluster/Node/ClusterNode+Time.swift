// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

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
    var executor: (any TaskExecutor)? { options.eventLoop.map { EventLoopTaskExecutor($0) } }
}

/// Runs tasks on an event loop.
private final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
