// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Synchronization

/// Runs jobs that take time, a limited number at once, so that the caller need not wait.
package final class JobQueue: Sendable {
    package typealias Job = @Sendable () async -> Void

    private struct State {
        var waiting: Deque<(job: Job, bytes: Int)> = []
        var running = 0
        /// The size of what jobs hold that wait or run.
        var bytes = 0
        /// Opened when no job runs or waits.
        var idleGates: [Gate] = []

        var isIdle: Bool { running == 0 && waiting.isEmpty }
    }

    private let concurrency: Int
    private let limit: Int
    private let byteLimit: Int
    private let state = Mutex(State())
    private let signal = Signal()

    /// Creates an empty queue.
    ///
    /// - Parameters:
    ///   - concurrency: The number of jobs that run at once.
    ///   - limit: The number of jobs that wait.
    ///   - byteLimit: The size of what jobs hold that wait or run.
    package init(concurrency: Int, limit: Int = 10_000, byteLimit: Int = 64 << 20) {
        self.concurrency = concurrency
        self.limit = limit
        self.byteLimit = byteLimit
    }

    /// Whether no job runs or waits.
    package var isIdle: Bool { state.withLock(\.isIdle) }

    /// Returns when no job runs or waits, or when the task is cancelled.
    package func waitUntilIdle() async {
        let gate = Gate()
        let isIdle = state.withLock { state in
            if !state.isIdle { state.idleGates.append(gate) }
            return state.isIdle
        }
        guard !isIdle else { return }
        await gate.wait()
        state.withLock { state in state.idleGates.removeAll { $0 === gate } }
    }

    /// Adds a job.
    ///
    /// - Parameters:
    ///   - bytes: The size of what it holds.
    ///   - job: The job.
    /// - Returns: Whether there was room for it.
    package func add(bytes: Int = 0, _ job: @escaping Job) -> Bool {
        let isAdded = state.withLock { state in
            guard state.waiting.count < limit, state.bytes == 0 || state.bytes + bytes <= byteLimit else { return false }
            state.bytes += bytes
            state.waiting.append((job, bytes))
            return true
        }
        signal.raise()
        return isAdded
    }

    /// Runs jobs until the task is cancelled; the jobs are cancelled with it.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                while let (job, bytes) = next() {
                    group.addTask {
                        await job()
                        self.finished(bytes)
                    }
                }
                await signal.wait()
            }
        }
    }

    private func next() -> (job: Job, bytes: Int)? {
        state.withLock { state in
            guard state.running < concurrency, let next = state.waiting.popFirst() else { return nil }
            state.running += 1
            return next
        }
    }

    private func finished(_ bytes: Int) {
        let (wasFull, gates) = state.withLock { state in
            state.running -= 1
            state.bytes -= bytes
            var gates: [Gate] = []
            if state.isIdle { swap(&gates, &state.idleGates) }
            return (state.running == concurrency - 1, gates)
        }
        for gate in gates { gate.open() }
        if wasFull { signal.raise() }
    }
}
