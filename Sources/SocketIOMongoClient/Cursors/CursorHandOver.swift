// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import DequeModule
import NIOConcurrencyHelpers
import Synchronization

/// Hands batches from the thread of a cursor to the task that reads them. The thread blocks while the task is behind, so that at most
/// `capacity` batches are in memory here.
final class CursorHandOver: Sendable {
    private struct State {
        var batches = Deque<MongoBatch>()
        var waiter: CheckedContinuation<Void, Never>?
        /// Set once: `success` if the server closed the cursor.
        var end: Result<Void, MongoError>?
        var isEndTold = false

        /// The result for the task; `nil` if there is none yet.
        mutating func take() -> Result<MongoBatch?, MongoError>? {
            if let batch = batches.popFirst() { return .success(batch) }
            guard let end = self.end else { return nil }
            defer { isEndTold = true }
            return isEndTold ? .success(nil) : end.map { nil }
        }

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private enum Gate {
        static let shut = 0
        static let open = 1
    }

    private let capacity: Int
    private let lastAnswer = Mutex(ContinuousClock.now)
    private let state = Mutex(State())
    private let gate = ConditionLock(value: Gate.open)

    init(capacity: Int) {
        self.capacity = Swift.max(1, capacity)
    }

    /// Whether the thread has nothing more to do.
    var isEnded: Bool {
        state.withLock { $0.end != nil }
    }

    /// How long ago the server answered, with or without documents.
    var silence: Duration {
        ContinuousClock.now - lastAnswer.withLock { $0 }
    }

    /// Called by the thread after every answer of the server.
    func noteAnswer() {
        lastAnswer.withLock { $0 = .now }
    }

    /// Called by the thread. Blocks while the task is behind.
    /// - Returns: `false` if the cursor was cancelled.
    func offer(_ batch: MongoBatch) -> Bool {
        gate.lock(whenValue: Gate.open)
        let (waiter, isAccepted) = self.state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            guard state.end == nil else { return (nil, false) }
            state.batches.append(batch)
            return (state.takeWaiter(), true)
        }
        gate.unlock(withValue: hasRoom ? Gate.open : Gate.shut)
        // Not before: a task that is being cancelled holds what this waits for, and waits for the gate.
        waiter?.resume()
        return isAccepted
    }

    /// Called by the thread at its end; batches that are still here are read first.
    func finish(_ end: Result<Void, MongoError>) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.end == nil else { return nil }
            state.end = end
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// Ends the cursor for both sides at once and drops what is still here.
    func cancel(_ error: MongoError) {
        let waiter = self.state.withLock { state in
            state.batches.removeAll()
            if !state.isEndTold { state.end = .failure(error) }
            return state.takeWaiter()
        }
        waiter?.resume()
        openGate()
    }

    /// The next batch; `nil` once the server has closed the cursor, and after an error was thrown.
    func next() async throws(MongoError) -> MongoBatch? {
        if Task.isCancelled { cancel(.cancelled(outcome: .notApplied)) }
        while true {
            let (result, hasOtherReader) = state.withLock { ($0.waiter == nil ? $0.take() : nil, $0.waiter != nil) }
            if hasOtherReader { throw .invalidArgument("A cursor is read by one task at a time.") }
            if let result {
                openGate()
                return try result.get()
            }
            await waitForMore()
        }
    }

    private func waitForMore() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = self.state.withLock { state in
                    guard state.batches.isEmpty, state.end == nil, state.waiter == nil else { return false }
                    state.waiter = continuation
                    return true
                }
                if !mayWait { continuation.resume() }
            }
        } onCancel: {
            cancel(.cancelled(outcome: .notApplied))
        }
    }

    private var hasRoom: Bool {
        state.withLock { $0.end != nil || $0.batches.count < capacity }
    }

    private func openGate() {
        gate.lock()
        gate.unlock(withValue: hasRoom ? Gate.open : Gate.shut)
    }
}

#endif
