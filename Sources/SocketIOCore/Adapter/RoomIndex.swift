/// The rooms of one namespace on one event loop.
///
/// A broadcast walks an array of members; joining and leaving cost the same whatever the number of members.
final class RoomIndex {
    /// A socket and the rooms it is in.
    final class Member {
        /// Replaced when the socket is parked for recovery.
        fileprivate(set) var socket: any LocalSocket
        /// Whether the client is away and may come back.
        fileprivate(set) var isParked = false
        fileprivate(set) var memberships: [Membership] = []
        fileprivate var positionInEveryone = 0
        /// The last selection that met this member, so that no selection meets it twice.
        fileprivate var mark: UInt64 = 0

        /// The private session id, if the session can be recovered.
        fileprivate let pid: String?

        fileprivate init(socket: any LocalSocket, pid: String?) {
            self.socket = socket
            self.pid = pid
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
        let name: Room
        fileprivate(set) var memberships: ContiguousArray<Membership> = []
        /// The members that are not parked.
        fileprivate(set) var present = 0

        fileprivate init(name: Room) { self.name = name }
    }

    private(set) var members: [SocketID: Member] = [:]
    /// The sockets whose session can be recovered, by private session id.
    private var sessions: [String: SocketID] = [:]
    private var everyone: ContiguousArray<Member> = []
    private var rooms: [Room: RoomMembers] = [:]
    private var lastMark: UInt64 = 0
    private var parked = 0
    private var walks = 0
    /// Members that were removed while members are being walked: the walk holds no references to them.
    private var departed: [Member] = []
    /// Called for every change of a room, in order.
    var onEvent: ((RoomEvent) -> Void)?
    /// Called when the number of rooms changes, those of single sockets left out.
    var onRoomCount: ((Int) -> Void)?
    /// Called when a session that can be recovered has come, changed its rooms or gone.
    var onSession: ((SessionEvent) -> Void)?
    /// How far this loop has come with what is delivered to the whole cluster; see ``RecoveryOffset``.
    var position: MessageID?

    /// The number of sockets that are not parked.
    var count: Int { everyone.count - parked }

    /// The number of rooms that somebody is in, without the sockets' own.
    var roomCount: Int { rooms.count }

    // MARK: Membership

    /// Adds a socket, which is then in its own room. Does nothing if the id is taken.
    @discardableResult
    func add(_ socket: any LocalSocket, pid: String? = nil) -> Bool {
        let id = socket.id
        guard members[id] == nil else { return false }
        let member = Member(socket: socket, pid: pid)
        if let pid { sessions[pid] = id }
        member.positionInEveryone = everyone.count
        everyone.append(member)
        members[id] = member
        onEvent?(.create(room: id))
        onEvent?(.join(room: id, socket: id))
        if let pid { onSession?(.added(pid: pid, position: position)) }
        return true
    }

    /// Removes a socket from all its rooms. `socket` must be the one that was added: a later one of the same id stays.
    func remove(_ id: SocketID, ifOwnedBy socket: (any LocalSocket)? = nil) {
        guard let member = members[id], socket == nil || member.socket === socket else { return }
        if walks > 0 { departed.append(member) }
        let wasPresent = !member.isParked
        while let last = member.memberships.popLast() { detach(last, reportingLeave: wasPresent) }
        removeFromEveryone(member)
        members[id] = nil
        if let pid = member.pid {
            sessions[pid] = nil
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
        guard let last = everyone.popLast(), last !== member else { return }
        everyone[position] = last
        last.positionInEveryone = position
    }

    /// Puts a socket into a room. Does nothing if it is in it, or not in the namespace.
    func join(_ id: SocketID, room name: Room) {
        guard let member = members[id] else { return }
        join(member, room: name)
    }

    private func join(_ member: Member, room name: Room) {
        guard RoomName.isAllowed(name), name != member.socket.id, !member.memberships.contains(where: { $0.room.name == name }) else {
            return
        }
        let room = rooms[name] ?? create(name)
        // Those who are away have left as far as others can see.
        if !member.isParked, room.present == 0, members[name] == nil { onEvent?(.create(room: name)) }
        let membership = Membership(member: member, room: room, position: room.memberships.count)
        room.memberships.append(membership)
        member.memberships.append(membership)
        changed(member)
        guard !member.isParked else { return }
        room.present += 1
        onEvent?(.join(room: name, socket: member.socket.id))
    }

    private func create(_ name: Room) -> RoomMembers {
        let room = RoomMembers(name: name)
        rooms[name] = room
        onRoomCount?(1)
        return room
    }

    /// Takes a socket out of a room. A socket cannot leave its own room.
    func leave(_ id: SocketID, room name: Room) {
        guard let member = members[id] else { return }
        leave(member, room: name)
    }

    private func leave(_ member: Member, room name: Room) {
        guard let index = member.memberships.firstIndex(where: { $0.room.name == name }) else { return }
        let membership = member.memberships[index]
        member.memberships.swapAt(index, member.memberships.count - 1)
        member.memberships.removeLast()
        detach(membership, reportingLeave: !member.isParked)
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
            rooms[room.name] = nil
            onRoomCount?(-1)
        }
    }

    private func reportLeave(_ member: Member, from room: RoomMembers) {
        room.present -= 1
        onEvent?(.leave(room: room.name, socket: member.socket.id))
        if room.present == 0, members[room.name] == nil { onEvent?(.delete(room: room.name)) }
    }

    /// Replaces a socket whose client is away. It keeps receiving broadcasts for its rooms, and takes part in nothing else.
    ///
    /// - Parameters:
    ///   - socket: The socket that was added.
    ///   - stand: Takes the socket's place and has the same id.
    /// - Returns: Whether the socket was there.
    func park(_ socket: any LocalSocket, as stand: any LocalSocket) -> Bool {
        guard let member = members[socket.id], member.socket === socket, !member.isParked else { return false }
        member.socket = stand
        member.isParked = true
        parked += 1
        for membership in member.memberships { reportLeave(member, from: membership.room) }
        reportOwnRoomLeft(stand.id)
        return true
    }

    // MARK: Queries

    /// The number of sockets whose client is away.
    var parkedCount: Int { parked }

    /// The member whose session has this private id.
    func member(pid: String) -> Member? { sessions[pid].flatMap { members[$0] } }

    /// The member of this id, parked or not.
    func member(_ id: SocketID) -> Member? { members[id] }

    /// The rooms of a socket, its own included; empty if it is not there.
    func rooms(of id: SocketID) -> NameSet {
        guard let member = members[id] else { return [] }
        return NameSet(member.memberships.lazy.map(\.room.name)).union([id])
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
    ///   - body: Who leaves meanwhile may still be met.
    func forEach(rooms names: [Room], except: [Room], includingParked: Bool = false, _ body: (Member) -> Void) {
        // The marks are those of the walk that goes on.
        guard walks == 0 else { return forEachNested(rooms: names, except: except, includingParked: includingParked, body) }
        lastMark += 1
        let mark = lastMark
        walks += 1
        defer { walkEnded() }
        for name in except { forEachMember(of: name) { $0.mark = mark } }
        if names.isEmpty {
            for member in everyone where member.mark != mark && (includingParked || !member.isParked) { body(member) }
            return
        }
        for name in names {
            forEachMember(of: name) { member in
                guard member.mark != mark, includingParked || !member.isParked else { return }
                member.mark = mark
                body(member)
            }
        }
    }

    /// The same from within a walk, as when what is sent to one socket makes it send to others.
    private func forEachNested(rooms names: [Room], except: [Room], includingParked: Bool, _ body: (Member) -> Void) {
        var met = Set<ObjectIdentifier>()
        var selected: [Member] = []
        for name in except { forEachMember(of: name) { met.insert(ObjectIdentifier($0)) } }
        let meet = { (member: Member) in
            guard includingParked || !member.isParked, met.insert(ObjectIdentifier(member)).inserted else { return }
            selected.append(member)
        }
        if names.isEmpty { everyone.forEach(meet) } else { for name in names { forEachMember(of: name, meet) } }
        for member in selected { body(member) }
    }

    private func walkEnded() {
        walks -= 1
        if walks == 0, !departed.isEmpty { departed = [] }
    }

    private func forEachMember(of name: Room, _ body: (Member) -> Void) {
        if let room = rooms[name] {
            for membership in room.memberships { body(membership.member) }
        }
        if let own = members[name] { body(own) }
    }

    /// The selected sockets, for operations that change rooms or end sockets.
    func selected(_ options: BroadcastOptions) -> [any LocalSocket] {
        var result: [any LocalSocket] = []
        forEach(rooms: options.rooms, except: options.except) { result.append($0.socket) }
        return result
    }
}

/// A change of a session that can be recovered.
package enum SessionEvent: Sendable, Hashable {
    /// It has begun, or come from elsewhere, when its loop had come so far with what is delivered to the whole cluster.
    case added(pid: String, position: MessageID?)
    /// Its rooms or data have changed.
    case changed(pid: String)
    /// It has ended, or gone elsewhere.
    case removed(pid: String)
}

/// A change of a room in one process.
public enum RoomEvent: Sendable, Hashable {
    /// The room's first socket is about to join.
    case create(room: Room)
    /// The room's last socket has left.
    case delete(room: Room)
    /// A socket has joined.
    case join(room: Room, socket: SocketID)
    /// A socket has left.
    case leave(room: Room, socket: SocketID)
}
