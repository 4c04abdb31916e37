// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore
import SocketIOText

extension ClusterStateMachine {
    /// The writer of a lane has nothing to do.
    ///
    /// - Returns: What it does next, and what else follows.
    package mutating func nextBatch(
        lane: Int,
        now: NIODeadline,
        makeID: () -> MessageID
    ) -> (SendLaneStateMachine.WriteAction, [Action]) {
        var actions = resume(now: now, makeID: makeID)
        actions += settle(lanes[lane].expire(now: now), lane: lane, now: now)
        let next = lanes[lane].next(origin: identity, now: now, makeID: makeID)
        actions += lanes[lane].takeAdmitted().map { .settle($0) }
        // What is for another node only does not come back.
        if case .write(let messages) = next {
            writingSince[lane] = now
            echo.willWrite(messages.last { comesBack($0.header) }?.header.id, lane: lane)
        }
        return (next, actions)
    }

    private func comesBack(_ header: ClusterHeader) -> Bool {
        header.target == nil && !configuration.unwrittenKinds.contains(header.kind)
    }

    /// The driver has tried to write the batch of a lane.
    ///
    /// - Parameters:
    ///   - lane: The lane.
    ///   - outcome: The outcome of the attempt.
    ///   - now: The time.
    ///   - jitter: A random number between 0 and 1.
    package mutating func batchCompleted(lane: Int, _ outcome: BatchOutcome, now: NIODeadline, jitter: Double) -> [Action] {
        writingSince[lane] = nil
        switch outcome {
        case .written, .refused: failingSince = nil
        case .unknown, .notWritten: failingSince = failingSince ?? now
        }
        return settle(lanes[lane].complete(outcome, now: now, jitter: jitter), lane: lane, now: now) + checkHealth(now: now)
    }

    mutating func settle(_ settlement: SendLaneStateMachine.Settlement, lane: Int, now: NIODeadline) -> [Action] {
        if let id = settlement.refused { echo.refused(id) }
        if settlement.isWritten { echo.written(lane: lane, now: now) }
        if settlement.isAbandoned { echo.abandoned(lane: lane) }
        var actions = settlement.writes.flatMap { settle($0, now: now) } + undelivered(settlement.undelivered)
        if settlement.dropped > 0 { actions.append(.dropped(settlement.dropped)) }
        return actions
    }

    // MARK: Time

    /// Time has passed. Must be called several times a second.
    package mutating func tick(now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        guard !isClosed else { return [] }
        var actions = resume(now: now, makeID: makeID)
        for lane in lanes.indices { actions += settle(lanes[lane].expire(now: now), lane: lane, now: now) }
        for node in membership.tick(now: now) { actions += nodeIsGone(node, .died(node)) }
        received.expire(now: now)
        actions += settleIfDue(now: now)
        actions += pending.tick(now: now).map { .request($0) }
        actions += expireHeld(now: now)
        if case .reopen = echo.tick(now: now) { actions.append(.reopenStream) }
        actions += heartbeatIfDue(now: now, makeID: makeID)
        return actions + checkHealth(now: now)
    }

    private mutating func heartbeatIfDue(now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        guard isOpen, let due = nextHeartbeat, now >= due else { return [] }
        nextHeartbeat = now + TimeAmount(configuration.heartbeatInterval)
        guard mayRepeat else { return sendHeartbeats(now: now) }
        let mark = makeID()
        catchUpMark = mark
        return sendHeartbeats(id: mark, now: now)
    }

    private mutating func settleIfDue(now: NIODeadline) -> [Action] {
        guard !settling.isEmpty else { return [] }
        let due = settling.filter { entry in
            switch entry.value {
            case .waiting(_, let time), .listening(let time): now >= time
            }
        }
        return due.keys.sorted().flatMap { namespace -> [Action] in
            settling[namespace] = nil
            return isSettled(namespace.text) ? startHeld(namespace.text, now: now) : []
        }
    }

    private mutating func expireHeld(now: NIODeadline) -> [Action] {
        let unknown = ClusterError(.unreachable, "the other nodes were not known before the time was over")
        var actions = held.late(now: now).flatMap { failHeld($0, unknown) }
        let error = ClusterError(.notSent, "the message waited for the other nodes to be known until the write timeout had passed")
        for message in held.lateMessages(now: now) { actions += refuse(message, error) }
        return actions
    }

    mutating func nodeIsGone(_ node: NodeIdentity, _ event: ClusterEvent) -> [Action] {
        // Numbers for it are not needed any more; should it be back, its sequence begins anew.
        for lane in lanes.indices { lanes[lane].forget(node.id) }
        return [.report(event)] + requests(pending.nodeIsGone(node))
    }
}
