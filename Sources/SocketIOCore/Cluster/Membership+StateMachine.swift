package import NIOCore

/// Who takes part in the cluster besides this node: told by id, not counted.
package struct MembershipStateMachine {
    /// What has changed.
    package enum Change: Hashable {
        case none
        /// A node is new.
        case joined(NodeIdentity)
        /// A node is back in another life: what the earlier one owed will not come.
        case replaced(NodeIdentity, by: NodeIdentity)
    }

    /// A node that is there.
    package struct Member: Sendable {
        package var identity: NodeIdentity
        package var isDraining = false
        /// The namespaces it takes part in, and when it was heard last in each, if the wire format announces them; nil for all.
        fileprivate var namespaces: [String: TimeAmount]?
        /// When it was heard last, in the time that this node was listening.
        fileprivate var heard: TimeAmount
        fileprivate var beat: UInt64 = 0
    }

    package private(set) var members: [NodeID: Member] = [:]
    /// Lives that have ended by a leave, or by a later life of the same process. They do not come back.
    private var ended: [NodeIdentity: NIODeadline] = [:]
    /// Lives that were taken for dead. They come back with any message.
    private var dead: [NodeIdentity: NIODeadline] = [:]
    private let limit: Int
    private let timeout: TimeAmount
    private let silence: TimeAmount
    private let longestTick: TimeAmount
    private let retention: TimeAmount
    private var listened = TimeAmount.zero
    private var lastTick: NIODeadline
    private var lastItem: NIODeadline

    package init(_ configuration: ClusterConfiguration, now: NIODeadline) {
        self.limit = configuration.maximumNodes
        self.timeout = TimeAmount(configuration.heartbeatTimeout)
        self.silence = TimeAmount(configuration.heartbeatInterval * 3 / 2)
        self.longestTick = TimeAmount(configuration.heartbeatInterval / 2)
        self.retention = TimeAmount(configuration.epochRetention)
        self.lastTick = now
        self.lastItem = now
    }

    /// The number of lives that are remembered although they have ended.
    package var tombstones: Int { ended.count + dead.count }

    /// The nodes that take part in a namespace.
    package func nodes(in namespace: String) -> [NodeIdentity] {
        members.values.compactMap { takesPart($0, in: namespace) ? $0.identity : nil }.sorted { $0.id < $1.id }
    }

    /// Nobody says that it has closed a namespace; it falls silent there.
    private func takesPart(_ member: Member, in namespace: String) -> Bool {
        guard let namespaces = member.namespaces else { return true }
        return namespaces[namespace].map { listened - $0 <= timeout } ?? false
    }

    /// Something has come, from whomever: this node is listening.
    package mutating func listening(now: NIODeadline) { lastItem = now }

    /// A node has said something other than that it is alive.
    package mutating func heard(_ identity: NodeIdentity, namespace: String = "") -> Change {
        if members[identity.id]?.identity == identity {
            members[identity.id]?.heard = listened
            if members[identity.id]?.namespaces?[namespace] != nil { members[identity.id]?.namespaces?[namespace] = listened }
            return .none
        }
        // Beside another life, only a heartbeat tells which of them is alive.
        return dead[identity] == nil || members[identity.id] != nil ? .none : add(identity)
    }

    /// A node has said that it is alive.
    package mutating func beat(_ identity: NodeIdentity, _ heartbeat: Heartbeat, namespace: String) -> Change {
        guard ended[identity] == nil else { return .none }
        var change = Change.none
        if members[identity.id]?.identity != identity { change = add(identity) }
        guard let member = members[identity.id], member.identity == identity else { return change }
        if heartbeat.beat > member.beat || heartbeat.beat == 0 {
            members[identity.id]?.beat = heartbeat.beat
            members[identity.id]?.heard = listened
            members[identity.id]?.isDraining = heartbeat.isDraining
        }
        if !namespace.isEmpty { members[identity.id]?.hear(in: namespace, at: listened, timeout: timeout) }
        return change
    }

    private mutating func add(_ identity: NodeIdentity) -> Change {
        let before = members[identity.id]?.identity
        guard before != nil || members.count < limit else { return .none }
        if let before, identity.isBefore(before) { return .none }
        dead[identity] = nil
        for life in dead.keys where life.isBefore(identity) { ended[life] = dead.removeValue(forKey: life) }
        members[identity.id] = Member(identity: identity, heard: listened)
        guard let before else { return .joined(identity) }
        // A process that was started again under its old id; should the old one live after all, its heartbeats bring it back.
        if before.isBefore(identity) { ended[before] = lastTick } else { dead[before] = lastTick }
        return .replaced(before, by: identity)
    }

    /// A node is going to leave.
    ///
    /// - Returns: Whether that is news.
    package mutating func draining(_ identity: NodeIdentity) -> Bool {
        guard let member = members[identity.id], member.identity == identity, !member.isDraining else { return false }
        members[identity.id]?.isDraining = true
        return true
    }

    /// A node has left.
    ///
    /// - Returns: Whether it was there.
    package mutating func leave(_ identity: NodeIdentity) -> Bool {
        ended[identity] = lastTick
        dead[identity] = nil
        guard members[identity.id]?.identity == identity else { return false }
        members[identity.id] = nil
        return true
    }

    /// Nothing that was measured so far says anything about the others: this node was stopped, or its stream was.
    package mutating func forgive(now: NIODeadline) {
        lastTick = now
        lastItem = now
        for id in members.keys { members[id]?.forgive(at: listened) }
    }

    /// Time has passed.
    ///
    /// - Returns: The nodes that have not been heard for too long.
    package mutating func tick(now: NIODeadline) -> [NodeIdentity] {
        // While nothing at all is heard, the silence of others says nothing.
        // Nor does it if this process was stopped for a while: what came meanwhile is still to be read.
        if now > lastTick, now - lastItem <= silence { listened = listened + min(now - lastTick, longestTick) }
        lastTick = now
        let silent = members.values.filter { listened - $0.heard > timeout }.map(\.identity).sorted { $0.id < $1.id }
        for identity in silent {
            members[identity.id] = nil
            dead[identity] = now
        }
        forget(now)
        return silent
    }

    private mutating func forget(_ now: NIODeadline) {
        let oldest = now - retention
        if ended.contains(where: { $0.value < oldest }) { ended = ended.filter { $0.value >= oldest } }
        if dead.contains(where: { $0.value < oldest }) { dead = dead.filter { $0.value >= oldest } }
        while ended.count > 4 * limit, let first = ended.min(by: { $0.value < $1.value }) { ended[first.key] = nil }
        while dead.count > 4 * limit, let first = dead.min(by: { $0.value < $1.value }) { dead[first.key] = nil }
    }
}

extension MembershipStateMachine.Member {
    private static var namespaceLimit: Int { 10_000 }

    fileprivate mutating func hear(in namespace: String, at time: TimeAmount, timeout: TimeAmount) {
        if namespaces?[namespace] == nil, namespaces?.count ?? 0 >= Self.namespaceLimit {
            namespaces = namespaces?.filter { time - $0.value <= timeout }
            guard namespaces?.count ?? 0 < Self.namespaceLimit else { return }
        }
        namespaces = namespaces ?? [:]
        namespaces?[namespace] = time
    }

    fileprivate mutating func forgive(at time: TimeAmount) {
        heard = time
        namespaces = namespaces?.mapValues { _ in time }
    }
}
