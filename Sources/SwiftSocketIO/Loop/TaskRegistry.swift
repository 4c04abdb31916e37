// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import Synchronization

/// Owns tasks that belong to the server and not to one connection: hooks of closed connections, events from other processes.
final class TaskRegistry: Sendable {
    /// A caller that waits for the end of tasks.
    private struct Waiter {
        var left: Set<UInt64>
        let ended = Gate()
    }

    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var waiters: [Waiter] = []
        var lastID: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Starts a task. Once the registry is closed, tasks start cancelled.
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
        for gate in ended { gate.open() }
    }

    /// Waits for the running tasks and then for those that they have started: clients in very many rooms are disconnected by tasks, which start
    /// the hooks of their sockets. Tasks of either kind that take longer than the grace period are cancelled, and abandoned after another one if
    /// they ignore it, so that no handler can keep the server from closing.
    func finish(grace: Duration) async {
        for _ in 0..<2 { await finishRunning(grace: grace) }
    }

    private func finishRunning(grace: Duration) async {
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
        let ended = state.withLock { state -> Gate? in
            let left = tasks.intersection(state.tasks.keys)
            guard !left.isEmpty else { return nil }
            let waiter = Waiter(left: left)
            state.waiters.append(waiter)
            return waiter.ended
        }
        await ended?.wait()
    }

    /// As ``finish(grace:)``; tasks that are started from now on start cancelled.
    func close(grace: Duration) async {
        state.withLock { $0.isClosed = true }
        await finish(grace: grace)
    }
}
