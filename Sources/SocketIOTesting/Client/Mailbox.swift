// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Synchronization

/// Hands messages from an event loop to a test, which awaits them with a deadline.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: Deque<Element> = []
        var waiting: [(id: UInt64, continuation: CheckedContinuation<Element?, Never>)] = []
        var lastID: UInt64 = 0
        var isFinished = false
    }

    private let state = Mutex(State())

    func append(_ element: Element) {
        let consumer = state.withLock { state in
            if state.waiting.isEmpty {
                state.elements.append(element)
                return CheckedContinuation<Element?, Never>?.none
            }
            return state.waiting.removeFirst().continuation
        }
        consumer?.resume(returning: element)
    }

    /// Ends the mailbox: no more elements will arrive.
    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for (_, continuation) in waiting { continuation.resume(returning: nil) }
    }

    /// The next element; nil at the end or when the task is cancelled.
    func next() async -> Element? {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: Element?? = state.withLock { state in
                    if let element = state.elements.popFirst() { return .some(element) }
                    if state.isFinished || Task.isCancelled { return .some(nil) }
                    state.waiting.append((id, continuation))
                    return .none
                }
                if case .some(let element) = ready { continuation.resume(returning: element) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
            }
            waiting?.resume(returning: nil)
        }
    }
}
