import DequeModule
import Synchronization

/// Runs what takes time beside what must not wait, so many jobs at once.
final class JobQueue: Sendable {
    typealias Job = @Sendable () async -> Void

    private struct State {
        var waiting: Deque<Job> = []
        var running = 0
    }

    private let concurrency: Int
    private let limit: Int
    private let state = Mutex(State())
    private let signal = Signal()

    /// Creates an empty queue.
    ///
    /// - Parameters:
    ///   - concurrency: The number of jobs that run at once.
    ///   - limit: The number of jobs that wait.
    init(concurrency: Int, limit: Int = 10_000) {
        self.concurrency = concurrency
        self.limit = limit
    }

    /// Whether no job runs or waits.
    var isIdle: Bool { state.withLock { $0.running == 0 && $0.waiting.isEmpty } }

    /// Adds a job.
    ///
    /// - Returns: Whether there was room for it.
    func add(_ job: @escaping Job) -> Bool {
        let isAdded = state.withLock { state in
            guard state.waiting.count < limit else { return false }
            state.waiting.append(job)
            return true
        }
        signal.raise()
        return isAdded
    }

    /// Runs jobs until the task is cancelled; the jobs are cancelled with it.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                while let job = next() {
                    group.addTask {
                        await job()
                        self.finished()
                    }
                }
                await signal.wait()
            }
        }
    }

    private func next() -> Job? {
        state.withLock { state in
            guard state.running < concurrency, let job = state.waiting.popFirst() else { return nil }
            state.running += 1
            return job
        }
    }

    private func finished() {
        let isFull = state.withLock { state in
            state.running -= 1
            return state.running == concurrency - 1
        }
        if isFull { signal.raise() }
    }
}
