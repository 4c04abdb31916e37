package import NIOCore

/// Tells new messages from repeated ones, and notices lost ones, by their numbers. Nothing is held back.
package struct ReceivedNumbersStateMachine {
    /// What to do with a message.
    package enum ReceiveAction: Hashable {
        /// It is new. So many messages of its origin before it were lost.
        case deliver(missing: UInt64)
        /// It was here before, or was given up and comes too late.
        case drop
    }

    private struct Key: Hashable {
        var lane: UInt8
        /// Whether the numbers are those of messages for this node only.
        var isTargeted: Bool
    }

    private struct Origin {
        /// Lanes are few: a search beats a dictionary.
        var last: [(key: Key, number: UInt64)] = []
        var heard: NIODeadline
    }

    private struct LaneOfNode: Hashable {
        var node: NodeID
        var lane: UInt8
    }

    private var origins: [NodeIdentity: Origin] = [:]
    /// The latest life of a node that was heard in a lane.
    private var lives: [LaneOfNode: UInt64] = [:]
    private let limit: Int
    private let retention: TimeAmount

    package init(limit: Int, retention: TimeAmount) {
        self.limit = limit
        self.retention = retention
    }

    /// The number of origins that are remembered.
    package var count: Int { origins.count }

    /// A numbered message has come.
    package mutating func receive(_ stamp: NumberStamp, from origin: NodeIdentity, targeted: Bool, now: NIODeadline) -> ReceiveAction {
        advance(stamp, from: origin, targeted: targeted, now: now).map { .deliver(missing: $0) } ?? .drop
    }

    /// A heartbeat has told the number of the origin's last message.
    ///
    /// - Returns: How many messages were lost.
    package mutating func position(_ stamp: NumberStamp, of origin: NodeIdentity, targeted: Bool, now: NIODeadline) -> UInt64 {
        // A heartbeat's number stands for a message that came before it: if it is news, it is itself missing unless void.
        let key = Key(lane: stamp.lane, isTargeted: targeted)
        guard let last = last(key, of: origin) else {
            set(stamp.number, key, of: origin, now: now)
            return 0
        }
        guard stamp.number > last else {
            // It is alive, however little it has to say.
            origins[origin]?.heard = now
            return 0
        }
        set(stamp.number, key, of: origin, now: now)
        return stamp.void.missing(in: (last + 1)...stamp.number)
    }

    /// The last numbers of all origins in a lane, of messages for all.
    package func positions(lane: UInt8) -> [ClaimedSession.OriginPosition] {
        let key = Key(lane: lane, isTargeted: false)
        return origins.compactMap { identity, origin in
            origin.last.first { $0.key == key }.map { .init(origin: identity, number: $0.number) }
        }
    }

    /// The last number of an origin's messages for all; nil if nothing is known of them.
    package func lastNumber(of origin: NodeIdentity, lane: UInt8) -> UInt64? {
        last(Key(lane: lane, isTargeted: false), of: origin)
    }

    /// Forgets origins of which nothing has been heard for long.
    package mutating func expire(now: NIODeadline) {
        let oldest = now - retention
        guard origins.contains(where: { $0.value.heard < oldest }) else { return }
        origins = origins.filter { $0.value.heard >= oldest }
        let nodes = Set(origins.keys.map(\.id))
        lives = lives.filter { nodes.contains($0.key.node) }
    }

    /// Whether a later life of the node, after a pause, was heard in the lane: what comes of this one was given up and is too late.
    private mutating func isOver(_ identity: NodeIdentity, lane: UInt8) -> Bool {
        let key = LaneOfNode(node: identity.id, lane: lane)
        guard let latest = lives[key], latest != identity.epoch else {
            lives[key] = identity.epoch
            return false
        }
        if identity.isBefore(NodeIdentity(id: identity.id, epoch: latest)) { return true }
        lives[key] = identity.epoch
        return false
    }

    private mutating func advance(_ stamp: NumberStamp, from origin: NodeIdentity, targeted: Bool, now: NIODeadline) -> UInt64? {
        let key = Key(lane: stamp.lane, isTargeted: targeted)
        guard !isOver(origin, lane: stamp.lane) else { return nil }
        guard let last = last(key, of: origin) else {
            set(stamp.number, key, of: origin, now: now)
            return 0
        }
        guard stamp.number > last else { return nil }
        set(stamp.number, key, of: origin, now: now)
        return stamp.number == last + 1 ? 0 : stamp.void.missing(in: (last + 1)...(stamp.number - 1))
    }

    private func last(_ key: Key, of origin: NodeIdentity) -> UInt64? {
        origins[origin]?.last.first { $0.key == key }?.number
    }

    private mutating func set(_ number: UInt64, _ key: Key, of identity: NodeIdentity, now: NIODeadline) {
        if origins[identity] == nil { makeRoom() }
        var origin = origins.removeValue(forKey: identity) ?? Origin(heard: now)
        origin.heard = now
        if let index = origin.last.firstIndex(where: { $0.key == key }) {
            origin.last[index].number = number
        } else if origin.last.count < 2 * 256 {
            origin.last.append((key, number))
        }
        origins[identity] = origin
    }

    private mutating func makeRoom() {
        guard origins.count >= limit, let oldest = origins.min(by: { $0.value.heard < $1.value.heard }) else { return }
        origins[oldest.key] = nil
    }
}
