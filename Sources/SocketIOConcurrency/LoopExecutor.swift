// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Runs tasks on an event loop, so that calls to objects of that loop need no hop.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop
    private let startsInPlace: LoopBoundBox<Bool>

    package init(_ loop: any EventLoop) {
        self.loop = loop
        self.startsInPlace = LoopBoundBox(false, to: loop)
    }

    /// Starts a task. On the loop it runs at once to its first suspension, which saves a turn of the loop for each event.
    package func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        guard loop.inEventLoop else { return Task(executorPreference: self) { await body() } }
        startsInPlace.value = true
        defer { startsInPlace.value = false }
        return Task(executorPreference: self) { await body() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Only a new task runs in place: a resumed one would run inside the task that resumes it.
        if loop.inEventLoop, startsInPlace.value {
            startsInPlace.value = false
            return job.runSynchronously(on: asUnownedTaskExecutor())
        }
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
