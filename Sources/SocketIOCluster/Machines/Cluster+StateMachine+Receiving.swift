// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore
import SocketIOText

extension ClusterStateMachine {
    // MARK: The stream

    /// The stream is open, for the first time or again.
    ///
    /// - Parameters:
    ///   - lost: Whether messages may have been skipped. Their number, if it is known, follows from the numbers of later ones.
    ///   - now: The time.
    ///   - makeID: Makes message ids.
    package mutating func streamOpened(lost: Bool, now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        guard !isClosed else { return [] }
        let paused = resume(now: now, makeID: makeID)
        let isFirst = !isOpen
        isOpen = true
        mayRepeat = !isFirst
        catchUpMark = nil
        membership.forgive(now: now)
        echo.opened(lost: lost, now: now)
        var actions = paused
        if lost, !isFirst { actions.append(.report(.gap(origin: nil, count: nil))) }
        // Who has joined meanwhile is not known, and the answers tell how much was lost.
        if isFirst || lost { actions += announceAll(now: now, makeID: makeID) }
        return actions + checkHealth(now: now)
    }

    /// A message of this node has returned.
    package mutating func cameBack(_ id: MessageID, origin: NodeIdentity, now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        var actions = resume(now: now, makeID: makeID)
        membership.listening(now: now)
        var isOwn = id == drainMessage || id == catchUpMark
        if id == drainMessage { drainedAs = origin }
        if id == catchUpMark {
            mayRepeat = false
            catchUpMark = nil
        }
        guard origin.epoch &- firstEpoch <= identity.epoch &- firstEpoch else {
            defer { hasReportedDuplicate = true }
            return actions + (hasReportedDuplicate ? [] : [.report(.duplicateNodeID(origin))])
        }
        for case (let namespace, .waiting(id, _)) in settling {
            isOwn = true
            settling[namespace] = .listening(until: now + TimeAmount(configuration.settleTime))
        }
        if echo.cameBack(id, isOwn: isOwn) { actions += checkHealth(now: now) }
        return actions
    }

    /// A document could not be decoded.
    package mutating func skipped(_ reason: String, now: NIODeadline) -> [Action] {
        membership.listening(now: now)
        return [.report(.skipped(reason))]
    }

    /// A document is not signed with a known key.
    package mutating func distrusted(_ reason: String, now: NIODeadline) -> [Action] {
        membership.listening(now: now)
        lastContradiction = now
        return [.report(.untrusted(reason))] + checkHealth(now: now)
    }

    private mutating func contradiction(_ origin: NodeIdentity, _ text: String, now: NIODeadline) -> [Action] {
        lastContradiction = now
        return [.report(.contradiction(origin, text))] + checkHealth(now: now)
    }

    // MARK: Messages

    /// A message of another node has arrived.
    ///
    /// - Returns: Whether ``process(_:_:now:)`` must be called with its body, and what to do before that.
    package mutating func receive(_ header: ClusterHeader, now: NIODeadline, makeID: () -> MessageID) -> (isWanted: Bool, [Action]) {
        guard !isClosed else { return (false, []) }
        if let excess = header.excess { return (false, skipped("\(excess), which is more than a node writes", now: now)) }
        if header.origin.id == identity.id {
            return (false, cameBack(header.id, origin: header.origin, now: now, makeID: makeID))
        }
        var actions = resume(now: now, makeID: makeID)
        membership.listening(now: now)
        guard header.target == nil || header.target == identity.id else { return (false, actions) }
        if let stamp = header.stamp {
            let targeted = header.target != nil
            let origin = header.origin
            switch received.receive(stamp, id: header.id, from: origin, targeted: targeted, mayRepeat: mayRepeat, now: now) {
            case .drop: return (false, actions)
            case .deliver(let missing):
                if missing > 0 { actions.append(.report(.gap(origin: header.origin, count: missing))) }
            case .contradict:
                let text = "a message with the number \(stamp.number) came after a later one, or after another with that number"
                actions += contradiction(header.origin, text, now: now)
            }
        }
        if !header.kind.isMembership { actions += changed(heard(header), now: now) }
        guard header.namespace.isEmpty || header.kind.isMembership || namespaces.contains(Name(header.namespace)) else {
            return (false, actions + answerForUnknownNamespace(header, now: now))
        }
        // An answer can be large, and takes its time to be decoded.
        if header.kind.isAnswer, !(header.request.map { pending.contains($0) } ?? false) { return (false, actions) }
        return (true, actions)
    }

    private mutating func answerForUnknownNamespace(_ header: ClusterHeader, now: NIODeadline) -> [Action] {
        switch header.kind {
        case .broadcastWithAck: answer(header, with: .acknowledgementCount(0), now: now)
        case .rooms: answer(header, with: .roomsAnswer([]), now: now)
        case .fetchSockets: answer(header, with: .fetchSocketsAnswer([], hasMore: false), now: now)
        case .serverSideEmitWithAck: answer(header, with: .acknowledgementsEnd, now: now)
        case .claimSession: answer(header, with: .sessionAnswer(nil), now: now)
        default: []
        }
    }

    /// Nodes of other implementations send no heartbeats as long as they send other messages.
    private mutating func heard(_ header: ClusterHeader) -> MembershipStateMachine.Change {
        guard configuration.announcesNamespaces, header.origin.isForeign, !header.namespace.isEmpty else {
            // Leaves are the last in the first lane, and what is written through others may come behind them.
            return membership.heard(header.origin, namespace: header.namespace, isLast: header.stamp?.lane ?? 0 == 0)
        }
        guard namespaces.contains(Name(header.namespace)) else { return membership.heard(header.origin, namespace: header.namespace) }
        return membership.beat(header.origin, ClusterHeartbeat(beat: 0), namespace: header.namespace)
    }

    private mutating func changed(_ change: MembershipStateMachine.Change, now: NIODeadline) -> [Action] {
        switch change {
        case .none: []
        case .joined(let node): [.report(.joined(node))]
        case .replaced(let before, let node): nodeIsGone(before, .died(before)) + [.report(.joined(node))]
        case .revived(let node):
            contradiction(node, "the node was said to have left, and goes on", now: now) + [.report(.joined(node))]
        }
    }

    /// A wanted message about membership, or a wanted answer, has been decoded.
    package mutating func process(_ header: ClusterHeader, _ body: ClusterBody, now: NIODeadline) -> [Action] {
        switch body {
        case .heartbeat(let heartbeat): return beat(header, heartbeat, now: now)
        case .initialHeartbeat(let heartbeat):
            let namespace = configuration.announcesNamespaces ? header.namespace : nil
            return beat(header, heartbeat, now: now) + sendHeartbeats(target: header.origin.id, in: namespace, now: now)
        case .draining: return membership.draining(header.origin) ? [.report(.draining(header.origin))] : []
        case .leave: return membership.leave(header.origin) ? nodeIsGone(header.origin, .left(header.origin)) : []
        default: break
        }
        guard header.kind.isAnswer, let request = header.request else { return [] }
        var actions = requests(pending.receive(body, to: request, from: header.origin))
        if pending.takeRefusal() { actions.insert(.report(.answerFailed(header.origin.id, Self.tooMuch)), at: 0) }
        if case .errorAnswer(let text) = body { actions.insert(.report(.answerFailed(header.origin.id, text)), at: 0) }
        return actions
    }

    private static let tooMuch = "its answer, with those of the other nodes, is larger than maximumAnswerBytes; ask fewer sockets at a time"

    private mutating func beat(_ header: ClusterHeader, _ heartbeat: ClusterHeartbeat, now: NIODeadline) -> [Action] {
        // A format that announces namespaces tells of those that are served here only what can be of use.
        if configuration.announcesNamespaces, !namespaces.contains(Name(header.namespace)) { return [] }
        let lane = heartbeat.positions.first?.stamp.lane ?? 0
        guard lane < ClusterHeader.laneLimit else { return skipped("a heartbeat tells of the lane \(lane)", now: now) }
        let verdict = received.beat(heartbeat.beat, lane: lane, of: header.origin, mayRepeat: mayRepeat, now: now)
        let change = membership.beat(
            header.origin,
            heartbeat,
            isFresh: verdict.isFresh,
            isNew: !mayRepeat,
            isLast: lane == 0,
            isContested: verdict.isContradiction,
            namespace: header.namespace
        )
        var actions = changed(change, now: now)
        if verdict.isContradiction { actions += contradiction(header.origin, "two lives of the node speak at the same time", now: now) }
        // What is shown again says nothing of what came after it.
        return actions + positions(heartbeat, header.origin, lane: lane, isFresh: verdict.isFresh && !mayRepeat, now: now)
    }

    private mutating func positions(
        _ heartbeat: ClusterHeartbeat,
        _ origin: NodeIdentity,
        lane: UInt8,
        isFresh: Bool,
        now: NIODeadline
    ) -> [Action] {
        var actions: [Action] = []
        let positions = heartbeat.positions.filter { ($0.target == nil || $0.target == identity.id) && $0.stamp.lane == lane }
        for position in positions.prefix(2) {
            let isTargeted = position.target != nil
            let report = received.position(position.stamp, of: origin, targeted: isTargeted, isFresh: isFresh, now: now)
            if report.missing > 0 { actions.append(.report(.gap(origin: origin, count: report.missing))) }
            guard report.isContradiction else { continue }
            let text = "a heartbeat tells of the number \(position.stamp.number) after higher ones had come; from here on it counts"
            // What was taken for a repetition since then is lost, and nobody knows how much that is.
            actions += contradiction(origin, text, now: now) + [.report(.gap(origin: origin, count: nil))]
        }
        let isListed = positions.contains { $0.target != nil }
        if !isListed, !positions.isEmpty, heartbeat.positions.count < ClusterHeartbeat.positionLimit,
            received.lastNumber(of: origin, lane: lane, targeted: true) == nil
        {
            // Whoever is not listed was sent nothing.
            _ = received.position(NumberStamp(lane: lane, number: 0), of: origin, targeted: true, isFresh: false, now: now)
        }
        return actions
    }

    // MARK: Recovery

    /// This node's positions in the messages of each origin in the lane of a namespace, itself included.
    package func positions(in namespace: String) -> [ClaimedSession.OriginPosition] {
        let lane = lane(of: namespace)
        let own = ClaimedSession.OriginPosition(origin: identity, number: lanes[lane].lastNumber(in: identity.epoch))
        return received.positions(lane: UInt8(lane)) + earlier.compactMap { $0.lane == lane ? $0.position : nil } + [own]
    }

    /// This node's positions in the messages of other origins in the lane of a namespace.
    package func reached(in namespace: String) -> [ClaimedSession.OriginPosition] {
        received.positions(lane: UInt8(lane(of: namespace)))
    }

    /// The ids of this node's broadcasts in a namespace that are not yet known to be written.
    package func unwrittenBroadcasts(of namespace: String) -> [MessageID] {
        lanes[lane(of: namespace)].unwrittenBroadcasts(of: namespace) + held.broadcasts(of: namespace)
    }

    // MARK: What sessions have got

    /// A point in the messages of a namespace, those of others and this node's own.
    package struct Mark: Sendable {
        fileprivate var identity: NodeIdentity
        fileprivate var lane: Int
        fileprivate var place: UInt64
        fileprivate var reached: [ClaimedSession.OriginPosition]
    }

    /// Whether messages of a namespace wait for other nodes to be known.
    package func holdsMessages(of namespace: String) -> Bool { held.holdsMessages(of: namespace) }

    /// Marks the point up to which messages have been received and sent. nil while messages of the namespace wait for other nodes to be
    /// known, and so have no place yet.
    package mutating func mark(in namespace: String) -> Mark? {
        guard !held.holdsMessages(of: namespace) else { return nil }
        let lane = lane(of: namespace)
        let before = earlier.compactMap { $0.lane == lane ? $0.position : nil }
        return Mark(identity: identity, lane: lane, place: lanes[lane].markEnd(), reached: reached(in: namespace) + before)
    }

    /// Whether the fate of all that was sent before a mark is known.
    package func isSettled(_ mark: Mark) -> Bool { mark.identity != identity || lanes[mark.lane].isSettled(upTo: mark.place) }

    /// This node's positions at a mark; nil as long as it is not settled, and if the node has another epoch since.
    package func positions(at mark: Mark) -> [ClaimedSession.OriginPosition]? {
        guard mark.identity == identity, let number = lanes[mark.lane].number(at: mark.place, in: identity.epoch) else { return nil }
        return mark.reached + [ClaimedSession.OriginPosition(origin: identity, number: number)]
    }
}
