// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// What follows from the inputs of the state machine.
extension ClusterNode {
    typealias Action = ClusterStateMachine.Action

    /// Gives the machine an input and does what follows.
    func perform(_ input: (inout ClusterStateMachine, NIODeadline) -> [Action]) {
        perform(step { state in input(&state.machine, now) })
    }

    /// Gives the machine an input. What follows must then be done by ``perform(_:)-(_)``, outside of all locks.
    func step(_ input: (inout State) -> [Action]) -> [Action] {
        state.withLock { state in
            let actions = input(&state)
            state.note(actions)
            return actions
        }
    }

    func perform(_ actions: [Action]) {
        var hasEvents = false
        for action in actions {
            switch action {
            case .wake(let lane): lanes[lane].raise()
            case .settle(let write): state.withLock { $0.writes.removeValue(forKey: write.ticket) }?.resume(returning: write.fate)
            case .started(let id, let nodes): state.withLock { $0.streams[id] }?.start(nodes)
            case .request(let action): perform(action)
            case .perform(let header, let body): apply(header, body)
            case .reopenStream:
                options.metrics.streamReopened()
                reopen.raise()
            case .report(let event):
                hasEvents = true
                happened(event)
            }
        }
        if hasEvents { tellEvents() }
    }

    private func perform(_ action: PendingRequestsStateMachine.Action) {
        switch action {
        case .complete(let id, let result):
            if !result.missing.isEmpty { options.metrics.requestIncomplete() }
            state.withLock { $0.requests.removeValue(forKey: id) }?.resume(returning: result)
        case .expect(let id, let node, let count): stream(id)?.expect(count, from: node)
        case .acknowledge(let id, let node, let arguments): stream(id)?.receive(arguments, from: node)
        case .finish(let id, let node): stream(id)?.finish(node)
        case .fail(let id, let node): stream(id)?.fail(node)
        case .timeOut(let id): stream(id)?.timeOut()
        }
    }

    private func stream(_ id: ClusterRequestID) -> AcknowledgementCollector? { state.withLock { $0.streams[id] } }

    // MARK: Events

    func report(_ event: ClusterEvent) { perform(step { _ in [.report(event)] }) }

    /// What recovery must know of an event before anything else is done.
    private func happened(_ event: ClusterEvent) {
        switch event {
        case .gap: for adapter in allAdapters { adapter.somethingWasLost() }
        case .draining(let node): for adapter in allAdapters { adapter.nodeIsDraining(node) }
        case .left(let node): for adapter in allAdapters { adapter.nodeHasLeft(node) }
        // Copies name the life that has ended, and would be taken for those of a dead node.
        case .wasPaused: for adapter in allAdapters { adapter.snapshots?.renew() }
        case .died(let node): for adapter in allAdapters { adapter.nodeHasDied(node) }
        default: break
        }
    }

    /// Tells whoever watches what has happened: one event at a time and in order, whichever tasks they come from.
    private func tellEvents() {
        while let event = state.withLock({ $0.nextEvent() }) {
            options.metrics.happened(event)
            log.log(event)
            options.onEvent(event)
            state.withLock { $0.isTelling = false }
        }
    }
}

extension ClusterNode.State {
    /// Beyond this number the oldest events are not told: who is told is too slow.
    private static var eventLimit: Int { 10_000 }

    /// Keeps the events in the order in which they happened.
    mutating func note(_ actions: [ClusterStateMachine.Action]) {
        for case .report(let event) in actions {
            if events.count >= Self.eventLimit { events.removeFirst() }
            events.append(event)
        }
    }

    /// The next event that may be told; nil if somebody is telling one.
    mutating func nextEvent() -> ClusterEvent? {
        guard !isTelling, let event = events.popFirst() else { return nil }
        isTelling = true
        return event
    }
}
