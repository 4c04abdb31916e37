// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// Sets the position of the event loops when broadcasts of this node return: in one hop for all that return in the meantime.
final class PositionFeed: Sendable {
    private struct State {
        var isUnderWay = false
        var next: MessageID?
    }

    private let local: CoreLocalAdapter
    private let first = Gate()
    private let state = Mutex(State())

    init(local: CoreLocalAdapter) { self.local = local }

    func advance(to position: MessageID) {
        let starts = state.withLock { state in
            if state.isUnderWay { state.next = position }
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
        if starts { send(position) }
    }

    /// A broadcast of another node brings a later position to the loops.
    func wasOvertaken() { state.withLock { $0.next = nil } }

    private func send(_ position: MessageID) {
        local.enqueuePosition(position) { [weak self] in self?.arrived() }
    }

    /// Returns when all loops have got their first position.
    func firstArrival(atMost limit: Duration) async {
        await withTimeLimit(limit) { await self.first.wait() }
    }

    private func arrived() {
        let next = state.withLock { state in
            state.isUnderWay = state.next != nil
            return state.next.take()
        }
        first.open()
        if let next { send(next) }
    }
}
