// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOCore
import SocketIOText
import Synchronization

/// The claims of clients that come from nodes of another implementation, many at a time: when such a node was stopped, all its clients come
/// at once. Claims that arrive while a batch is running form the next one.
final class NodeJSClaims: Sendable {
    /// A client that has returned.
    struct Claim: Sendable {
        var pid: String
        var namespace: String
        /// The last packet that the client has received.
        var offset: MessageID
        /// The maximum age of its session.
        var retention: Duration
        /// The id of this node.
        var node: NodeID
    }

    typealias Outcome = Result<ClaimedSession?, any Error>

    private struct Waiting {
        var claim: Claim
        var since: ContinuousClock.Instant
        var perform: @Sendable ([Claim]) async -> [Outcome]
        var answer: CheckedContinuation<Outcome, Never>
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Perform batch after batch as long as clients wait.
        var workers: [Int: Task<Void, Never>] = [:]
        var lastWorker = 0
        var isClosed = false
    }

    private static let batchLimit = 256
    /// Batches at a time. Only full ones are performed beside others.
    private static let workerLimit = 2
    /// How long a claim waits for its batch.
    private static let patience = Duration.seconds(30)
    /// Claims that may wait.
    private static let limit = 100_000

    private let state = Mutex(State())

    /// Adds a claim to the next batch, and waits for it.
    ///
    /// - Parameter perform: Performs a batch; one outcome for each claim, in order.
    func claim(_ claim: Claim, _ perform: @escaping @Sendable ([Claim]) async -> [Outcome]) async throws -> ClaimedSession? {
        let outcome = await withCheckedContinuation { answer in
            let refusal = state.withLock { state -> MongoAdapterError? in
                if state.isClosed { return MongoAdapterError(.closed, "the adapter is closed") }
                guard state.waiting.count < Self.limit else {
                    return MongoAdapterError(.failed, "\(Self.limit) sessions are being looked up: MongoDB cannot keep up with the clients")
                }
                state.waiting.append(Waiting(claim: claim, since: .now, perform: perform, answer: answer))
                startWorker(&state)
                return nil
            }
            if let refusal { answer.resume(returning: .failure(refusal)) }
        }
        return try outcome.get()
    }

    /// Takes no more.
    func close() async {
        let workers = state.withLock { state in
            state.isClosed = true
            return state.workers.values
        }
        for worker in workers { worker.cancel() }
        for worker in workers { await worker.value }
    }

    private func startWorker(_ state: inout State) {
        let isFull = state.waiting.count >= Self.batchLimit
        guard state.workers.isEmpty || (isFull && state.workers.count < Self.workerLimit) else { return }
        state.lastWorker += 1
        let number = state.lastWorker
        // A task of its own: a client that goes away must not take the sessions of others with it.
        state.workers[number] = Task { await self.work(number) }
    }

    private func work(_ number: Int) async {
        while let (batch, late) = nextBatch(number) {
            for waiting in late { waiting.answer.resume(returning: .failure(Self.tooLate)) }
            guard let perform = batch.first?.perform else { continue }
            let outcomes = await perform(batch.map(\.claim))
            for (index, waiting) in batch.enumerated() {
                waiting.answer.resume(returning: outcomes.indices.contains(index) ? outcomes[index] : .success(nil))
            }
        }
    }

    private static var tooLate: MongoAdapterError {
        MongoAdapterError(.failed, "the session was not looked up within \(patience): MongoDB cannot keep up with the clients")
    }

    /// - Returns: The claims of the next batch, and those that have waited too long; nil if the worker is to end.
    private func nextBatch(_ worker: Int) -> (batch: [Waiting], late: [Waiting])? {
        state.withLock { state in
            let limit = ContinuousClock.now - Self.patience
            let late = Array(state.waiting.prefix { $0.since < limit })
            let batch = Array(state.waiting.dropFirst(late.count).prefix(Self.batchLimit))
            state.waiting.removeFirst(late.count + batch.count)
            guard late.isEmpty, batch.isEmpty else { return (batch, late) }
            state.workers[worker] = nil
            return nil
        }
    }
}
#endif
