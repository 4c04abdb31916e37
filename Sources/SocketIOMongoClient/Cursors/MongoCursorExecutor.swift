// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import DequeModule
import Synchronization
import NIOPosix

/// Lets the task that reads a cursor run on the thread of that cursor: a batch is worked on where it arrived, without waking another
/// thread for it.
///
/// Give it to the options of a cursor and to the task that reads it:
///
/// ```swift
/// let executor = MongoCursorExecutor()
/// var options = MongoChangeStreamOptions()
/// options.executor = executor
/// await withTaskExecutorPreference(executor) {
///     for try await batch in try await collection.watch(options) { … }
/// }
/// ```
///
/// The next batch is fetched when the task waits for it, so processing a batch should be quick. If something other than the cursor resumes
/// the task, such as its cancellation, it runs on Swift's own threads: a cursor that waits for its server does not delay it.
public final class MongoCursorExecutor: TaskExecutor {
    /// The jobs that the cursor's thread has woken.
    private final class Inbox: Sendable {
        let owner: MongoCursorExecutor
        let jobs = Mutex(Deque<UnownedJob>())

        init(owner: MongoCursorExecutor) {
            self.owner = owner
        }
    }

    private static let inbox = ThreadSpecificVariable<Inbox>()

    /// Makes an executor, for any number of cursors one after the other.
    public init() {}

    /// Takes a job of a task that prefers this executor. Called by Swift's runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        if let inbox = Self.inbox.currentValue, inbox.owner === self {
            let job = UnownedJob(job)
            inbox.jobs.withLock { $0.append(job) }
        } else {
            globalConcurrentExecutor.enqueue(job)
        }
    }

    /// Takes over the calling thread, which is a cursor's.
    func adoptThread() {
        Self.inbox.currentValue = Inbox(owner: self)
    }

    /// Runs what the calling thread has woken.
    static func runJobs() {
        guard let inbox = Self.inbox.currentValue else { return }
        while let job = inbox.jobs.withLock({ $0.popFirst() }) {
            job.runSynchronously(on: inbox.owner.asUnownedTaskExecutor())
        }
    }

    /// The thread goes on with other work, or ends.
    static func leaveThread() {
        Self.runJobs()
        Self.inbox.currentValue = nil
    }
}

#endif
