// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import SocketIOCore
import SocketIOText

/// The messages of a lane that wait to be written, and those whose senders wait for room.
///
/// They are written in the order in which they came. Only in a lane with a pace do some precede the broadcasts that it delays: heartbeats,
/// answers, and requests that ask for nothing which a waiting command changes.
struct WaitingMessages {
    struct Item {
        var message: Outgoing
        var bytes: Int
        /// Its place in the order of the lane, from 1; 0 if others may precede it, or it them.
        var place: UInt64
        var kind: ClusterMessageKind { message.body.kind }
    }

    /// What became of a message.
    enum Admission {
        case placed
        case waits
        case dropped
        case refused(ClusterError)
    }

    private let limits: ClusterConfiguration
    private let hasPace: Bool
    private var room: LaneRoom
    private var queue: Deque<Item> = []
    /// Messages that pacing does not delay.
    private var ahead: Deque<Item> = []
    /// Messages of senders that wait because the queue is full, in order.
    private var overflow: Deque<Item> = []
    private var memberships = 0
    /// Answers to other nodes, for which no sender waits: a full queue cannot suspend one.
    private var answers = 0
    private var answerBytes = 0
    /// Messages that are not broadcasts, behind which requests stay.
    private var commands = 0
    /// No message expires before this time.
    private var earliestDeadline = NIODeadline.distantFuture
    /// What senders learn whose messages have left the overflow.
    private var admitted: [SettledWrite] = []
    /// Tickets of messages that were withdrawn.
    private var withdrawn: Set<UInt64> = []
    /// The last place that was given.
    private(set) var lastPlace: UInt64 = 0

    init(_ limits: ClusterConfiguration) {
        self.limits = limits
        self.hasPace = limits.pacing != nil && limits.pacing != .unlimited
        self.room = LaneRoom(limits)
    }

    var isEmpty: Bool { queue.isEmpty && ahead.isEmpty && overflow.isEmpty }
    /// Whether none can be written.
    var hasNothingToWrite: Bool { queue.isEmpty && ahead.isEmpty }
    /// All, those of suspended senders included.
    var count: Int { queue.count + ahead.count + overflow.count }
    var hasMembership: Bool { memberships > 0 }
    /// When ``expire(now:)`` must be called at the latest.
    var nextDeadline: NIODeadline? { isEmpty ? nil : earliestDeadline }

    /// The lowest place of those that wait; nil if there is none.
    var firstPlace: UInt64? {
        let first = queue.first { $0.place > 0 }?.place
        return first ?? overflow.first { $0.place > 0 }?.place
    }

    // MARK: Adding

    /// Adds a message, which then has its place or waits for room.
    mutating func add(_ message: Outgoing, _ bytes: Int) -> Admission {
        let kind = message.body.kind
        if let error = refusal(of: kind, bytes) { return .refused(error) }
        if hasPace, mayPrecede(kind) {
            insert(Item(message: message, bytes: bytes, place: 0), isAhead: true)
            return .placed
        }
        // Messages about membership are never delayed.
        guard kind.isMembership || (overflow.isEmpty && room.fits(bytes, message.certainty)) else {
            if message.certainty == .volatile { return .dropped }
            let item = makeItem(message, bytes)
            count(item, 1)
            overflow.append(item)
            return .waits
        }
        insert(makeItem(message, bytes), isAhead: false)
        return .placed
    }

    private mutating func makeItem(_ message: Outgoing, _ bytes: Int) -> Item {
        guard !message.body.kind.isMembership else { return Item(message: message, bytes: bytes, place: 0) }
        lastPlace += 1
        return Item(message: message, bytes: bytes, place: lastPlace)
    }

    private mutating func insert(_ item: Item, isAhead: Bool) {
        var item = item
        count(item, 1)
        // Its sender learns it from what `add` returns.
        _ = item.message.accept()
        guard !isAhead else { return ahead.append(item) }
        room.add(item.bytes, item.message.certainty)
        queue.append(item)
    }

    /// A session's new node must not get it before what it has got.
    private func mayPrecede(_ kind: ClusterMessageKind) -> Bool {
        switch kind {
        case .heartbeat, .initialHeartbeat: true
        case .fetchSockets, .rooms, .serverSideEmitWithAck: commands == 0
        default: kind.isAnswer && kind != .sessionAnswer
        }
    }

    /// The error for an answer or a heartbeat if too many of them are queued. Error answers get twice the room: they are small, and each
    /// ends its request.
    private func refusal(of kind: ClusterMessageKind, _ bytes: Int) -> ClusterError? {
        if kind.isAnswer {
            let isError = kind == .errorAnswer
            let fits = isError || answerBytes + bytes <= max(limits.maximumQueuedBytes, bytes)
            guard !fits || answers >= limits.maximumQueuedMessages * (isError ? 2 : 1) else { return nil }
            return ClusterError(.notSent, "\(answers) answers wait to be written already; check that the backend can be reached")
        }
        guard kind.isMembership, memberships >= 2 * limits.maximumNodes + 2 else { return nil }
        return ClusterError(.notSent, "too many heartbeats wait to be written")
    }

    /// Counts a message that waits, or does not any more.
    private mutating func count(_ item: Item, _ change: Int) {
        let kind = item.kind
        if change > 0 { earliestDeadline = min(earliestDeadline, item.message.deadline) }
        if kind.isMembership {
            memberships += change
        } else if kind.isAnswer {
            answers += change
            answerBytes += change * item.bytes
        } else if item.place > 0, !kind.isBroadcast {
            commands += change
        }
    }

    private mutating func admitOverflow() {
        while let first = overflow.first, room.fits(first.bytes, first.message.certainty) {
            var item = overflow.removeFirst()
            if let accepted = item.message.accept() { admitted.append(accepted) }
            room.add(item.bytes, item.message.certainty)
            queue.append(item)
        }
    }

    /// What senders learn whose messages have found room.
    mutating func takeAdmitted() -> [SettledWrite] {
        guard !admitted.isEmpty else { return [] }
        defer { admitted = [] }
        return admitted
    }

    // MARK: Removing

    /// The next message to be written.
    ///
    /// - Parameter inOrder: Whether those that may precede others are left out.
    func first(inOrder: Bool) -> Item? { inOrder || ahead.isEmpty ? queue.first : ahead.first }

    /// Removes the message that ``first(inOrder:)`` returns.
    ///
    /// - Returns: Whether it is still to be written.
    mutating func removeFirst(inOrder: Bool) -> Bool {
        guard let item = inOrder || ahead.isEmpty ? popQueued() : ahead.popFirst() else { return false }
        count(item, -1)
        return !wasWithdrawn(item.message.ticket)
    }

    private mutating func popQueued() -> Item? {
        guard let item = queue.popFirst() else { return nil }
        room.remove(item.bytes, item.message.certainty)
        return item
    }

    /// Messages have been removed: others find room.
    mutating func fill() { if !overflow.isEmpty { admitOverflow() } }

    /// The sender no longer waits for the fate of a message, which will not be written.
    mutating func withdraw(_ ticket: UInt64) { withdrawn.insert(ticket) }

    /// Whether a message that waited was withdrawn; it is forgotten with this.
    private mutating func wasWithdrawn(_ ticket: UInt64?) -> Bool {
        guard !withdrawn.isEmpty, let ticket else { return false }
        return withdrawn.remove(ticket) != nil
    }

    /// Removes expired and withdrawn messages, wherever they are.
    ///
    /// - Returns: The expired ones.
    mutating func expire(now: NIODeadline) -> [Outgoing] {
        guard earliestDeadline <= now else { return [] }
        earliestDeadline = .distantFuture
        var late: [Outgoing] = []
        ahead = sweep(ahead, now: now, into: &late)
        queue = sweep(queue, now: now, into: &late) { room, item in room.remove(item.bytes, item.message.certainty) }
        overflow = sweep(overflow, now: now, into: &late)
        admitOverflow()
        return late
    }

    private mutating func sweep(
        _ items: Deque<Item>,
        now: NIODeadline,
        into late: inout [Outgoing],
        _ leave: (inout LaneRoom, Item) -> Void = { _, _ in }
    ) -> Deque<Item> {
        var rest: Deque<Item> = []
        for item in items {
            let isWithdrawn = wasWithdrawn(item.message.ticket)
            if isWithdrawn || item.message.deadline <= now {
                count(item, -1)
                leave(&room, item)
                if !isWithdrawn { late.append(item.message) }
            } else {
                earliestDeadline = min(earliestDeadline, item.message.deadline)
                rest.append(item)
            }
        }
        return rest
    }

    /// Removes all messages.
    ///
    /// - Returns: Those that were not withdrawn, in order.
    mutating func removeAll() -> [Outgoing] {
        var rest: [Outgoing] = []
        for item in ahead + queue + overflow where !wasWithdrawn(item.message.ticket) { rest.append(item.message) }
        let place = lastPlace
        self = WaitingMessages(limits)
        lastPlace = place
        return rest
    }

    /// The ids of the broadcasts of a namespace.
    func broadcasts(of namespace: String) -> [MessageID] {
        (queue + overflow).compactMap { item in
            item.kind == .broadcast && item.message.namespace == namespace ? item.message.id : nil
        }
    }
}

extension ClusterMessageKind {
    /// Whether clients get the message.
    var isBroadcast: Bool { self == .broadcast || self == .broadcastWithAck }
}
