// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Collects the acknowledgements of one broadcast: how many each part of the cluster still owes, and those that have arrived.
struct BroadcastAcknowledgementsStateMachine {
    /// The action that an input requires.
    enum Action {
        case none
        /// Give the waiting consumer its next acknowledgement.
        case resume(EventArguments)
        /// The same, and it was the last one: release what the broadcast holds.
        case resumeAndEnd(EventArguments)
        /// All acknowledgements have arrived, or no more will: wake the consumer, if it waits, and release the resources of the broadcast.
        case end
    }

    /// The result for a consumer that asks for the next acknowledgement.
    enum Next {
        case element(EventArguments)
        case end
        case wait
    }

    private struct Part {
        var node: String?
        var expected: Int?
        var answered = 0
        var gone = 0
        var isComplete: Bool { expected.map { answered + gone >= $0 } ?? false }
    }

    private var parts: [Part] = []
    private var incomplete = 0
    private var isSealed = false
    private var isWaiting = false
    private(set) var isEnded = false
    private var buffer: Deque<EventArguments> = []
    private var bufferedBytes = 0
    private let bufferLimit: Int
    private let byteLimit: Int
    private var dropped = 0
    private var timedOut = false
    private var missingNodes: [String] = []

    init(bufferLimit: Int, byteLimit: Int = .max) {
        self.bufferLimit = bufferLimit
        self.byteLimit = byteLimit
    }

    /// Another process, or this one, is going to answer.
    mutating func addPart(node: String?) -> Int {
        parts.append(Part(node: node))
        incomplete += 1
        return parts.count - 1
    }

    /// Records that no more parts will be added.
    mutating func seal() -> Action {
        isSealed = true
        return endIfComplete()
    }

    /// A part has told how many clients it has asked.
    mutating func expect(_ count: Int, from part: Int) -> Action {
        guard !isEnded, parts[part].expected == nil else { return .none }
        // Another node has told it: the sum of what all of them tell must not overflow.
        parts[part].expected = min(max(0, count), Int(Int32.max))
        return completed(part)
    }

    mutating func receive(_ arguments: EventArguments, from part: Int) -> Action {
        guard !isEnded, !parts[part].isComplete else { return .none }
        parts[part].answered += 1
        let consumerWaits = isWaiting
        isWaiting = false
        let end = completed(part)
        if consumerWaits { return isEnded ? .resumeAndEnd(arguments) : .resume(arguments) }
        guard buffer.count < bufferLimit, bufferedBytes < byteLimit else {
            dropped += 1
            return end
        }
        buffer.append(arguments)
        bufferedBytes += arguments.byteCount
        return end
    }

    mutating func clientIsGone(from part: Int) -> Action {
        guard !isEnded, !parts[part].isComplete else { return .none }
        parts[part].gone += 1
        return completed(part)
    }

    /// Records that a part will not answer: its node has left, has died or could not answer.
    mutating func fail(_ part: Int) -> Action {
        guard !isEnded, !parts[part].isComplete else { return .none }
        parts[part].expected = parts[part].answered + parts[part].gone
        if let node = parts[part].node { missingNodes.append(node) }
        return completed(part)
    }

    /// Records that a part is complete: its clients that have not answered are disconnected.
    mutating func finish(_ part: Int) -> Action {
        guard !isEnded, !parts[part].isComplete else { return .none }
        if let expected = parts[part].expected {
            parts[part].gone = expected - parts[part].answered
        } else {
            parts[part].expected = parts[part].answered + parts[part].gone
        }
        return completed(part)
    }

    mutating func timeOut() -> Action {
        guard !isEnded else { return .none }
        timedOut = true
        missingNodes += parts.compactMap { $0.expected == nil ? $0.node : nil }
        return end()
    }

    mutating func cancel() -> Action { isEnded ? .none : end() }

    mutating func next() -> Next {
        if let arguments = buffer.popFirst() {
            bufferedBytes -= arguments.byteCount
            return .element(arguments)
        }
        if isEnded { return .end }
        isWaiting = true
        return .wait
    }

    /// The result so far; final once the stream has ended.
    var summary: BroadcastAcknowledgements.Summary {
        BroadcastAcknowledgements.Summary(
            expected: parts.reduce(0) { $0 + ($1.expected ?? 0) },
            answered: parts.reduce(0) { $0 + $1.answered },
            disconnected: parts.reduce(0) { $0 + $1.gone },
            timedOut: timedOut,
            missingNodes: missingNodes,
            dropped: dropped
        )
    }

    private mutating func completed(_ part: Int) -> Action {
        guard parts[part].isComplete else { return .none }
        incomplete -= 1
        return endIfComplete()
    }

    private mutating func endIfComplete() -> Action {
        isSealed && incomplete == 0 && !isEnded ? end() : .none
    }

    private mutating func end() -> Action {
        isEnded = true
        isWaiting = false
        return .end
    }
}
