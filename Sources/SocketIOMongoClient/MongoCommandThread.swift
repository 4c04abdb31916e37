// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import DequeModule
import NIOConcurrencyHelpers
import Synchronization
import NIOPosix

/// A thread for a task that does little else than commands, one after the other: they run right on it, instead of being handed to a
/// thread of the client's and back.
///
/// ```swift
/// let thread = MongoCommandThread()
/// await withTaskExecutorPreference(thread) {
///     for await batch in batches { try await collection.insert(batch) }
/// }
/// thread.stop()
/// ```
///
/// A command that runs here does not count among those that wait, and cancelling its task does not end the waiting for it: it takes as
/// long as the server and the connection string's timeouts let it. Other tasks that prefer this thread wait for it, too.
public final class MongoCommandThread: TaskExecutor {
    private struct State {
        var jobs = Deque<UnownedJob>()
        var isRunning = false
        var isStopped = false
    }

    private enum Condition {
        static let idle = 0
        static let work = 1
    }

    private static let current = ThreadSpecificVariable<MongoCommandThread>()

    private let state = Mutex(State())
    private let condition = ConditionLock(value: Condition.idle)

    /// Makes a thread, which starts with its first job.
    public init() {}

    /// Whether the calling thread is one.
    static var isCurrent: Bool {
        Self.current.currentValue != nil
    }

    /// Takes a job of a task that prefers this thread. Called by Swift's runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (isTaken, mustStart) = self.state.withLock { state -> (Bool, Bool) in
            guard !state.isStopped else { return (false, false) }
            state.jobs.append(job)
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        guard isTaken else { return Self.runElsewhere(job) }
        if mustStart, !DedicatedThread.run(name: "mongo-command", { self.run() }) {
            return stop()
        }
        signal()
    }

    /// Ends the thread once it has nothing to do. Tasks that prefer it go on, on Swift's own threads.
    public func stop() {
        let rest = self.state.withLock { state -> Deque<UnownedJob> in
            state.isStopped = true
            defer { state.jobs.removeAll() }
            return state.jobs
        }
        rest.forEach(Self.runElsewhere)
        signal()
    }

    private func signal() {
        condition.lock()
        condition.unlock(withValue: Condition.work)
    }

    private static func runElsewhere(_ job: UnownedJob) {
        globalConcurrentExecutor.enqueue(ExecutorJob(job))
    }

    private func run() {
        Self.current.currentValue = self
        while true {
            condition.lock(whenValue: Condition.work)
            condition.unlock(withValue: Condition.idle)
            while let job = state.withLock({ $0.jobs.popFirst() }) {
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
            if state.withLock({ $0.isStopped }) { break }
        }
        Self.current.currentValue = nil
    }
}

#endif
