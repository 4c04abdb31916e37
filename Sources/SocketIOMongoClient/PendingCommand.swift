// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Synchronization

/// One command, shared by the task that waits for its result and the thread that runs it. Either the result or the cancellation resumes
/// the task, whichever is first; the other has no effect. The result is passed under the lock.
final class PendingCommand<Value: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Void, Never>)
        case running(CheckedContinuation<Void, Never>)
        case over(Result<Value, MongoError>)
    }

    private let state = Mutex(State.new)

    /// Called by the task: lets a thread run the command, and waits for the result or the task's cancellation.
    func result(submit: () -> Void) async throws(MongoError) -> Value {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if wait(continuation) {
                    submit()
                } else {
                    continuation.resume()
                }
            }
        } onCancel: {
            cancel()
        }
        return try self.state.withLock { state -> Result<Value, MongoError> in
            guard case .over(let result) = state else { return .failure(.cancelled(outcome: .unknown)) }
            return result
        }.get()
    }

    /// Called by the thread before it runs the command; `false` if the task no longer waits for it.
    func start() -> Bool {
        self.state.withLock { state in
            guard case .waiting(let continuation) = state else { return false }
            state = .running(continuation)
            return true
        }
    }

    /// Passes the result to the task if it still waits.
    func finish(_ result: Result<Value, MongoError>) {
        end { _ in result }
    }

    /// Resumes the task at once. A command that is already running continues, and its result is discarded.
    private func cancel() {
        end { isRunning in .failure(.cancelled(outcome: isRunning ? .unknown : .notApplied)) }
    }

    /// `false` if the task was cancelled before.
    private func wait(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        self.state.withLock { state in
            guard case .new = state else { return false }
            state = .waiting(continuation)
            return true
        }
    }

    private func end(_ result: (_ isRunning: Bool) -> Result<Value, MongoError>) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            switch state {
            case .new:
                state = .over(result(false))
                return nil
            case .waiting(let continuation):
                state = .over(result(false))
                return continuation
            case .running(let continuation):
                state = .over(result(true))
                return continuation
            case .over:
                return nil
            }
        }
        continuation?.resume()
    }
}

#endif
