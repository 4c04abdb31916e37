// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import Synchronization

/// Whether a server starts, serves or closes. It starts once and closes once, however many callers ask for it.
final class ServerLifecycle: Sendable {
    private enum Work {
        case none
        /// The start that all callers share: it may be running, have succeeded or have failed.
        case start(Task<Void, any Error>)
        case close(Task<ContinuousClock.Instant, Never>)
    }

    private struct Life {
        var work = Work.none
        var state = SocketIOServer.State.starting
        var watchers: [UInt64: AsyncStream<SocketIOServer.State>.Continuation] = [:]
        var lastWatcher: UInt64 = 0
    }

    private let life = Mutex(Life())
    /// Opens when the start has succeeded or failed, or the server is closed.
    private let isSettled = Gate()
    private let isServing = Atomic<Bool>(false)
    private let hasWarned = Atomic<Bool>(false)

    // MARK: State

    var state: SocketIOServer.State { life.withLock { $0.state } }

    /// The state now and each later one.
    func states() -> AsyncStream<SocketIOServer.State> {
        // A server has four states, so no buffer needs more.
        let (stream, continuation) = AsyncStream.makeStream(of: SocketIOServer.State.self, bufferingPolicy: .bufferingNewest(4))
        let id = life.withLock { life -> UInt64? in
            continuation.yield(life.state)
            guard life.state < .closed else { return nil }
            life.lastWatcher += 1
            life.watchers[life.lastWatcher] = continuation
            return life.lastWatcher
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.life.withLock { $0.watchers[id] = nil } }
        return stream
    }

    /// Changes the state, unless it is a later one already.
    private func advance(to state: SocketIOServer.State) {
        let ended = life.withLock { life -> [AsyncStream<SocketIOServer.State>.Continuation] in
            guard life.state < state else { return [] }
            life.state = state
            for watcher in life.watchers.values { watcher.yield(state) }
            guard state == .closed else { return [] }
            defer { life.watchers = [:] }
            return Array(life.watchers.values)
        }
        // Calls `onTermination`, which takes the lock.
        for watcher in ended { watcher.finish() }
    }

    // MARK: Start and close

    /// Runs `work` for the first caller and waits for it.
    ///
    /// - Throws: Errors of `work`; ``SocketIOError`` with `serverClosed`.
    func start(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = try life.withLock { life in
            switch life.work {
            case .none:
                let task = Task { [self] in try await runStart(work) }
                life.work = .start(task)
                return task
            case .start(let task): return task
            case .close: throw SocketIOError(.serverClosed, "the server has been closed; create a new one")
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

    private func runStart(_ work: @Sendable () async throws -> Void) async throws {
        defer { isSettled.open() }
        do {
            try await work()
            try Task.checkCancellation()
        } catch {
            advance(to: .draining)
            throw error
        }
        isServing.store(true, ordering: .releasing)
        advance(to: .serving)
    }

    /// Cancels a start and runs `work` for the first caller.
    ///
    /// - Parameter work: Closes the server. Gets the start, which may not have ended yet.
    /// - Returns: A task that ends when the server is closed, with the result of `work`.
    func close(
        _ work: @escaping @Sendable (_ start: Task<Void, any Error>?) async -> ContinuousClock.Instant
    ) -> Task<ContinuousClock.Instant, Never> {
        let end = life.withLock { life in
            var start: Task<Void, any Error>?
            switch life.work {
            case .close(let end): return end
            case .start(let task): start = task
            case .none: break
            }
            let end = Task { [self, start] in
                start?.cancel()
                let deadline = await work(start)
                advance(to: .closed)
                return deadline
            }
            life.work = .close(end)
            return end
        }
        advance(to: .draining)
        return end
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
            if case .none = life.withLock({ $0.work }), !hasWarned.exchange(true, ordering: .relaxed) { warn() }
            await isSettled.wait()
        }
        return isServing.load(ordering: .acquiring)
    }
}
