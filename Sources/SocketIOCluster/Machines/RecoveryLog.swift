// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import EngineIOCore
package import NIOCore
package import SocketIOCore
import SocketIOText

/// What one namespace of a node has delivered since the oldest mark in use: from it a session gets what it has missed on its way from one
/// node to another.
///
/// While no mark is in use, nothing is kept, unless snapshots of sessions are to be restored. Entries are found by room, so that a claim
/// costs as much as the packets that it gets.
package struct RecoveryLog {
    /// A place in the log.
    package struct Mark: Hashable, Sendable {
        fileprivate var position: Int
        /// What does not have this or an earlier place in the stream comes after the mark.
        fileprivate var place: UInt64 = 0
        /// This node's position there in the messages of others, and in the return of its own.
        var reached: [ClaimedSession.OriginPosition] = []
        /// The other nodes that were alive there.
        var members: Set<NodeIdentity> = []

        /// Whether it has a later place in the stream.
        func isLater(than other: Mark) -> Bool { place > other.place }

        /// Whether the node that handed the session over had read everything that this one had read before the mark. It always has, unless
        /// a primary lost messages after some nodes had read them: those arrive again, after the session, and are not new here.
        func isCovered(by session: ClaimedSession) -> Bool {
            guard !reached.isEmpty else { return true }
            let got = Dictionary(session.positions.map { ($0.origin, $0.number) }) { max($0, $1) }
            return reached.allSatisfy { position in
                // A node may not know those that were gone before it started; but those that are alive it has read of.
                got[position.origin].map { $0 >= position.number } ?? (position.number == 0 || !members.contains(position.origin))
            }
        }
    }

    private struct Entry {
        var packet: BroadcastPacket
        var options: BroadcastOptions
        /// The sender; nil if it is this node and the packet has no number yet, so that no other node can have read it.
        var origin: NodeIdentity?
        /// Its number among what its origin sends to all; 0 if it has none.
        var number: UInt64
        /// The loop on which the packet was delivered immediately, ahead of what was enqueued there.
        var loop: ObjectIdentifier?
        /// Its place in the stream that all nodes read; the last of all as long as it has not returned.
        var place = UInt64.max
        /// The first entry that has a later place.
        var next = 0

        var hasPlace: Bool { place != .max }
        /// Its size, the names of its rooms included.
        var bytes: Int { packet.encoded.byteCount + options.estimatedByteCount }
    }

    /// The place of what no session is given: it is not after any mark.
    private static let beforeAll: UInt64 = 0

    /// Entries beyond this number displace the oldest, and invalidate the marks that need them.
    private let entryLimit: Int
    /// The same in bytes.
    private let byteLimit: Int
    /// Whether packets are kept although no mark is in use.
    private let keepsAlways: Bool
    private var entries: Deque<Entry> = []
    private var first = 0
    private var bytes = 0
    private var everyone: Deque<Int> = []
    private var rooms: [Name: Deque<Int>] = [:]
    /// Packets of this node that have no number yet.
    private var unnumbered: [MessageID: Int] = [:]
    private var marks: [Int: Int] = [:]
    private var lastPlace: UInt64 = 0
    /// Where packets are, by id, if packets are always kept.
    private var index: [MessageID: Int] = [:]
    /// Packets of this node that have not returned.
    private var unplaced: Deque<Int> = []

    /// Creates an empty log.
    ///
    /// - Parameters:
    ///   - entryLimit: The number of packets kept at most. Default: 50 000.
    ///   - byteLimit: Their size in bytes. Default: 64 MiB.
    ///   - keepsAlways: Whether packets are kept although no mark is in use. Default: false.
    package init(entryLimit: Int = 50_000, byteLimit: Int = 64 << 20, keepsAlways: Bool = false) {
        self.entryLimit = entryLimit
        self.byteLimit = byteLimit
        self.keepsAlways = keepsAlways
    }

    /// The number of packets in the log.
    package var count: Int { entries.count }

    private var end: Int { first + entries.count }

    /// From here on everything is kept.
    ///
    /// - Parameter includesUnplaced: Whether packets of this node that have not returned count as after the mark.
    package mutating func begin(includesUnplaced: Bool = false) -> Mark {
        let position = includesUnplaced ? unplaced.first ?? end : end
        marks[position, default: 0] += 1
        return Mark(position: position)
    }

    /// The mark is no longer in use.
    package mutating func end(_ mark: Mark) {
        if let count = marks[mark.position] { marks[mark.position] = count > 1 ? count - 1 : nil }
        if marks.isEmpty, !keepsAlways { clear() }
    }

    /// Messages were lost: the log cannot be relied on.
    package mutating func invalidate() {
        clear()
        first += 1
    }

    private mutating func clear() {
        first = end
        entries.removeAll()
        everyone.removeAll()
        rooms.removeAll()
        unnumbered.removeAll()
        index.removeAll()
        unplaced.removeAll()
        bytes = 0
    }

    /// A packet is being delivered to the sockets of this process.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - options: The selected sockets.
    ///   - origin: The sender; nil for this node, which gives the number later by ``numbered(_:as:of:)``.
    ///   - number: Its number among what its origin sends to all; 0 if it has none.
    ///   - comesBack: Whether it is of this node and has not returned; ``cameBack(_:)`` is called when it does.
    ///   - loop: The loop on which it is delivered immediately.
    package mutating func append(
        _ packet: BroadcastPacket,
        to options: BroadcastOptions,
        origin: NodeIdentity? = nil,
        number: UInt64 = 0,
        comesBack: Bool = false,
        deliveredOn loop: (any EventLoop)? = nil
    ) {
        guard keepsAlways || !marks.isEmpty, let offset = packet.offset, index[offset] == nil else { return }
        var packet = packet
        // The log has a bound of its own: what it always keeps must not use up the budget of parked sessions.
        packet.charge = nil
        while !entries.isEmpty, entries.count >= entryLimit || bytes >= byteLimit { removeFirst() }
        bytes += packet.encoded.byteCount + options.estimatedByteCount
        if options.rooms.isEmpty { everyone.append(end) }
        for room in Set(options.rooms.map { Name($0) }) { rooms[room, default: []].append(end) }
        if origin == nil, number == 0 { unnumbered[offset] = end }
        entries.append(Entry(packet: packet, options: options, origin: origin, number: number, loop: loop.map(ObjectIdentifier.init)))
        guard keepsAlways else { return }
        index[offset] = end - 1
        if comesBack { unplaced.append(end - 1) } else { place(end - 1) }
    }

    private mutating func place(_ position: Int) {
        lastPlace += 1
        entries[position - first].place = lastPlace
        entries[position - first].next = unplaced.first ?? end
    }

    /// A packet of this node has returned. Earlier ones that have not returned will not: they could not be written, no other node has them,
    /// and sessions that move do not get them either. They would get them after later ones.
    ///
    /// - Returns: Whether it was expected.
    @discardableResult
    package mutating func cameBack(_ offset: MessageID) -> Bool {
        guard let position = index[offset], !entries[position - first].hasPlace else { return false }
        let failed = unplaced.prefix { $0 < position }
        for failed in failed { entries[failed - first].place = Self.beforeAll }
        unplaced.removeFirst(failed.count)
        if unplaced.first == position { unplaced.removeFirst() }
        place(position)
        return true
    }

    private mutating func removeFirst() {
        guard let entry = entries.popFirst() else { return }
        bytes -= entry.bytes
        if everyone.first == first { everyone.removeFirst() }
        for room in Set(entry.options.rooms.map { Name($0) }) {
            if rooms[room]?.first == first { rooms[room]?.removeFirst() }
            if rooms[room]?.isEmpty ?? false { rooms[room] = nil }
        }
        if let offset = entry.packet.offset {
            if unnumbered[offset] == first { unnumbered[offset] = nil }
            if index[offset] == first { index[offset] = nil }
        }
        if unplaced.first == first { unplaced.removeFirst() }
        first += 1
    }

    /// A packet of this node is about to be written.
    package mutating func numbered(_ offset: MessageID, as number: UInt64, of origin: NodeIdentity) {
        guard !unnumbered.isEmpty, let position = unnumbered.removeValue(forKey: offset) else { return }
        entries[position - first].origin = origin
        entries[position - first].number = number
    }

    /// From where on the log has what a client may not have received from a dead node.
    ///
    /// Clients receive packets in the order of the stream, except that those emitted by their own node arrive earlier. So the last packet
    /// that a client received counts as a place in the stream only if none of the nodes that had its session can have emitted it.
    ///
    /// - Parameters:
    ///   - offset: What the client presented.
    ///   - owner: The node that had the session.
    ///   - isMoved: Whether other nodes had it before.
    /// - Returns: The mark; nil if the log does not reach back to it.
    package func mark(after offset: RecoveryOffset, of owner: NodeID, isMoved: Bool) -> Mark? {
        let position = offset.position.flatMap(placed)
        let last = placed(offset.id).flatMap { entry in
            let isForeign = entry.number == 0 || !isMoved && entry.origin?.id != owner
            return entry.origin != nil && isForeign ? entry : nil
        }
        guard let entry = [position, last].compactMap(\.self).max(by: { $0.place < $1.place }), entry.next >= first else { return nil }
        return Mark(position: entry.next, place: entry.place)
    }

    /// Whether the log reaches back to what a client presents.
    package func mayCover(_ offset: RecoveryOffset) -> Bool { (offset.position.flatMap(placed) ?? placed(offset.id)) != nil }

    private func placed(_ id: MessageID) -> Entry? {
        guard let position = index[id] else { return nil }
        let entry = entries[position - first]
        return entry.hasPlace && entry.place != Self.beforeAll ? entry : nil
    }

    /// What a session would have been given here since a mark and was not given where it was.
    ///
    /// - Returns: The packets in order, and the place up to which they go; nil if the log does not reach back to the mark.
    package func missed(by session: ClaimedSession, since mark: Mark) -> (packets: [BroadcastPacket], until: Mark)? {
        guard mark.position >= first else { return nil }
        return (select(session, from: mark.position, after: mark.place, on: nil), Mark(position: end))
    }

    /// What was delivered immediately on a loop after ``missed(by:since:)``, ahead of the session that was on its way there.
    package func overtook(_ session: ClaimedSession, since mark: Mark, on loop: any EventLoop) -> [BroadcastPacket]? {
        guard mark.position >= first else { return nil }
        return select(session, from: mark.position, after: mark.place, on: ObjectIdentifier(loop))
    }

    private func select(
        _ session: ClaimedSession,
        from position: Int,
        after place: UInt64,
        on loop: ObjectIdentifier?
    ) -> [BroadcastPacket] {
        var positions = Set(everyone.after(position))
        let state = session.state
        for room in state.rooms.union([state.id]) { if let found = rooms[Name(room)] { positions.formUnion(found.after(position)) } }
        guard !positions.isEmpty else { return [] }
        let known = Set(session.known)
        var selected: Set<MessageID> = []
        let floors = Dictionary(session.positions.map { ($0.origin, $0.number) }) { max($0, $1) }
        return positions.sorted().compactMap { position in
            let entry = entries[position - first]
            if entry.place <= place { return nil }
            if let loop, entry.loop != loop { return nil }
            if let origin = entry.origin, entry.number > 0, let floor = floors[origin], entry.number <= floor { return nil }
            guard let offset = entry.packet.offset, !known.contains(offset) else { return nil }
            guard !entry.options.except.contains(where: { $0 == session.state.id || session.state.rooms.contains($0) }) else { return nil }
            return selected.insert(offset).inserted ? entry.packet : nil
        }
    }
}

extension Deque<Int> {
    /// The ascending numbers from `position` on.
    fileprivate func after(_ position: Int) -> Slice<Deque<Int>> {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < position { low = middle + 1 } else { high = middle }
        }
        return self[low...]
    }
}
