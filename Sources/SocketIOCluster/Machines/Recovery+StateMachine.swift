// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import EngineIOCore
package import NIOCore
package import SocketIOCore
import SocketIOText

/// What a namespace keeps so that sessions can move between nodes.
///
/// Four things must happen in one order, each in one step: an emit of this node (into the log, to the sockets, into the queue), a
/// broadcast of another node (into the log, to the sockets), the handing over of a session (its node's positions, its end) and its
/// restoring (what it has missed, its start). Then each packet is either among those that come with the session, or in the log after the
/// claim, or delivered live.
package struct RecoveryStateMachine {
    /// Its bounds.
    package struct Limits: Sendable {
        /// How long sessions are kept.
        package var retention: TimeAmount
        /// How long a node may take to notice that a client has disconnected.
        package var notice = TimeAmount.seconds(60)
        /// Sockets whose node has still to read what they were given elsewhere.
        package var floors = 10_000
        /// Nodes that are draining or have left, and may have stored sessions.
        package var leavingNodes = 64
        /// Nodes that are dead, and whose snapshots are restored.
        package var goneNodes = 1_000
        package var logEntries = 50_000
        package var logBytes = 64 << 20

        package init(retention: TimeAmount = .seconds(120)) { self.retention = retention }
    }

    /// A socket that came from a node which had read further than this one: what it was given there must not be delivered again.
    private struct Floor {
        var socket: SocketID
        var number: UInt64
        var until: NIODeadline
    }

    /// A node that is draining or has left: what was delivered since it said so is kept for the sessions that it stores.
    private struct Leaving {
        var mark: RecoveryLog.Mark
        /// When it left; before that, when it announced to leave.
        var since: NIODeadline
        var until: NIODeadline
    }

    private let node: NodeID
    private let keepsUnseen: Bool
    private let keepsLog: Bool
    private let limits: Limits
    private var log: RecoveryLog
    private var floors: [NodeIdentity: [Floor]] = [:]
    private var floorCount = 0
    /// Packets that sockets were given before this node has read them.
    private var given: [MessageID: (sockets: [SocketID], until: NIODeadline)] = [:]
    private var leaving: [NodeIdentity: Leaving] = [:]
    private var unseen: UnseenEmits
    /// When nodes died or left.
    private var gone: [Name: NIODeadline] = [:]
    /// This node's position in the stream: the last broadcast for all that was handed to all loops, whichever node has sent it. It does not
    /// advance for a while after a loss.
    package private(set) var position: MessageID?
    private var lastLoss: NIODeadline?

    /// How long a node may drain.
    private static var longestDrain: TimeAmount { .minutes(5) }
    /// After this time, the numbers of a silent origin are forgotten anyway.
    private static var longestLag: TimeAmount { .minutes(10) }
    /// What is in the backend arrives through the stream within this time, or has arrived before.
    private static var longestGift: TimeAmount { .minutes(1) }
    /// After a loss nothing is restored until every parked session has been claimed or discarded.
    private var caution: TimeAmount { limits.retention + limits.notice }

    /// Creates an empty machine.
    ///
    /// - Parameters:
    ///   - node: The id of this node.
    ///   - limits: Its bounds.
    ///   - keepsUnseen: Whether nodes that leave can store sessions.
    ///   - keepsLog: Whether snapshots of sessions are restored.
    package init(node: NodeID, _ limits: Limits = .init(), keepsUnseen: Bool = true, keepsLog: Bool = false) {
        self.node = node
        self.keepsUnseen = keepsUnseen
        self.keepsLog = keepsLog
        self.limits = limits
        self.log = RecoveryLog(entryLimit: limits.logEntries, byteLimit: limits.logBytes, keepsAlways: keepsLog)
        self.unseen = UnseenEmits(limit: limits.logEntries, byteLimit: limits.logBytes)
    }

    /// The number of packets in the log, for tests.
    package var logCount: Int { log.count }
    /// Whether nodes that have left may have stored sessions.
    package var mayHaveStored: Bool { !leaving.isEmpty }

    // MARK: Delivering

    /// A packet of this node is being delivered and enqueued.
    package mutating func emitted(_ packet: BroadcastPacket, to options: BroadcastOptions, deliveredOn loop: (any EventLoop)? = nil) {
        log.append(packet, to: options, comesBack: true, deliveredOn: loop)
        if keepsUnseen { unseen.append(packet, options) }
    }

    /// A message of this node has returned.
    ///
    /// - Returns: Whether it is a broadcast whose place other nodes know, so that it can be this node's position.
    @discardableResult
    package mutating func cameBack(_ id: MessageID) -> Bool {
        unseen.cameBack(id)
        return keepsLog && log.cameBack(id)
    }

    /// Messages of this node have got their numbers.
    package mutating func numbered(_ header: ClusterHeader) {
        guard header.target == nil, let stamp = header.stamp else { return }
        log.numbered(header.id, as: stamp.number, of: header.origin)
        unseen.numbered(header.id, as: stamp.number, of: header.origin)
    }

    /// A packet of another node is being delivered.
    ///
    /// - Returns: The sockets that were given it elsewhere.
    package mutating func received(
        _ packet: BroadcastPacket,
        to options: BroadcastOptions,
        _ header: ClusterHeader,
        deliveredOn loop: (any EventLoop)? = nil
    ) -> [SocketID] {
        // A message for this node only is for the sockets that were here when it was sent.
        guard header.target == nil else { return [] }
        let number = header.stamp?.number ?? 0
        log.append(packet, to: options, origin: header.origin, number: number, deliveredOn: loop)
        if !given.isEmpty, let sockets = given.removeValue(forKey: header.id)?.sockets { return sockets }
        guard number > 0, let waiting = floors[header.origin] else { return [] }
        let above = waiting.filter { $0.number > number }
        floors[header.origin] = above.isEmpty ? nil : above
        floorCount -= waiting.count - above.count
        return waiting.compactMap { $0.number >= number ? $0.socket : nil }
    }

    // MARK: Loss

    /// Messages were lost.
    package mutating func lost(now: NIODeadline) {
        log.invalidate()
        lastLoss = now
    }

    /// Whether sessions that are parked or restored here are certain to get everything that they have missed.
    package func isReliable(now: NIODeadline) -> Bool { lastLoss.map { now - $0 > caution } ?? true }

    // MARK: Nodes that leave

    /// A node drains. From here on what is delivered is kept for the sessions that it is going to store.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - reached: This node's position in the messages of others.
    ///   - members: The other nodes that are alive.
    ///   - now: The time.
    package mutating func draining(
        _ node: NodeIdentity,
        reached: [ClaimedSession.OriginPosition],
        members: [NodeIdentity] = [],
        now: NIODeadline
    ) {
        expire(now: now)
        guard leaving[node] == nil, leaving.count < limits.leavingNodes, unseen.isComplete else { return }
        var mark = log.begin(includesUnplaced: true)
        mark.reached = reached + (unseen.lastSeen.map { [$0] } ?? [])
        mark.members = Set(members)
        leaving[node] = Leaving(mark: mark, since: now, until: now + Self.longestDrain + limits.retention)
        // Messages of this node that the other has not read when it says this are delivered after it.
        for emit in unseen.emits {
            log.append(emit.packet, to: emit.options, origin: emit.origin, number: emit.number, comesBack: true)
        }
    }

    /// A node has left.
    package mutating func left(_ node: NodeIdentity, now: NIODeadline) {
        leaving[node]?.since = now
        leaving[node]?.until = now + limits.retention
        died(node, now: now)
    }

    /// A node is considered dead. Its sessions can be restored from their snapshots.
    package mutating func died(_ node: NodeIdentity, now: NIODeadline) {
        guard keepsLog else { return }
        expire(now: now)
        if gone.count >= limits.goneNodes, let oldest = gone.min(by: { $0.value < $1.value }) { gone[oldest.key] = nil }
        gone[Name(node.id)] = now
    }

    /// Discards what is too old.
    package mutating func expire(now: NIODeadline) {
        for (origin, waiting) in floors where waiting.contains(where: { $0.until <= now }) {
            let left = waiting.filter { $0.until > now }
            floorCount -= waiting.count - left.count
            floors[origin] = left.isEmpty ? nil : left
        }
        for (id, packet) in given where packet.until <= now { given[id] = nil }
        for (node, gone) in leaving where gone.until <= now {
            log.end(gone.mark)
            leaving[node] = nil
        }
        for (node, time) in gone where time + limits.retention < now { gone[node] = nil }
    }

    /// From where on the log has what the sessions that a node has stored have missed; nil if they are too old or not covered.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - age: How long its client had been away when it was stored.
    ///   - now: The time.
    package func mark(for node: NodeIdentity, age: TimeAmount, now: NIODeadline) -> RecoveryLog.Mark? {
        guard let gone = leaving[node], age >= .zero, age + (now - gone.since) <= limits.retention else { return nil }
        return gone.mark
    }

    // MARK: Nodes that crash

    /// A broadcast was read from the stream and handed to all loops.
    ///
    /// - Returns: This node's position, if it has changed.
    package mutating func advance(to id: MessageID, now: NIODeadline) -> MessageID? {
        guard keepsLog, isReliable(now: now) else { return nil }
        position = id
        return id
    }

    /// Whether the log may reach back to what a client presents; if not, its snapshot need not be looked up.
    package func mayCover(_ offset: RecoveryOffset?, now: NIODeadline) -> Bool {
        keepsLog && !gone.isEmpty && isReliable(now: now) && offset.map(log.mayCover) ?? true
    }

    /// From where on the log has what a client of a dead node may have missed; nil if that is too long ago or not covered.
    ///
    /// - Parameters:
    ///   - snapshot: The last snapshot of its session.
    ///   - offset: What the client presents; nil if it has received nothing.
    ///   - now: The time.
    package func mark(for snapshot: SessionSnapshot, after offset: RecoveryOffset?, now: NIODeadline) -> RecoveryLog.Mark? {
        guard let since = gone[Name(snapshot.owner.id)], now - since <= limits.retention else { return nil }
        let start = snapshot.start.map { RecoveryOffset(id: $0, position: $0) }
        guard let offset = offset ?? start else { return nil }
        guard let mark = log.mark(after: offset, of: snapshot.owner.id, isMoved: snapshot.isMoved) else { return nil }
        // A packet whose sender lagged behind may have a position from before the client connected.
        let first = start.flatMap { log.mark(after: $0, of: snapshot.owner.id, isMoved: snapshot.isMoved) }
        if let first, first.isLater(than: mark) { return first }
        return mark
    }

    // MARK: Claiming and restoring

    /// A client has returned and its session is being claimed. From here on everything is kept.
    ///
    /// - Parameters:
    ///   - reached: This node's position in the messages of others.
    ///   - members: The other nodes that are alive.
    ///   - now: The time.
    package mutating func beginClaim(
        reached: [ClaimedSession.OriginPosition],
        members: [NodeIdentity] = [],
        now: NIODeadline
    ) -> RecoveryLog.Mark {
        expire(now: now)
        var mark = log.begin()
        mark.reached = reached
        mark.members = Set(members)
        return mark
    }

    /// The session of a client is being claimed from a node of another implementation. From here on everything is kept, and what this node
    /// has emitted that may not be in the backend yet.
    package mutating func beginClaimFromBackend(now: NIODeadline) -> RecoveryLog.Mark {
        let mark = beginClaim(reached: [], now: now)
        for emit in unseen.emits {
            log.append(emit.packet, to: emit.options, origin: emit.origin, number: emit.number, comesBack: true)
        }
        return mark
    }

    /// A socket is given packets that were read from the backend, and may still arrive through the stream.
    ///
    /// - Returns: Whether there is room to remember them.
    package mutating func give(_ packets: [BroadcastPacket], to socket: SocketID, now: NIODeadline) -> Bool {
        guard given.count + packets.count <= limits.logEntries else { return false }
        for id in packets.compactMap(\.offset) {
            given[id, default: ([], now)].sockets.append(socket)
            given[id]?.until = now + Self.longestGift
        }
        return true
    }

    /// The claim has ended, whether or not there is a session.
    package mutating func endClaim(_ mark: RecoveryLog.Mark) { log.end(mark) }

    /// A session that was claimed is being restored.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - mark: From where on the log has what it has missed.
    ///   - own: This node's positions.
    ///   - now: The time.
    /// - Returns: What it has missed in addition to the packets that come with it, and the place in the log up to which that goes; nil if
    ///   it is not covered.
    package mutating func restore(
        _ session: ClaimedSession,
        since mark: RecoveryLog.Mark,
        own: [ClaimedSession.OriginPosition],
        now: NIODeadline
    ) -> (packets: [BroadcastPacket], until: RecoveryLog.Mark)? {
        let reached = Dictionary(own.map { ($0.origin, $0.number) }) { max($0, $1) }
        let ahead = session.positions.filter { $0.origin.id != node && $0.number > reached[$0.origin] ?? 0 }
        guard mark.isCovered(by: session), floorCount + ahead.count <= limits.floors, let result = log.missed(by: session, since: mark)
        else { return nil }
        let until = now + Self.longestLag
        for position in ahead {
            floors[position.origin, default: []].append(Floor(socket: session.state.id, number: position.number, until: until))
        }
        floorCount += ahead.count
        return result
    }

    /// A session whose node has left moves to a node that does not know what it has missed since.
    ///
    /// - Parameters:
    ///   - session: The session as its node has stored it.
    ///   - mark: From where on the log has what it has missed.
    ///   - positions: This node's positions.
    ///   - unwritten: This node's messages that are still under way.
    /// - Returns: The session as if it had been here until now; nil if it is not covered.
    package func forward(
        _ session: ClaimedSession,
        since mark: RecoveryLog.Mark,
        positions: [ClaimedSession.OriginPosition],
        unwritten: [MessageID]
    ) -> ClaimedSession? {
        guard let (missed, _) = log.missed(by: session, since: mark) else { return nil }
        var result = session
        result.missed += missed
        result.known += missed.compactMap(\.offset) + unwritten
        var reached = Dictionary(session.positions.map { ($0.origin, $0.number) }) { max($0, $1) }
        for position in positions { reached[position.origin] = max(reached[position.origin] ?? 0, position.number) }
        result.positions = reached.map { ClaimedSession.OriginPosition(origin: $0.key, number: $0.value) }
        return result
    }

    /// What was delivered immediately on a loop after ``restore(_:since:own:now:)``, ahead of the session; nil if that is no longer known.
    package func overtook(_ session: ClaimedSession, since mark: RecoveryLog.Mark, on loop: any EventLoop) -> [BroadcastPacket]? {
        log.overtook(session, since: mark, on: loop)
    }
}

/// Packets that this node has emitted and that have not returned.
private struct UnseenEmits {
    struct Emit {
        var packet: BroadcastPacket
        var options: BroadcastOptions
        var origin: NodeIdentity?
        var number: UInt64 = 0
    }

    private let limit: Int
    private let byteLimit: Int
    private(set) var emits: Deque<Emit> = []
    private var positions: [MessageID: Int] = [:]
    private var first = 0
    private var bytes = 0
    /// Emits up to here have not returned and were discarded.
    private var forgotten: MessageID?
    /// The last of this node's numbers that has returned.
    private(set) var lastSeen: ClaimedSession.OriginPosition?

    init(limit: Int, byteLimit: Int) {
        self.limit = limit
        self.byteLimit = byteLimit
    }

    var isComplete: Bool { forgotten == nil }

    mutating func append(_ packet: BroadcastPacket, _ options: BroadcastOptions) {
        guard let offset = packet.offset else { return }
        while !emits.isEmpty, emits.count >= limit || bytes >= byteLimit { forgotten = removeFirst() }
        positions[offset] = first + emits.count
        bytes += packet.encoded.byteCount + options.estimatedByteCount
        emits.append(Emit(packet: packet, options: options))
    }

    @discardableResult
    private mutating func removeFirst() -> MessageID? {
        guard let emit = emits.popFirst() else { return nil }
        first += 1
        bytes -= emit.packet.encoded.byteCount + emit.options.estimatedByteCount
        if let offset = emit.packet.offset { positions[offset] = nil }
        return emit.packet.offset
    }

    mutating func numbered(_ offset: MessageID, as number: UInt64, of origin: NodeIdentity) {
        guard let position = positions[offset] else { return }
        emits[position - first].origin = origin
        emits[position - first].number = number
    }

    /// Messages return in order: earlier ones that have not returned will not.
    mutating func cameBack(_ offset: MessageID) {
        guard let position = positions[offset] else { return }
        forgotten = nil
        let emit = emits[position - first]
        if let origin = emit.origin { lastSeen = .init(origin: origin, number: emit.number) }
        while first <= position { removeFirst() }
    }
}
