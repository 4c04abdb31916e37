// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText
import Synchronization

/// The acknowledgements of one broadcast, as they arrive from any number of processes. One consumer.
///
/// The sequence always ends: when every addressed client has answered or is disconnected, when the time is over, or when the consumer's
/// task is cancelled. ``summary`` then tells how complete it is.
public final class BroadcastAcknowledgements: AsyncSequence, Sendable {
    /// How complete the acknowledgements are.
    public struct Summary: Sendable, Hashable {
        /// The number of clients that got the event, as far as it is known.
        public var expected: Int
        /// The number of clients that answered.
        public var answered: Int
        /// The number of clients that were disconnected before they answered.
        public var disconnected: Int
        /// Whether the time was over before all had answered.
        public var timedOut: Bool
        /// The ids of the nodes whose answer is missing or incomplete.
        public var missingNodes: [String]
        /// The number of answers that were dropped because the consumer left more unread than the limit.
        public var dropped: Int

        /// Whether every client that got the event has answered.
        public var isComplete: Bool { answered == expected && dropped == 0 && missingNodes.isEmpty }

        /// Whether both say the same; node ids are compared by their bytes.
        public static func == (left: Summary, right: Summary) -> Bool {
            left.expected == right.expected && left.answered == right.answered && left.disconnected == right.disconnected
                && left.timedOut == right.timedOut && left.dropped == right.dropped
                && left.missingNodes.elementsEqual(right.missingNodes) { $0 == $1 }
        }

        /// Feeds the summary to a hasher.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(expected)
            hasher.combine(answered)
            hasher.combine(disconnected)
            hasher.combine(timedOut)
            hasher.combine(dropped)
            for node in missingNodes { Bytewise.hash(node, into: &hasher) }
        }
    }

    /// A part of the cluster that answers on its own: this process or another one.
    public struct PartID: Sendable, Hashable {
        let index: Int
    }

    private struct State {
        var machine: BroadcastAcknowledgementsStateMachine
        var consumer: CheckedContinuation<EventArguments?, Never>?
        var onEnd: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>

    /// Creates a stream to which parts must be added.
    ///
    /// - Parameters:
    ///   - bufferLimit: The number of unread acknowledgements that are kept; more are dropped and counted. Default: 100 000.
    ///   - byteLimit: The size of unread acknowledgements in bytes; beyond it further ones are dropped and counted. Default: 64 MiB.
    public init(bufferLimit: Int = 100_000, byteLimit: Int = 64 << 20) {
        self.state = Mutex(State(machine: .init(bufferLimit: bufferLimit, byteLimit: byteLimit)))
    }

    /// Announces a part that is going to answer.
    ///
    /// - Parameter node: The id of the node that answers; nil for this process.
    public func addPart(node: String? = nil) -> PartID {
        state.withLock { PartID(index: $0.machine.addPart(node: node)) }
    }

    /// Records that no more parts will be added. Without this call the stream ends only by time.
    public func seal() { run { $0.seal() } }

    /// The part has asked this number of clients.
    public func expect(_ count: Int, from part: PartID) { run { $0.expect(count, from: part.index) } }

    /// A client of the part has answered.
    public func receive(_ arguments: EventArguments, from part: PartID) { run { $0.receive(arguments, from: part.index) } }

    /// Records that a client of the part is disconnected and will not answer.
    public func clientIsGone(from part: PartID) { run { $0.clientIsGone(from: part.index) } }

    /// Records that the part will not answer.
    public func fail(_ part: PartID) { run { $0.fail(part.index) } }

    /// Records that the part is complete: its clients that have not answered are disconnected.
    public func finish(_ part: PartID) { run { $0.finish(part.index) } }

    /// Ends the stream with the acknowledgements that have arrived, since the time is over.
    public func timeOut() { run { $0.timeOut() } }

    /// Ends the stream, since its consumer has stopped.
    public func cancel() { run { $0.cancel() } }

    /// Calls `body` when the stream ends, at once if it has.
    public func onEnd(_ body: @escaping @Sendable () -> Void) {
        let isEnded = state.withLock { state in
            if !state.machine.isEnded { state.onEnd.append(body) }
            return state.machine.isEnded
        }
        if isEnded { body() }
    }

    /// How complete the acknowledgements are; final once the sequence has ended.
    public var summary: Summary { state.withLock { $0.machine.summary } }

    /// Whether the stream has ended.
    package var isFinished: Bool { state.withLock { $0.machine.isEnded } }

    /// A sink for the clients of one part.
    func sink(for part: PartID) -> AcknowledgementSink { AcknowledgementSink(stream: self, part: part) }

    private func run(_ input: (inout BroadcastAcknowledgementsStateMachine) -> BroadcastAcknowledgementsStateMachine.Action) {
        var consumer: CheckedContinuation<EventArguments?, Never>?
        var element: EventArguments?
        var callbacks: [@Sendable () -> Void] = []
        state.withLock { state in
            switch input(&state.machine) {
            case .none: return
            case .resume(let arguments): element = arguments
            case .resumeAndEnd(let arguments):
                element = arguments
                swap(&callbacks, &state.onEnd)
            case .end: swap(&callbacks, &state.onEnd)
            }
            swap(&consumer, &state.consumer)
        }
        consumer?.resume(returning: element)
        for callback in callbacks { callback() }
    }

    private func next() async -> EventArguments? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result: EventArguments?? = state.withLock { state in
                    switch state.machine.next() {
                    case .element(let arguments): return .some(arguments)
                    case .end: return .some(nil)
                    case .wait:
                        // A second consumer would strand the first.
                        guard state.consumer == nil else { return .some(nil) }
                        state.consumer = continuation
                        return .none
                    }
                }
                if case .some(let element) = result { continuation.resume(returning: element) }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Creates the consumer's iterator.
    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// The consumer's position.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let stream: BroadcastAcknowledgements

        /// The next acknowledgement; nil at the end.
        public func next() async -> EventArguments? { await stream.next() }

        /// The next acknowledgement; nil at the end.
        public func next(isolation actor: isolated (any Actor)?) async -> EventArguments? { await stream.next() }
    }
}
