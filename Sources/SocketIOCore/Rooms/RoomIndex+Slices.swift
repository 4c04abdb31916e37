// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import SocketIOText

/// Operations on many sockets or rooms, of which each turn of the event loop applies a part, so that one message cannot hold up the loop.
///
/// Others cannot see that: before a room is used, what the changes before have left to do for it is done for that room alone, which costs no
/// more than to send something to its members. The same holds for a socket that is asked for its rooms.
extension RoomIndex {
    /// A change of the rooms of many sockets.
    final class Change {
        enum Kind {
            case join, leave
        }

        fileprivate let kind: Kind
        fileprivate let members: [Member]
        fileprivate let rooms: [Name]
        /// The rooms that are not done.
        fileprivate var left: Set<Name>
        /// The next one to be done.
        fileprivate var next = (room: 0, member: 0)
        /// The member whose rooms have all been handled, since its rooms were requested.
        fileprivate var settled = Set<ObjectIdentifier>()
        /// Those concerned, once one of them was asked.
        fileprivate lazy var concerned = Set(members.map { ObjectIdentifier($0) })
        fileprivate var refusals: [RoomRefusal.Reason: RoomRefusal] = [:]
        fileprivate var waiters: [() -> Void] = []

        init(_ kind: Kind, _ members: [Member], _ rooms: [Name]) {
            self.kind = kind
            self.members = members
            self.rooms = rooms
            self.left = Set(rooms)
        }

        fileprivate var isDone: Bool { next.room >= rooms.count }

        /// The cost of keeping the change, in members.
        fileprivate var weight: Int { members.count + 16 * rooms.count }
    }

    /// The remaining work.
    struct Slices {
        fileprivate(set) var changes: Deque<Change> = []
        fileprivate var weight = 0
        fileprivate var leaving: Deque<(member: Member, closeConnection: Bool)> = []
        fileprivate var isScheduled = false
    }

    /// Steps that one turn of the loop takes: to put one socket into one room is one.
    private static var stepsPerSlice: Int { 1_000 }
    /// The cost of removing a socket in steps, without those for its rooms.
    private static var stepsPerEnd: Int { 10 }
    /// The most that changes which wait for their turn may weigh together.
    private static var maxWeight: Int { 1_000_000 }

    /// Whether all changes have been applied.
    var isSettled: Bool { slices.changes.isEmpty }

    // MARK: Starting

    /// Makes the selected sockets join or leave rooms.
    func change(_ kind: Change.Kind, _ options: BroadcastOptions, rooms: [Room]) {
        let members = selectedMembers(options)
        guard !members.isEmpty, !rooms.isEmpty else { return }
        let change = Change(kind, members, rooms.map { Name($0) })
        // Both are small, so the product cannot overflow.
        if max(members.count, rooms.count) <= Self.stepsPerSlice, members.count * rooms.count <= Self.stepsPerSlice {
            for name in change.rooms { settle(name) }
            _ = advance(change, steps: .max)
            return finished(change)
        }
        guard slices.weight + change.weight <= Self.maxWeight || slices.changes.isEmpty else {
            onRefusal?(RoomRefusal(reason: .tooManyChanges, count: 1))
            return
        }
        slices.weight += change.weight
        slices.changes.append(change)
        schedule()
    }

    /// Ends the selected sockets. They get nothing more through their rooms from here on.
    func disconnect(_ options: BroadcastOptions, closeConnection: Bool) {
        let members = selectedMembers(options)
        guard members.reduce(0, { $0 + steps(toEnd: $1) }) > Self.stepsPerSlice else {
            for member in members { member.socket.disconnect(closeConnection: closeConnection) }
            return
        }
        for member in members {
            member.presence = .leaving
            slices.leaving.append((member, closeConnection))
        }
        schedule()
    }

    private func schedule() {
        guard !slices.isScheduled else { return }
        slices.isScheduled = true
        onWork?(self)
    }

    // MARK: Working

    /// Does what one turn of the loop may take.
    ///
    /// - Returns: Whether there is more to do.
    func work() -> Bool {
        var steps = Self.stepsPerSlice
        while steps > 0, let change = slices.changes.first {
            steps -= advance(change, steps: steps)
            // Its hooks may have started others, but nothing else takes the first away.
            guard change.isDone else { continue }
            slices.changes.removeFirst()
            slices.weight -= change.weight
            finished(change)
        }
        while steps > 0, let (member, closeConnection) = slices.leaving.popFirst() {
            steps -= self.steps(toEnd: member)
            end(member, closeConnection: closeConnection)
        }
        slices.isScheduled = !slices.changes.isEmpty || !slices.leaving.isEmpty
        return slices.isScheduled
    }

    private func steps(toEnd member: Member) -> Int { Self.stepsPerEnd + member.memberships.count }

    private func end(_ member: Member, closeConnection: Bool) {
        guard member.isHere else { return }
        member.socket.disconnect(closeConnection: closeConnection)
        // It was not to be had yet.
        if member.isHere, member.presence == .leaving { member.presence = .present }
    }

    /// - Returns: The steps taken.
    private func advance(_ change: Change, steps: Int) -> Int {
        var taken = 0
        while taken < steps, !change.isDone {
            let name = change.rooms[change.next.room]
            guard change.left.contains(name), change.next.member < change.members.count else {
                change.left.remove(name)
                change.next = (change.next.room + 1, 0)
                taken += 1
                continue
            }
            let member = change.members[change.next.member]
            change.next.member += 1
            apply(change, to: member, name)
            taken += 1
        }
        return taken
    }

    private func apply(_ change: Change, to member: Member, _ name: Name) {
        guard change.settled.isEmpty || !change.settled.contains(ObjectIdentifier(member)) else { return }
        switch change.kind {
        case .leave: leave(member, room: name)
        case .join:
            guard case .refused(let reason) = join(member, room: name) else { return }
            change.refusals[reason, default: RoomRefusal(reason: reason, count: 0, socket: member.socket.id)].count += 1
        }
    }

    private func finished(_ change: Change) {
        for refusal in change.refusals.values { onRefusal?(refusal) }
        let waiters = change.waiters
        change.waiters = []
        for waiter in waiters { waiter() }
    }

    // MARK: Settling

    /// Calls `body` when the changes so far are applied.
    func whenSettled(_ body: @escaping () -> Void) {
        if let last = slices.changes.last { last.waiters.append(body) } else { body() }
    }

    /// Does what is left to do for a room.
    func settle(_ name: Name) { if !slices.changes.isEmpty { settleNow(name) } }

    /// Does what is left to do for these rooms.
    func settle(_ rooms: [Room], _ others: [Room]) {
        guard !slices.changes.isEmpty else { return }
        for room in rooms { settleNow(Name(room)) }
        for room in others { settleNow(Name(room)) }
    }

    private func settleNow(_ name: Name) {
        for change in slices.changes where change.left.contains(name) {
            change.left.remove(name)
            let isCurrent = !change.isDone && change.rooms[change.next.room] == name
            for member in change.members[(isCurrent ? change.next.member : 0)...] { apply(change, to: member, name) }
        }
    }

    /// Does what is left to do for a socket.
    func settle(_ member: Member) {
        guard !slices.changes.isEmpty else { return }
        for change in slices.changes where change.concerned.contains(ObjectIdentifier(member)) {
            for name in change.rooms where change.left.contains(name) { apply(change, to: member, name) }
            change.settled.insert(ObjectIdentifier(member))
        }
    }
}
