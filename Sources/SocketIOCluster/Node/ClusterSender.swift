// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import Logging
import NIOCore
import SocketIOConcurrency
package import SocketIOCore
import Synchronization

/// Writes messages into a cluster without being one of its nodes: it reads nothing, says nothing of itself, and owes nobody an answer.
///
/// Its messages have numbers as those of nodes have, so that receivers know again what they have read twice.
package final class ClusterSender: Sendable {
    private struct State {
        var lane: SendLaneStateMachine
        var writes: [UInt64: CheckedContinuation<WriteFate, Never>] = [:]
        var lastTicket: UInt64 = 0
        var task: Task<Void, Never>?
        var isClosed = false
    }

    private static let resolution = Duration.milliseconds(50)

    private let driver: any Driver
    private let configuration: ClusterConfiguration
    private let identity: NodeIdentity
    private let logger: Logger
    private let state: Mutex<State>
    /// Something is to be written.
    private let work = Signal()
    /// Something has a deadline.
    private let clock = Signal()
    private let ids = MessageIDGenerator(seed: UInt64.random(in: .min ... .max))

    /// - Parameters:
    ///   - driver: Carries the messages.
    ///   - configuration: What is said of writing in it.
    ///   - identity: Who the messages come from. No node may have the id.
    ///   - logger: Where failed attempts are logged.
    package init(driver: any Driver, configuration: ClusterConfiguration, identity: NodeIdentity, logger: Logger) {
        self.driver = driver
        self.configuration = configuration
        self.identity = identity
        self.logger = logger
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

    /// Makes the id of a message that has to be known before it is sent.
    package func makeID() -> MessageID { ids.next(seconds: WallClock.secondsSince1970()) }

    /// Sends a message and waits until it is known what became of it.
    ///
    /// - Throws: ``ClusterError`` with `notSent`, `unknown`, `tooLarge`, `unsupported` or `closed`.
    package func send(_ body: ClusterBody, namespace: String, id: MessageID? = nil) async throws(ClusterError) {
        switch await write(body, namespace: namespace, id: id) {
        case .sent: return
        case .notSent(let error), .unknown(let error): throw error
        }
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
            clock.raise()
        }
    }

    /// Waits until all is written or its time is over, and ends everything. Nothing of it is left when this returns.
    ///
    /// Cancelling the task does not shorten it.
    package func close() async { await ClusterNode.shielded { await self.closeAll() } }

    private func closeAll() async {
        let task = state.withLock { state -> Task<Void, Never>? in
            state.isClosed = true
            defer { state.task = nil }
            return state.task
        }
        guard let task else { return }
        // Messages end by their deadline, so this does; it is the end, and nobody waits for milliseconds.
        while !isIdle { do { try await Task.sleep(for: .milliseconds(5)) } catch { break } }
        settle { $0.close() }
        task.cancel()
        let limit = NIODeadline.now() + TimeAmount(configuration.unreachableCloseTimeout)
        await ClusterNode.wait(until: limit) { await task.value }
        await ClusterNode.wait(until: limit) { await self.driver.close() }
    }

    private var isIdle: Bool { state.withLock { $0.lane.isIdle } }

    private func settle(_ input: (inout SendLaneStateMachine) -> [SettledWrite]) {
        let settled = state.withLock { state in
            input(&state.lane).compactMap { write in state.writes.removeValue(forKey: write.ticket).map { ($0, write.fate) } }
        }
        for (continuation, fate) in settled { continuation.resume(returning: fate) }
    }

    // MARK: Tasks

    private func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: self.driver.writingExecutor(lane: 0)) { await self.runWriter() }
            group.addTask { await self.runClock() }
        }
    }

    private func runWriter() async {
        while !Task.isCancelled {
            settle { $0.expire(now: .now()).writes }
            let next = state.withLock { $0.lane.next(origin: identity, now: .now(), makeID: makeID) }
            switch next {
            case .wait: await work.wait()
            case .pause(let until): try? await Task.sleep(for: .nanoseconds(max(0, (until - .now()).nanoseconds)))
            case .write(let batch):
                let outcome = await driver.emit(batch)
                log(outcome)
                settle { $0.complete(outcome, now: .now(), jitter: Double.random(in: 0...1)).writes }
            }
        }
    }

    private func log(_ outcome: BatchOutcome) {
        switch outcome {
        case .written: break
        case .refused(_, let error), .unknown(let error), .notWritten(let error):
            logger.debug("a batch was not written", metadata: ["error": "\(error)"])
        }
    }

    /// Ends what is too late. It does nothing while nothing waits.
    private func runClock() async {
        while !Task.isCancelled {
            if isIdle { await clock.wait() }
            try? await Task.sleep(for: Self.resolution)
            settle { $0.expire(now: .now()).writes }
        }
    }
}
