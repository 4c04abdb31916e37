// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Owns work that belongs to the server and not to one connection: hooks of connections that are gone, events of other processes.
final class TaskRegistry: Sendable {
    /// Somebody who waits for the end of tasks.
    private struct Waiter {
        var left: Set<UInt64>
        let ended: AsyncStream<Void>.Continuation
    }

    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var waiters: [Waiter] = []
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

    private func finished(_ id: UInt64) {
        let ended = state.withLock { state in
            state.tasks[id] = nil
            for index in state.waiters.indices { state.waiters[index].left.remove(id) }
            let ended = state.waiters.filter { $0.left.isEmpty }.map { $0.ended }
            if !ended.isEmpty { state.waiters.removeAll { $0.left.isEmpty } }
            return ended
        }
        for waiter in ended { waiter.finish() }
    }

    /// Waits for what runs now, and cancels what takes longer than the grace period. What does not end then either is given up after
    /// another such period, so that no handler can keep the server from ending.
    func finish(grace: Duration) async {
        let running = state.withLock { $0.tasks }
        guard !running.isEmpty else { return }
        await withTaskGroup { group in
            group.addTask {
                guard (try? await Task.sleep(for: grace)) != nil else { return }
                for task in running.values { task.cancel() }
                try? await Task.sleep(for: grace)
            }
            group.addTask { await self.end(of: Set(running.keys)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func end(of tasks: Set<UInt64>) async {
        let (ends, ended) = AsyncStream.makeStream(of: Void.self)
        let mustWait = state.withLock { state in
            let left = tasks.intersection(state.tasks.keys)
            if !left.isEmpty { state.waiters.append(Waiter(left: left, ended: ended)) }
            return !left.isEmpty
        }
        guard mustWait else { return }
        for await _ in ends {}
    }

    /// Waits for what runs, and cancels what takes longer than the grace period. What is started from now on starts cancelled.
    func close(grace: Duration) async {
        state.withLock { $0.isClosed = true }
        await finish(grace: grace)
    }
}
