// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The rooms of one namespace on one event loop.
///
/// A broadcast walks an array of members; joining and leaving cost the same whatever the number of members, and of the socket's rooms.
/// Changes of many sockets or rooms are applied in slices, see `RoomIndex+Slices.swift`.
final class RoomIndex {
    /// A socket and the rooms it is in.
    final class Member {
        /// Replaced when the socket is parked for recovery.
        fileprivate(set) var socket: any LocalSocket
        /// Ordered: a walk meets those up to a limit.
        enum Presence: UInt8 {
            case present
            /// The client is disconnected and may reconnect.
            case parked
            /// The socket's end is under way; it gets nothing more.
            case leaving
        }

        var presence = Presence.present
        fileprivate(set) var memberships: [Membership] = []
        /// Where the membership of a room is among ``memberships``, once there are more than a search should look at.
        fileprivate var places: [ObjectIdentifier: Int]?
        fileprivate var positionInEveryone = 0
        /// The last selection that met this member, so that no selection meets it twice.
        fileprivate var mark: UInt64 = 0

        /// The private session id, if the session can be recovered.
        fileprivate let pid: String?

        fileprivate init(socket: any LocalSocket, pid: String?) {
            self.socket = socket
            self.pid = pid
        }

        /// Whether the client is disconnected and may reconnect.
        var isParked: Bool { presence == .parked }

        /// Whether it is still in the index.
        var isHere: Bool { positionInEveryone >= 0 }

        /// The most memberships that are searched one after the other. Most sockets have fewer, and need no memory for an index.
        private static let searched = 8

        fileprivate func place(of room: RoomMembers) -> Int? {
            if let places { return places[ObjectIdentifier(room)] }
            return memberships.firstIndex { $0.room === room }
        }

        fileprivate func append(_ membership: Membership) {
            memberships.append(membership)
            if places != nil {
                places?[ObjectIdentifier(membership.room)] = memberships.count - 1
            } else if memberships.count > Self.searched {
                var places: [ObjectIdentifier: Int] = [:]
                for (place, membership) in memberships.enumerated() { places[ObjectIdentifier(membership.room)] = place }
                self.places = places
            }
        }

        fileprivate func removeMembership(at place: Int) -> Membership {
            let membership = memberships[place]
            memberships.swapAt(place, memberships.count - 1)
            memberships.removeLast()
            if place < memberships.count { places?[ObjectIdentifier(memberships[place].room)] = place }
            places?[ObjectIdentifier(membership.room)] = nil
            if memberships.count <= Self.searched / 2 { places = nil }
            return membership
        }
    }

    /// The tie between a member and a room.
    final class Membership {
        // Unchecked references, for the walk of a broadcast: a membership is detached before its member or room goes.
        unowned(unsafe) let member: Member
        unowned(unsafe) let room: RoomMembers
        fileprivate var position: Int

        fileprivate init(member: Member, room: RoomMembers, position: Int) {
            self.member = member
            self.room = room
            self.position = position
        }
    }

    /// The members of a room.
    final class RoomMembers {
        let key: Name
        fileprivate(set) var memberships: ContiguousArray<Membership> = []
        /// The members that are not parked.
        fileprivate(set) var present = 0
        /// The last selection that met this room, so that one that names it often meets it once.
        fileprivate var mark: UInt64 = 0

        fileprivate init(key: Name) { self.key = key }

        var name: Room { key.text }
    }

    /// The outcome of an attempt to join a room.
    enum Joining: Hashable {
        case joined
        /// The socket was in it, or is not here.
        case unchanged
        case refused(RoomRefusal.Reason)
    }

    let limits: RoomLimits
    private(set) var members: [Name: Member] = [:]
    /// The sockets whose session can be recovered, by private session id.
    private var sessions: [Name: Name] = [:]
    private var everyone: ContiguousArray<Member> = []
    private var rooms: [Name: RoomMembers] = [:]
    /// The remaining parts of operations that are applied in slices, in their order.
    var slices = Slices()
    private var lastMark: UInt64 = 0
    private var parked = 0
    private var walks = 0
    /// Members that were removed while members are being walked: the walk holds no references to them.
    private var departed: [Member] = []
    /// Called for every change of a room, in order.
    var onEvent: ((RoomEvent) -> Void)?
    /// Called when the number of rooms changes, those of single sockets left out.
    var onRoomCount: ((Int) -> Void)?
    /// Called when a recoverable session is added, changes its rooms or is removed.
    var onSession: ((SessionEvent) -> Void)?
    /// Called when sockets were not put into rooms because of a limit.
    var onRefusal: ((RoomRefusal) -> Void)?
    /// Called when there is work that ``work()`` has to be called for.
    var onWork: ((RoomIndex) -> Void)?
    /// The position of this loop in the messages for the whole cluster; see ``RecoveryOffset``.
    var position: MessageID?

    init(limits: RoomLimits = .init()) { self.limits = limits }

    /// The number of sockets that are not parked.
    var count: Int { everyone.count - parked }

    /// The number of rooms with members, without the sockets' own.
    var roomCount: Int { rooms.count }

    // MARK: Membership

    /// Adds a socket, which is then in its own room. Does nothing if the id is taken.
    @discardableResult
    func add(_ socket: any LocalSocket, pid: String? = nil) -> Bool {
        let id = socket.id
        let key = Name(id)
        guard members[key] == nil else { return false }
        let member = Member(socket: socket, pid: pid)
        if let pid { sessions[Name(pid)] = key }
        member.positionInEveryone = everyone.count
        everyone.append(member)
        members[key] = member
        onEvent?(.create(room: id))
        onEvent?(.join(room: id, socket: id))
        if let pid { onSession?(.added(pid: pid, position: position)) }
        return true
    }

    /// Removes a socket from all its rooms. `socket` must be the one that was added: a later one of the same id stays.
    func remove(_ id: SocketID, ifOwnedBy socket: (any LocalSocket)? = nil) {
        let key = Name(id)
        guard let member = members[key], socket == nil || member.socket === socket else { return }
        if walks > 0 { departed.append(member) }
        let wasPresent = !member.isParked
        member.places = nil
        while let last = member.memberships.popLast() { detach(last, reportingLeave: wasPresent) }
        removeFromEveryone(member)
        members[key] = nil
        if let pid = member.pid {
            sessions[Name(pid)] = nil
            onSession?(.removed(pid: pid))
        }
        if member.isParked { parked -= 1 }
        if wasPresent { reportOwnRoomLeft(id) }
    }

    private func reportOwnRoomLeft(_ id: SocketID) {
        onEvent?(.leave(room: id, socket: id))
        onEvent?(.delete(room: id))
    }

    private func removeFromEveryone(_ member: Member) {
        let position = member.positionInEveryone
        member.positionInEveryone = -1
        guard let last = everyone.popLast(), last !== member else { return }
        everyone[position] = last
        last.positionInEveryone = position
    }

    /// Puts a socket into a room. Does nothing if it is in it, or not in the namespace.
    @discardableResult
    func join(_ id: SocketID, room name: Room) -> Joining {
        guard let member = members[Name(id)] else { return .unchanged }
        let name = Name(name)
        settle(name)
        return join(member, room: name)
    }

    func join(_ member: Member, room name: Name) -> Joining {
        guard member.isHere else { return .unchanged }
        let existing = rooms[name]
        if let existing, member.place(of: existing) != nil { return .unchanged }
        // No name of a room that there is has to be looked at again.
        guard existing != nil || limits.allow(name.text) else { return .refused(.nameTooLong) }
        guard name != Name(member.socket.id) else { return .unchanged }
        guard member.memberships.count < limits.perSocket else { return .refused(.socketIsFull) }
        let room = existing ?? create(name)
        // Those who are away have left as far as others can see.
        if !member.isParked, room.present == 0, members[name] == nil { onEvent?(.create(room: name.text)) }
        let membership = Membership(member: member, room: room, position: room.memberships.count)
        room.memberships.append(membership)
        member.append(membership)
        changed(member)
        guard !member.isParked else { return .joined }
        room.present += 1
        onEvent?(.join(room: name.text, socket: member.socket.id))
        return .joined
    }

    private func create(_ name: Name) -> RoomMembers {
        let room = RoomMembers(key: name)
        rooms[name] = room
        onRoomCount?(1)
        return room
    }

    /// Takes a socket out of a room. A socket cannot leave its own room.
    func leave(_ id: SocketID, room name: Room) {
        guard let member = members[Name(id)] else { return }
        let name = Name(name)
        settle(name)
        leave(member, room: name)
    }

    func leave(_ member: Member, room name: Name) {
        guard let room = rooms[name], let place = member.place(of: room) else { return }
        detach(member.removeMembership(at: place), reportingLeave: !member.isParked)
        changed(member)
    }

    private func changed(_ member: Member) {
        if let onSession, let pid = member.pid { onSession(.changed(pid: pid)) }
    }

    private func detach(_ membership: Membership, reportingLeave: Bool) {
        let room = membership.room
        let position = membership.position
        if let last = room.memberships.popLast(), last !== membership {
            room.memberships[position] = last
            last.position = position
        }
        if reportingLeave { reportLeave(membership.member, from: room) }
        if room.memberships.isEmpty {
            rooms[room.key] = nil
            onRoomCount?(-1)
        }
    }

    private func reportLeave(_ member: Member, from room: RoomMembers) {
        room.present -= 1
        onEvent?(.leave(room: room.name, socket: member.socket.id))
        if room.present == 0, members[room.key] == nil { onEvent?(.delete(room: room.name)) }
    }

    /// Replaces a socket whose client is away. It keeps receiving broadcasts for its rooms, and takes part in nothing else.
    ///
    /// - Parameters:
    ///   - socket: The socket that was added.
    ///   - stand: Takes the socket's place and has the same id.
    /// - Returns: Whether the socket was there.
    func park(_ socket: any LocalSocket, as stand: any LocalSocket) -> Bool {
        // A member that is being removed does not return.
        guard let member = members[Name(socket.id)], member.socket === socket, member.presence == .present else { return false }
        member.socket = stand
        member.presence = .parked
        parked += 1
        for membership in member.memberships { reportLeave(member, from: membership.room) }
        reportOwnRoomLeft(stand.id)
        return true
    }

    // MARK: Queries

    /// The number of sockets whose client is away.
    var parkedCount: Int { parked }

    /// The member whose session has this private id.
    func member(pid: String) -> Member? { sessions[Name(pid)].flatMap { members[$0] } }

    /// The member of this id, parked or not.
    func member(_ id: SocketID) -> Member? { members[Name(id)] }

    /// The rooms of a socket, its own included; empty if it is not there.
    func rooms(of id: SocketID) -> NameSet {
        guard let member = members[Name(id)] else { return [] }
        settle(member)
        // A loop, because the initializer that takes any sequence is not specialised here.
        var rooms = Set<Name>(minimumCapacity: member.memberships.count + 1)
        for membership in member.memberships { rooms.insert(membership.room.key) }
        rooms.insert(Name(id))
        return NameSet(names: rooms)
    }

    /// All rooms that a socket which is present is in, the sockets' own included.
    func roomNames() -> NameSet {
        var names = NameSet()
        for room in rooms.values where room.present > 0 { names.insert(room.name) }
        for member in everyone where !member.isParked { names.insert(member.socket.id) }
        return names
    }

    // MARK: Selection

    /// Meets every selected member once.
    ///
    /// - Parameters:
    ///   - rooms: Rooms whose members are selected; all if empty.
    ///   - except: Rooms whose members are left out.
    ///   - includingParked: Whether members whose client is away are met.
    ///   - body: Called for each member; one that leaves meanwhile may still be included.
    func forEach(rooms names: [Room], except: [Room], includingParked: Bool = false, _ body: (Member) -> Void) {
        settle(names, except)
        // The marks are those of the walk that goes on.
        guard walks == 0 else { return forEachNested(rooms: names, except: except, includingParked: includingParked, body) }
        lastMark += 1
        let mark = lastMark
        let limit = includingParked ? Member.Presence.parked.rawValue : Member.Presence.present.rawValue
        walks += 1
        defer { walkEnded() }
        for name in except { forEachMember(of: Name(name), mark) { $0.mark = mark } }
        if names.isEmpty {
            for member in everyone where member.mark != mark && member.presence.rawValue <= limit { body(member) }
            return
        }
        for name in names {
            forEachMember(of: Name(name), mark) { member in
                guard member.mark != mark, member.presence.rawValue <= limit else { return }
                member.mark = mark
                body(member)
            }
        }
    }

    /// The same from within a walk, as when what is sent to one socket makes it send to others.
    private func forEachNested(rooms names: [Room], except: [Room], includingParked: Bool, _ body: (Member) -> Void) {
        var met = Set<ObjectIdentifier>()
        var selected: [Member] = []
        let limit = includingParked ? Member.Presence.parked.rawValue : Member.Presence.present.rawValue
        for name in Self.distinct(except) { forEachMember(of: name, nil) { met.insert(ObjectIdentifier($0)) } }
        let meet = { (member: Member) in
            guard member.presence.rawValue <= limit, met.insert(ObjectIdentifier(member)).inserted else { return }
            selected.append(member)
        }
        if names.isEmpty { everyone.forEach(meet) } else { for name in Self.distinct(names) { forEachMember(of: name, nil, meet) } }
        for member in selected { body(member) }
    }

    /// The names in their order, each once.
    private static func distinct(_ names: [Room]) -> [Name] {
        var met = Set<Name>()
        return names.lazy.map { Name($0) }.filter { met.insert($0).inserted }
    }

    private func walkEnded() {
        walks -= 1
        if walks == 0, !departed.isEmpty { departed = [] }
    }

    /// - Parameter mark: That of the walk, which meets each room once; nil if it has none.
    private func forEachMember(of name: Name, _ mark: UInt64?, _ body: (Member) -> Void) {
        if let room = rooms[name], mark == nil || room.mark != mark {
            if let mark { room.mark = mark }
            for membership in room.memberships { body(membership.member) }
        }
        if let own = members[name] { body(own) }
    }

    /// The selected sockets.
    func selected(_ options: BroadcastOptions) -> [any LocalSocket] { selectedMembers(options).map(\.socket) }

    /// The selected members, for operations that change rooms or end sockets.
    func selectedMembers(_ options: BroadcastOptions) -> [Member] {
        var result: [Member] = []
        forEach(rooms: options.rooms, except: options.except) { result.append($0) }
        return result
    }
}
