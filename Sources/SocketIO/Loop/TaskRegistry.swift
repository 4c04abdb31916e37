import Synchronization

/// Owns work that belongs to the server and not to one connection: hooks of connections that are gone, events of other processes.
final class TaskRegistry: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var lastID: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Starts work. Once the registry is closed, it starts cancelled.
    func start(on executor: (any TaskExecutor)? = nil, _ body: @escaping @Sendable () async -> Void) {
        let late = state.withLock { state -> Task<Void, Never>? in
            state.lastID += 1
            let id = state.lastID
            let task = Task(executorPreference: executor) { [self] in
                await body()
                finished(id)
            }
            state.tasks[id] = task
            return state.isClosed ? task : nil
        }
        late?.cancel()
    }

    private func finished(_ id: UInt64) { state.withLock { $0.tasks[id] = nil } }

    /// Waits for what runs now, and cancels what takes longer than the grace period.
    func finish(grace: Duration) async {
        let running = state.withLock { Array($0.tasks.values) }
        await withTaskGroup { group in
            group.addTask {
                try? await Task.sleep(for: grace)
                for task in running { task.cancel() }
            }
            for task in running { await task.value }
            group.cancelAll()
        }
    }

    /// Waits for what runs, and cancels what takes longer than the grace period. What is started from now on starts cancelled.
    func close(grace: Duration) async {
        state.withLock { $0.isClosed = true }
        await finish(grace: grace)
    }
}
