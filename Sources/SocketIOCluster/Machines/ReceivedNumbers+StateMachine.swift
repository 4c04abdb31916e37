// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore
import SocketIOText

/// Distinguishes new messages from repeated ones, and detects lost ones, by their numbers. No message is held back.
///
/// No message can make this node ignore its sender for longer than two heartbeats; see ``ReceivedSequence``.
package struct ReceivedNumbersStateMachine {
    /// The verdict on a message.
    package enum ReceiveAction: Hashable {
        /// It is new. This number of messages of its origin before it were lost.
        case deliver(missing: UInt64)
        /// It is new, and contradicts earlier messages: one of them is not from its origin.
        case contradict
        /// It was read before, or was abandoned and is too late.
        case drop
    }

    /// The verdict on a heartbeat.
    package struct Report: Hashable {
        /// Whether it is later than those before it.
        package var isFresh = true
        /// The number of lost messages.
        package var missing: UInt64 = 0
        /// Whether it contradicts earlier messages.
        package var isContradiction = false
    }

    private struct Lane {
        var lane: UInt8
        var all: ReceivedSequence?
        /// The numbers of messages for this node only.
        var targeted: ReceivedSequence?
        var beats = Beats()
    }

    private struct Origin {
        /// Lanes are few: a search beats a dictionary.
        var lanes: [Lane] = []
        /// When it was heard first and last.
        let since: NIODeadline
        var heard: NIODeadline
        /// Whether it was heard for longer than a moment; those that were not are forgotten first.
        var isKnown = false
        /// How often it was heard, up to a few times.
        var times: UInt64 = 0

        /// Those of the lowest rank are forgotten first. A node in its first moments was heard more than once, unlike most that are made
        /// up.
        var rank: UInt64 { heard.uptimeNanoseconds & (1 << 60 - 1) | times << 60 | (isKnown ? 1 << 63 : 0) }
    }

    private struct LaneOfNode: Hashable {
        var node: Name
        var lane: UInt8
    }

    /// The heartbeats of an origin in a lane, of which the counts only grow.
    private struct Beats {
        var last: UInt64?
        /// A count below the last, which is either older or genuine.
        var challenger: (beat: UInt64, at: NIODeadline)?

        /// Whether a heartbeat is later than those before it. Of a count that was forged, two heartbeats which are half an interval apart
        /// and count up are the proof.
        mutating func isFresh(_ beat: UInt64, mayRepeat: Bool, spacing: TimeAmount, now: NIODeadline) -> Bool {
            guard let last, beat <= last else {
                self.last = beat
                challenger = nil
                return true
            }
            guard beat < last, !mayRepeat else { return false }
            guard let before = challenger, beat > before.beat else {
                if challenger == nil { challenger = (beat, now) }
                return false
            }
            guard now - before.at >= spacing else { return false }
            self.last = beat
            challenger = nil
            return true
        }
    }

    /// Lanes of all origins that are remembered, for each origin that is.
    private static let lanesPerOrigin = 4

    private var origins: [NodeIdentity: Origin] = [:]
    private var laneCount = 0
    /// The latest epoch of each node in each lane.
    private var lives: [LaneOfNode: UInt64] = [:]
    /// Heartbeats of epochs that seem to have ended.
    private var revivals: [NodeIdentity: (beat: UInt64, at: NIODeadline)] = [:]
    /// Nodes that have sent messages in two epochs at the same time; those of all their epochs are processed.
    private var contested: [Name: NIODeadline] = [:]
    private let limit: Int
    private let retention: TimeAmount
    /// How far apart two heartbeats must be that prove something.
    private let spacing: TimeAmount

    /// - Parameters:
    ///   - limit: The number of origins that are remembered.
    ///   - retention: How long silent origins are remembered.
    ///   - interval: The interval of heartbeats.
    package init(limit: Int, retention: TimeAmount, interval: TimeAmount = .seconds(5)) {
        self.limit = max(1, limit)
        self.retention = retention
        self.spacing = .nanoseconds(interval.nanoseconds / 2)
    }

    /// The number of origins that are remembered.
    package var count: Int { origins.count }
    /// The number of all entries, for tests.
    package var entryCount: Int { laneCount + lives.count + revivals.count + contested.count }

    /// Whether the node has sent messages in two epochs at the same time.
    package func isContested(_ node: NodeID) -> Bool { !contested.isEmpty && contested[Name(node)] != nil }

    /// A numbered message has arrived.
    ///
    /// - Parameters:
    ///   - stamp: Its number.
    ///   - id: Its id, which distinguishes a repetition from another message with the same number.
    ///   - origin: The sender.
    ///   - targeted: Whether it is for this node only.
    ///   - mayRepeat: Whether the stream may repeat messages.
    ///   - now: The time.
    package mutating func receive(
        _ stamp: NumberStamp,
        id: MessageID? = nil,
        from origin: NodeIdentity,
        targeted: Bool,
        mayRepeat: Bool = true,
        now: NIODeadline
    ) -> ReceiveAction {
        guard !isOver(origin, lane: stamp.lane) else { return .drop }
        return update(stamp.lane, of: origin, now: now) { lane in
            let sequence = targeted ? \Lane.targeted : \Lane.all
            // Of those who send no heartbeats, such as emitters, nothing else could say where their numbers are.
            let trustsNumber = lane.beats.last != nil || mayRepeat
            if let action = lane[keyPath: sequence]?.receive(stamp, id: id, trustsNumber: trustsNumber, mayRepeat: mayRepeat) {
                return action
            }
            lane[keyPath: sequence] = ReceivedSequence(stamp.number, id: id)
            return .deliver(missing: 0)
        }
    }

    /// A heartbeat has arrived.
    ///
    /// - Parameters:
    ///   - beat: Its count, which is 0 in formats that do not count.
    ///   - lane: The lane that it was written through.
    ///   - origin: The sender.
    ///   - mayRepeat: Whether the stream may repeat messages.
    ///   - now: The time.
    package mutating func beat(_ beat: UInt64, lane: UInt8, of origin: NodeIdentity, mayRepeat: Bool, now: NIODeadline) -> Report {
        guard beat > 0 else { return Report() }
        guard !isOver(origin, lane: lane) else { return revive(beat, origin, mayRepeat: mayRepeat, now: now) }
        let spacing = spacing
        let isFresh = update(lane, of: origin, now: now) {
            $0.beats.isFresh(beat, mayRepeat: mayRepeat, spacing: spacing, now: now)
        }
        return Report(isFresh: isFresh)
    }

    /// An epoch that seems to have ended has sent a heartbeat. A late heartbeat arrives once; an epoch that sends another one later is
    /// alive.
    private mutating func revive(_ beat: UInt64, _ origin: NodeIdentity, mayRepeat: Bool, now: NIODeadline) -> Report {
        guard !mayRepeat else { return Report(isFresh: false) }
        guard let before = revivals[origin] else {
            if revivals.count >= limit { revivals.removeAll() }
            revivals[origin] = (beat, now)
            return Report(isFresh: false)
        }
        guard beat > before.beat, now - before.at >= spacing else { return Report(isFresh: false) }
        revivals[origin] = nil
        if contested.count >= limit { contested.removeAll() }
        contested[Name(origin.id)] = now
        return Report(isFresh: true, isContradiction: true)
    }

    /// A heartbeat has reported the number of the origin's last message.
    package mutating func position(
        _ stamp: NumberStamp,
        of origin: NodeIdentity,
        targeted: Bool,
        isFresh: Bool = true,
        now: NIODeadline
    ) -> Report {
        update(stamp.lane, of: origin, now: now) { lane in
            let sequence = targeted ? \Lane.targeted : \Lane.all
            guard let (missing, isContradiction) = lane[keyPath: sequence]?.report(stamp, isFresh: isFresh) else {
                lane[keyPath: sequence] = ReceivedSequence(stamp.number)
                return Report(isFresh: isFresh)
            }
            return Report(isFresh: isFresh, missing: missing, isContradiction: isContradiction)
        }
    }

    /// The last numbers of all origins in a lane, of messages for all.
    package func positions(lane: UInt8) -> [ClaimedSession.OriginPosition] {
        origins.compactMap { identity, origin in
            origin.lanes.first { $0.lane == lane }?.all.map { .init(origin: identity, number: $0.last) }
        }
    }

    /// The last number of an origin's messages; nil if none is known.
    package func lastNumber(of origin: NodeIdentity, lane: UInt8, targeted: Bool = false) -> UInt64? {
        let found = origins[origin]?.lanes.first { $0.lane == lane }
        return (targeted ? found?.targeted : found?.all)?.last
    }

    // MARK: Lives

    /// Whether a later epoch of the node, after a suspension, was heard in the lane: messages of this one were abandoned and are too late.
    private mutating func isOver(_ identity: NodeIdentity, lane: UInt8) -> Bool {
        let key = LaneOfNode(node: Name(identity.id), lane: lane)
        guard let latest = lives[key] else {
            // Forgetting them lets too much through, never too little.
            if lives.count >= Self.lanesPerOrigin * limit { lives.removeAll() }
            lives[key] = identity.epoch
            return false
        }
        guard latest != identity.epoch, !isContested(identity.id) else { return false }
        if identity.isBefore(NodeIdentity(id: identity.id, epoch: latest)) { return true }
        lives[key] = identity.epoch
        return false
    }

    // MARK: What is remembered

    private mutating func update<Result>(
        _ lane: UInt8,
        of identity: NodeIdentity,
        now: NIODeadline,
        _ body: (inout Lane) -> Result
    ) -> Result {
        // Taken out and put back, so that it is changed in place.
        let known = origins.removeValue(forKey: identity)
        let isKnown = known != nil
        var origin = known ?? Origin(since: now, heard: now)
        origin.heard = now
        origin.times = min(origin.times + 1, 7)
        // One document is enough to be looked at several times.
        if !origin.isKnown, now - origin.since >= spacing { origin.isKnown = true }
        if let index = origin.lanes.firstIndex(where: { $0.lane == lane }) {
            defer { origins[identity] = origin }
            return body(&origin.lanes[index])
        }
        makeRoom(forNew: !isKnown)
        var entry = Lane(lane: lane)
        let result = body(&entry)
        origin.lanes.append(entry)
        laneCount += 1
        origins[identity] = origin
        return result
    }

    /// Forgets origins that have been silent for long.
    package mutating func expire(now: NIODeadline) {
        let oldest = now - retention
        if contested.contains(where: { $0.value < oldest }) { contested = contested.filter { $0.value >= oldest } }
        if revivals.contains(where: { $0.value.at < oldest }) { revivals = revivals.filter { $0.value.at >= oldest } }
        guard origins.contains(where: { $0.value.heard < oldest }) else { return }
        keep(origins.filter { $0.value.heard >= oldest })
    }

    /// An origin that is forgotten gets a new baseline with its next message. Those that were heard for a moment go first: made-up ones
    /// are.
    private mutating func makeRoom(forNew isNew: Bool) {
        guard isNew && origins.count >= limit || laneCount >= Self.lanesPerOrigin * limit else { return }
        let ranks = origins.values.map(\.rank).sorted()
        let passing = ranks.prefix { $0 >> 63 == 0 }.count
        // Many at once, since it takes a look at all of them; but few of those that may matter.
        let count = max(1, limit / 64, min(passing, limit / 8))
        guard count <= ranks.count else { return }
        let last = ranks[count - 1]
        var left = count
        keep(
            origins.filter { _, origin in
                guard left > 0, origin.rank <= last else { return true }
                left -= 1
                return false
            }
        )
    }

    private mutating func keep(_ left: [NodeIdentity: Origin]) {
        laneCount -= origins.values.reduce(0) { $0 + $1.lanes.count } - left.values.reduce(0) { $0 + $1.lanes.count }
        origins = left
        let nodes = Set(left.keys.map { Name($0.id) })
        lives = lives.filter { nodes.contains($0.key.node) }
    }
}
