#if MongoDB
import DequeModule
import NIOConcurrencyHelpers
import Synchronization

/// Hands batches from the thread of a cursor to the task that reads them. The thread blocks while the task is behind, so that at most
/// `capacity` batches are in memory here.
final class CursorHandOver: Sendable {
    private typealias Waiter = CheckedContinuation<Result<MongoBatch?, MongoError>, Never>

    private struct State {
        var batches = Deque<MongoBatch>()
        var waiter: Waiter?
        /// Set once: `success` if the server closed the cursor.
        var end: Result<Void, MongoError>?
        var isEndTold = false
    }

    private enum Gate {
        static let shut = 0
        static let open = 1
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let gate = ConditionLock(value: Gate.open)

    init(capacity: Int) {
        self.capacity = Swift.max(1, capacity)
    }

    /// Whether the thread has nothing more to do.
    var isEnded: Bool {
        self.state.withLock { $0.end != nil }
    }

    /// Called by the thread. Blocks while the task is behind.
    /// - Returns: `false` if the cursor was cancelled.
    func offer(_ batch: MongoBatch) -> Bool {
        self.gate.lock(whenValue: Gate.open)
        defer { self.gate.unlock(withValue: self.hasRoom ? Gate.open : Gate.shut) }
        let (waiter, isAccepted) = self.state.withLock { state -> (Waiter?, Bool) in
            guard state.end == nil else { return (nil, false) }
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, true)
            }
            state.batches.append(batch)
            return (nil, true)
        }
        waiter?.resume(returning: .success(batch))
        return isAccepted
    }

    /// Called by the thread at its end; batches that are still here are read first.
    func finish(_ end: Result<Void, MongoError>) {
        let waiter = self.state.withLock { state -> Waiter? in
            guard state.end == nil else { return nil }
            state.end = end
            guard let waiter = state.waiter else { return nil }
            state.waiter = nil
            state.isEndTold = true
            return waiter
        }
        waiter?.resume(returning: end.map { nil })
    }

    /// Ends the cursor for both sides at once and drops what is still here.
    func cancel(_ error: MongoError) {
        let waiter = self.state.withLock { state -> Waiter? in
            state.batches.removeAll()
            if state.end == nil || !state.isEndTold { state.end = .failure(error) }
            guard let waiter = state.waiter else { return nil }
            state.waiter = nil
            state.isEndTold = true
            return waiter
        }
        waiter?.resume(returning: .failure(error))
        self.openGate()
    }

    /// The next batch; `nil` once the server has closed the cursor, and after an error was thrown.
    func next() async throws(MongoError) -> MongoBatch? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { self.take($0) }
        } onCancel: {
            self.cancel(.cancelled(outcome: .notApplied))
        }
        self.openGate()
        return try result.get()
    }

    private func take(_ continuation: Waiter) {
        let result = self.state.withLock { state -> Result<MongoBatch?, MongoError>? in
            if let batch = state.batches.popFirst() { return .success(batch) }
            if let end = state.end {
                defer { state.isEndTold = true }
                return state.isEndTold ? .success(nil) : end.map { nil }
            }
            guard state.waiter == nil else {
                return .failure(.invalidArgument("A cursor is read by one task at a time."))
            }
            state.waiter = continuation
            return nil
        }
        if let result { continuation.resume(returning: result) }
    }

    private var hasRoom: Bool {
        self.state.withLock { $0.end != nil || $0.batches.count < self.capacity }
    }

    private func openGate() {
        self.gate.lock()
        self.gate.unlock(withValue: self.hasRoom ? Gate.open : Gate.shut)
    }
}

#endif
