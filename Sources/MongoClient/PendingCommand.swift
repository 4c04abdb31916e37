#if MongoDB
import Synchronization

/// One command between the task that wants its result and the thread that runs it. Whoever comes first, result or cancellation,
/// resumes the task; the other finds it gone.
final class PendingCommand<Value: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Result<Value, MongoError>, Never>)
        case running(CheckedContinuation<Result<Value, MongoError>, Never>)
        case over
    }

    private let state = Mutex(State.new)

    /// Takes the task's continuation; `false` if the task was cancelled before.
    func wait(_ continuation: CheckedContinuation<Result<Value, MongoError>, Never>) -> Bool {
        self.state.withLock { state in
            guard case .new = state else { return false }
            state = .waiting(continuation)
            return true
        }
    }

    /// Called by the thread before it runs the command; `false` if nobody waits for it any more.
    func start() -> Bool {
        self.state.withLock { state in
            guard case .waiting(let continuation) = state else { return false }
            state = .running(continuation)
            return true
        }
    }

    /// Hands the result over, if somebody still waits.
    func finish(_ result: Result<Value, MongoError>) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Result<Value, MongoError>, Never>? in
            defer { state = .over }
            switch state {
            case .waiting(let continuation), .running(let continuation): return continuation
            case .new, .over: return nil
            }
        }
        continuation?.resume(returning: result)
    }

    /// Ends the waiting at once. A command that is on its way goes on without anybody to tell.
    func cancel() {
        let (continuation, outcome) = self.state.withLock {
            state -> (CheckedContinuation<Result<Value, MongoError>, Never>?, MongoError.Outcome) in
            defer { state = .over }
            switch state {
            case .waiting(let continuation): return (continuation, .notApplied)
            case .running(let continuation): return (continuation, .unknown)
            case .new, .over: return (nil, .notApplied)
            }
        }
        continuation?.resume(returning: .failure(.cancelled(outcome: outcome)))
    }
}

#endif
