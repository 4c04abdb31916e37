// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import Synchronization

/// Whether a server starts, serves or closes. It starts once and closes once, however many callers ask for it.
final class ServerLifecycle: Sendable {
    private enum State {
        case created
        /// The start that all callers share: it may be running, have succeeded or have failed.
        case started(Task<Void, any Error>)
        case closed(Task<Void, Never>)
    }

    private let state = Mutex(State.created)
    /// Opens when the start has succeeded or failed, or the server is closed.
    private let isSettled = Gate()
    private let isServing = Atomic<Bool>(false)
    private let hasWarned = Atomic<Bool>(false)

    /// Runs `work` for the first caller and waits for it.
    ///
    /// - Throws: Errors of `work`; ``SocketIOError`` with `serverClosed`.
    func start(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = try state.withLock { state in
            switch state {
            case .created:
                let task = Task { [self] in
                    defer { isSettled.open() }
                    try await work()
                    try Task.checkCancellation()
                    isServing.store(true, ordering: .releasing)
                }
                state = .started(task)
                return task
            case .started(let task): return task
            case .closed: throw SocketIOError(.serverClosed, "the server has been closed; create a new one")
            }
        }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError {
            throw SocketIOError(.serverClosed, "the server was closed while it started")
        }
    }

    /// Cancels a start and runs `work` for the first caller.
    ///
    /// - Parameter work: Closes the server. Gets the start, which may not have ended yet.
    /// - Returns: A task that ends when the server is closed.
    func close(_ work: @escaping @Sendable (_ start: Task<Void, any Error>?) async -> Void) -> Task<Void, Never> {
        state.withLock { state in
            var start: Task<Void, any Error>?
            switch state {
            case .closed(let end): return end
            case .started(let task): start = task
            case .created: break
            }
            let end = Task { [start] in
                start?.cancel()
                await work(start)
            }
            state = .closed(end)
            return end
        }
    }

    /// From here on no client may join.
    ///
    /// - Returns: Whether clients could join before.
    func stopServing() -> Bool {
        let wasServing = isServing.exchange(false, ordering: .acquiringAndReleasing)
        isSettled.open()
        return wasServing
    }

    /// Waits until clients may join namespaces, or until they never will. Returns early if the task is cancelled.
    ///
    /// - Parameter warn: Called once if the server has not been started.
    /// - Returns: Whether clients may join.
    func waitUntilSettled(warn: () -> Void) async -> Bool {
        if !isSettled.isOpen {
            if case .created = state.withLock({ $0 }), !hasWarned.exchange(true, ordering: .relaxed) { warn() }
            await isSettled.wait()
        }
        return isServing.load(ordering: .acquiring)
    }
}
