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
        var perform: @Sendable ([Claim]) async -> [Outcome]
        var answer: CheckedContinuation<Outcome, Never>
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Performs batch after batch as long as clients wait.
        var worker: Task<Void, Never>?
        var isClosed = false
    }

    private static let batchLimit = 256
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
                state.waiting.append(Waiting(claim: claim, perform: perform, answer: answer))
                // A task of its own: a client that goes away must not take the sessions of others with it.
                if state.worker == nil { state.worker = Task { await self.work() } }
                return nil
            }
            if let refusal { answer.resume(returning: .failure(refusal)) }
        }
        return try outcome.get()
    }

    /// Takes no more.
    func close() async {
        let worker = state.withLock { state in
            state.isClosed = true
            return state.worker
        }
        worker?.cancel()
        await worker?.value
    }

    private func work() async {
        while let batch = nextBatch(), let perform = batch.first?.perform {
            let outcomes = await perform(batch.map(\.claim))
            for (index, waiting) in batch.enumerated() {
                waiting.answer.resume(returning: outcomes.indices.contains(index) ? outcomes[index] : .success(nil))
            }
        }
    }

    private func nextBatch() -> [Waiting]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.worker = nil
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }
}
#endif
