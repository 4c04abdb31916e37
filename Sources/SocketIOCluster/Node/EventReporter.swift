// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Logging
import Synchronization

/// Reports the events of a node to its log, its metrics and the application: one at a time and in order, from whichever task they come.
final class EventReporter: Sendable {
    private struct State {
        var waiting: Deque<ClusterEvent> = []
        var isReporting = false
    }

    /// Beyond this number the oldest events are discarded, because the application is too slow.
    private static let limit = 10_000

    private let state = Mutex(State())
    private let metrics: ClusterMetrics
    private let log: ClusterLog
    private let onEvent: @Sendable (ClusterEvent) -> Void

    init(metrics: ClusterMetrics, log: ClusterLog, onEvent: @escaping @Sendable (ClusterEvent) -> Void) {
        self.metrics = metrics
        self.log = log
        self.onEvent = onEvent
    }

    /// Queues an event, in order. report() must follow, outside of all locks.
    func add(_ event: ClusterEvent) {
        state.withLock { state in
            if state.waiting.count >= Self.limit { state.waiting.removeFirst() }
            state.waiting.append(event)
        }
    }

    /// Reports the queued events, unless another task is doing that.
    func report() {
        while let event = next() {
            metrics.happened(event)
            log.log(event)
            onEvent(event)
            state.withLock { $0.isReporting = false }
        }
    }

    private func next() -> ClusterEvent? {
        state.withLock { state in
            guard !state.isReporting, let event = state.waiting.popFirst() else { return nil }
            state.isReporting = true
            return event
        }
    }
}
