// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import Logging
import NIOCore
import SocketIOConcurrency
package import SocketIOCore
import Synchronization

/// Writes messages into a cluster without being one of its nodes: it reads nothing, sends no heartbeats, and answers no requests.
///
/// Its messages are numbered as those of nodes are, so that receivers recognise repeated ones.
package final class ClusterSender: Sendable {
    private struct State {
        var lane: SendLaneStateMachine
        var writes: [UInt64: CheckedContinuation<WriteFate, Never>] = [:]
        var lastTicket: UInt64 = 0
        var task: Task<Void, Never>?
        var isClosed = false
    }

    private let driver: any Driver
    private let configuration: ClusterConfiguration
    private let identity: NodeIdentity
    private let log: ClusterLog
    private let state: Mutex<State>
    /// Raised when there is something to write.
    private let work = Signal()
    /// Raised when there is a message with a deadline.
    private let deadlines = Signal()
    /// Opened when the sender is closed and all its messages have met their fate.
    private let drained = Gate()
    private let ids = MessageIDGenerator()

    /// - Parameters:
    ///   - driver: Carries the messages.
    ///   - configuration: The lanes, limits and timeouts of writing.
    ///   - identity: The origin of the messages. No node may have the id.
    ///   - logger: Where failed attempts are logged.
    package init(driver: any Driver, configuration: ClusterConfiguration, identity: NodeIdentity, logger: Logger) {
        self.driver = driver
        self.configuration = configuration
        self.identity = identity
        self.log = ClusterLog(NodeLogger(own: logger))
        let lane = SendLaneStateMachine(lane: 0, configuration: configuration, messageLimit: driver.messageLimit)
        self.state = Mutex(State(lane: lane))
    }

    /// Prepares the backend.
    ///
    /// - Throws: What the driver throws, with advice in its message.
    package func start() async throws {
        try await driver.start()
        state.withLock { state in
            guard state.task == nil, !state.isClosed else { return }
            // Owned by the sender: `close` ends it and waits for it.
            state.task = Task { await self.run() }
        }
    }

    /// Makes the id of a message that must be known before it is sent.
    package func makeID() -> MessageID { ids.next() }

    /// Sends a message and waits for its fate, always: what is not written when the process ends would be lost.
    ///
    /// - Throws: ``ClusterError`` with `notSent`, `unknown`, `tooLarge`, `unsupported` or `closed`.
    package func send(_ body: ClusterBody, namespace: String, id: MessageID? = nil) async throws(ClusterError) {
        if let error = await write(body, namespace: namespace, id: id).error { throw error }
    }

    private func write(_ body: ClusterBody, namespace: String, id: MessageID?) async -> WriteFate {
        let deadline = NIODeadline.now() + TimeAmount(configuration.writeTimeout)
        return await withCheckedContinuation { continuation in
            let refusal: ClusterError? = state.withLock { state in
                guard !state.isClosed, state.task != nil else { return ClusterError(.closed, "the emitter is closed, or has not started") }
                state.lastTicket += 1
                let message = Outgoing(namespace: namespace, body: body, id: id, ticket: state.lastTicket, deadline: deadline)
                if case .refuse(let error) = state.lane.send(message) { return error }
                state.writes[state.lastTicket] = continuation
                return nil
            }
            if let refusal { return continuation.resume(returning: .notSent(refusal)) }
            work.raise()
            deadlines.raise()
        }
    }

    /// Waits until all messages are written or have reached their deadline, and ends all tasks.
    ///
    /// Cancelling the calling task does not shorten it.
    package func close() async { await BoundedWait.shielded { await self.closeAll() } }

    private func closeAll() async {
        let task = state.withLock { state -> Task<Void, Never>? in
            state.isClosed = true
            if state.lane.isIdle { drained.open() }
            defer { state.task = nil }
            return state.task
        }
        guard let task else { return }
        // All messages meet their fate by their deadline.
        await drained.wait()
        settle { $0.close().writes }
        task.cancel()
        let limit = NIODeadline.now() + TimeAmount(configuration.unreachableCloseTimeout)
        await BoundedWait.abandoning(at: limit) { await task.value }
        await BoundedWait.abandoning(at: limit) { await self.driver.close() }
    }

    private func settle(_ input: (inout SendLaneStateMachine) -> [SettledWrite]) {
        let settled = state.withLock { state in
            let writes = input(&state.lane)
            if state.isClosed, state.lane.isIdle { drained.open() }
            return writes.compactMap { write in state.writes.removeValue(forKey: write.ticket).map { ($0, write.fate) } }
        }
        for (continuation, fate) in settled { continuation.resume(returning: fate) }
    }

    // MARK: Tasks

    private func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: self.driver.writingExecutor(lane: 0)) { await self.runWriter() }
            group.addTask { await self.runDeadlines() }
        }
    }

    private func runWriter() async {
        while !Task.isCancelled {
            settle { $0.expire(now: .now()).writes }
            let next = state.withLock { $0.lane.next(origin: identity, now: .now(), makeID: ids.next) }
            switch next {
            case .wait: await work.wait()
            case .pause(let until): try? await Task.sleep(for: until.timeLeft)
            case .write(let batch):
                let outcome = await driver.emit(batch)
                log.batch(outcome, lane: 0)
                settle { $0.complete(outcome, now: .now(), jitter: Double.random(in: 0...1)).writes }
            }
        }
    }

    /// Settles messages at their deadline, even while the driver is writing.
    private func runDeadlines() async {
        while !Task.isCancelled {
            guard let next = state.withLock({ $0.lane.nextDeadline }) else {
                await deadlines.wait()
                continue
            }
            try? await Task.sleep(for: next.timeLeft)
            settle { $0.expire(now: .now()).writes }
        }
    }
}
