// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import SocketIOText

/// The other nodes of the cluster, by id.
///
/// Programs that may write to the backend may write in the name of any node. So no state is final: a node that is reported to have left, or
/// to have begun a new epoch, is alive again if it continues to send messages.
package struct MembershipStateMachine {
    /// The change that follows from an input.
    package enum Change: Hashable {
        case none
        /// A node is new.
        case joined(NodeIdentity)
        /// A node is back with another epoch: what it owed in the earlier one will not arrive.
        case replaced(NodeIdentity, by: NodeIdentity)
        /// A node is alive although it was reported to have left.
        case revived(NodeIdentity)
    }

    /// A node that is alive.
    package struct Member: Sendable {
        package var identity: NodeIdentity
        package var isDraining = false
        /// The namespaces in which it takes part, and when it was last heard in each, if the wire format announces them; nil means all.
        fileprivate var namespaces: [Name: TimeAmount]?
        /// When it was last heard, in the time that this node was listening.
        fileprivate var heard: TimeAmount
        /// When it was first heard.
        fileprivate var joined: TimeAmount
        /// Whether it was heard for longer than a moment; forged nodes usually are not.
        fileprivate var isKnown = false
    }

    /// An epoch that has ended.
    private struct Ended {
        var at: NIODeadline
        /// Whether it sent a leave; if not, a later epoch has replaced it.
        var hasLeft: Bool
        /// Whether it was alive until then.
        var wasMember = true
    }

    /// An epoch that was considered dead.
    private struct Dead {
        var at: NIODeadline
        /// Whether another process has replaced it.
        var wasReplaced: Bool
    }

    private var byID: [Name: Member] = [:]
    /// Epochs that have ended by a leave, or by a later epoch of the same process.
    private var ended: [NodeIdentity: Ended] = [:]
    /// Epochs that were considered dead. Any message revives them.
    private var dead: [Name: [UInt64: Dead]] = [:]
    private var deadCount = 0
    /// Nodes that send messages in several epochs: the current one stays as long as it is heard.
    private var contested: [Name: NIODeadline] = [:]
    private var namespaceCount = 0
    private let limit: Int
    private let timeout: TimeAmount
    private let silence: TimeAmount
    private let longestTick: TimeAmount
    private let retention: TimeAmount
    /// When there was room for no other node; it is not looked for again at that time.
    private var isFull: NIODeadline?
    private var nextForgetting: NIODeadline
    private var listened = TimeAmount.zero
    private var lastTick: NIODeadline
    private var lastItem: NIODeadline

    package init(_ configuration: ClusterConfiguration, now: NIODeadline) {
        self.limit = max(1, configuration.maximumNodes)
        self.timeout = TimeAmount(configuration.heartbeatTimeout)
        self.silence = TimeAmount(configuration.heartbeatInterval * 3 / 2)
        self.longestTick = TimeAmount(configuration.heartbeatInterval / 2)
        self.retention = TimeAmount(configuration.epochRetention)
        self.lastTick = now
        self.lastItem = now
        self.nextForgetting = now
    }

    /// The nodes that are alive.
    package var members: [Member] { Array(byID.values) }
    /// The number of nodes that are alive.
    package var count: Int { byID.count }
    /// The number of ended epochs that are remembered.
    package var tombstones: Int { ended.count + deadCount }

    /// The nodes that take part in a namespace.
    package func nodes(in namespace: String) -> [NodeIdentity] {
        let name = Name(namespace)
        return byID.values.compactMap { takesPart($0, in: name) ? $0.identity : nil }.sorted { Name($0.id) < Name($1.id) }
    }

    /// Nodes do not announce that they have closed a namespace; they fall silent there.
    private func takesPart(_ member: Member, in namespace: Name) -> Bool {
        guard let namespaces = member.namespaces else { return true }
        return namespaces[namespace].map { listened - $0 <= timeout } ?? false
    }

    /// Something was read: this node is listening.
    package mutating func listening(now: NIODeadline) { lastItem = now }

    /// A node has sent a new message, other than a heartbeat.
    ///
    /// - Parameters:
    ///   - identity: The node.
    ///   - namespace: The namespace; empty for the node as a whole.
    ///   - isLast: Whether a leave of the node would have followed it, so that the node has not left.
    package mutating func heard(_ identity: NodeIdentity, namespace: String = "", isLast: Bool = true) -> Change {
        let name = Name(identity.id)
        if let member = byID[name] {
            // Beside another life, only a heartbeat tells which of them is alive.
            guard member.identity == identity else { return .none }
            hear(name)
            if member.namespaces?[Name(namespace)] != nil { byID[name]?.namespaces?[Name(namespace)] = listened }
            return .none
        }
        if isLast, let life = ended[identity], life.hasLeft, life.wasMember { return revive(identity) }
        return dead[name]?[identity.epoch] == nil ? .none : add(identity)
    }

    /// A node has sent a heartbeat.
    ///
    /// - Parameters:
    ///   - identity: The node.
    ///   - heartbeat: The heartbeat.
    ///   - isFresh: Whether it is later than the node's previous ones.
    ///   - isNew: Whether it certainly was not read before.
    ///   - isLast: Whether a leave of the node would have followed it, so that the node has not left.
    ///   - isContested: Whether another epoch was considered later, but this one continues.
    ///   - namespace: The namespace in which it was sent; empty for all.
    package mutating func beat(
        _ identity: NodeIdentity,
        _ heartbeat: ClusterHeartbeat,
        isFresh: Bool = true,
        isNew: Bool = true,
        isLast: Bool = true,
        isContested: Bool = false,
        namespace: String
    ) -> Change {
        let name = Name(identity.id)
        var change = Change.none
        if isContested { contest(name) }
        if let life = ended[identity] {
            guard isFresh, life.hasLeft && isLast || isContested || contested[name] != nil else { return .none }
            change = life.hasLeft ? revive(identity) : add(identity, isContested: isContested)
        } else if byID[name]?.identity != identity {
            change = add(identity, isContested: isContested)
        }
        guard let member = byID[name], member.identity == identity else { return change }
        if isFresh || isNew { hear(name) }
        if isFresh { byID[name]?.isDraining = heartbeat.isDraining }
        if !namespace.isEmpty { hear(name, in: Name(namespace)) }
        return change
    }

    private mutating func hear(_ name: Name) {
        byID[name]?.heard = listened
        if let joined = byID[name]?.joined, listened - joined >= longestTick { byID[name]?.isKnown = true }
    }

    /// It was reported to have left.
    private mutating func revive(_ identity: NodeIdentity) -> Change {
        ended[identity] = nil
        let change = add(identity)
        if case .joined = change { return .revived(identity) }
        return change
    }

    private mutating func contest(_ name: Name) {
        if contested.count >= limit { contested.removeAll() }
        contested[name] = lastTick
    }

    private mutating func add(_ identity: NodeIdentity, isContested: Bool = false) -> Change {
        let name = Name(identity.id)
        let before = byID[name]
        guard before != nil || makeRoom() else { return .none }
        if let before {
            if !isContested, contested[name] == nil, identity.isBefore(before.identity) { return .none }
            if !isContested, contested[name] != nil, listened - before.heard <= timeout { return .none }
            // It was pushed aside and goes on: from now on it stays.
            if dead[name]?[identity.epoch]?.wasReplaced ?? false { contest(name) }
        }
        forgetDead(identity)
        ended[identity] = nil
        for epoch in dead[name]?.keys.map({ $0 }) ?? [] {
            let life = NodeIdentity(id: identity.id, epoch: epoch)
            guard life.isBefore(identity) else { continue }
            forgetDead(life)
            remember(life, Ended(at: lastTick, hasLeft: false))
        }
        remove(name)
        byID[name] = Member(identity: identity, heard: listened, joined: listened)
        guard let before = before?.identity else { return .joined(identity) }
        // A process that was started again under its old id; should the old one live after all, its heartbeats bring it back.
        if before.isBefore(identity) {
            remember(before, Ended(at: lastTick, hasLeft: false))
        } else {
            remember(before, Dead(at: lastTick, wasReplaced: !isContested))
        }
        return .replaced(before, by: identity)
    }

    /// Whether there is room for another node. Nodes that were heard only for a moment give way: many forged ones must not keep out a real
    /// one.
    private mutating func makeRoom() -> Bool {
        guard byID.count >= limit else { return true }
        guard isFull != lastTick else { return false }
        let made = byID.filter { !$0.value.isKnown }.sorted { $0.value.heard < $1.value.heard }
        guard !made.isEmpty else {
            isFull = lastTick
            return false
        }
        // Several at once, since it takes a look at all of them.
        for (name, member) in made.prefix(max(1, limit / 8)) {
            remove(name)
            remember(member.identity, Dead(at: lastTick, wasReplaced: false))
        }
        return true
    }

    private mutating func remove(_ name: Name) {
        guard let member = byID.removeValue(forKey: name) else { return }
        namespaceCount -= member.namespaces?.count ?? 0
    }

    /// A node is going to leave.
    ///
    /// - Returns: Whether that is new.
    package mutating func draining(_ identity: NodeIdentity) -> Bool {
        let name = Name(identity.id)
        guard let member = byID[name], member.identity == identity, !member.isDraining else { return false }
        byID[name]?.isDraining = true
        return true
    }

    /// A node has left.
    ///
    /// - Returns: Whether it was alive.
    package mutating func leave(_ identity: NodeIdentity) -> Bool {
        let name = Name(identity.id)
        let isMember = byID[name]?.identity == identity
        remember(identity, Ended(at: lastTick, hasLeft: true, wasMember: isMember))
        forgetDead(identity)
        guard isMember else { return false }
        remove(name)
        return true
    }

    /// Discards the silence that was measured so far: this node was suspended, or its stream was interrupted.
    package mutating func forgive(now: NIODeadline) {
        lastTick = now
        lastItem = now
        for id in byID.keys { byID[id]?.forgive(at: listened) }
    }

    /// Time has passed.
    ///
    /// - Returns: The nodes that have been silent for too long.
    package mutating func tick(now: NIODeadline) -> [NodeIdentity] {
        // While nothing at all is heard, the silence of others says nothing.
        // Nor does it if this process was stopped for a while: what came meanwhile is still to be read.
        if now > lastTick, now - lastItem <= silence { listened = listened + min(now - lastTick, longestTick) }
        lastTick = now
        let silent = byID.values.filter { listened - $0.heard > timeout }.map(\.identity).sorted { Name($0.id) < Name($1.id) }
        for identity in silent {
            remove(Name(identity.id))
            remember(identity, Dead(at: now, wasReplaced: false))
        }
        forget(now)
        return silent
    }

    private mutating func forget(_ now: NIODeadline) {
        guard now >= nextForgetting else { return }
        // It takes a look at all of them.
        nextForgetting = now + .seconds(1)
        let oldest = now - retention
        if ended.contains(where: { $0.value.at < oldest }) { ended = ended.filter { $0.value.at >= oldest } }
        if dead.contains(where: { $0.value.contains { $0.value.at < oldest } }) { forgetDead(before: oldest) }
        if contested.contains(where: { $0.value < oldest }) { contested = contested.filter { $0.value >= oldest } }
    }

    // MARK: The dead

    private mutating func remember(_ identity: NodeIdentity, _ life: Ended) {
        if ended.count >= 4 * limit {
            let order = ended.sorted { $0.value.at > $1.value.at }
            ended = Dictionary(uniqueKeysWithValues: order.prefix(2 * limit).map { ($0.key, $0.value) })
        }
        ended[identity] = life
    }

    private mutating func remember(_ identity: NodeIdentity, _ life: Dead) {
        if deadCount >= 4 * limit {
            let times = dead.values.flatMap { $0.values.map(\.at) }.sorted()
            // Those of one moment are forgotten together.
            forgetDead(before: times[times.count / 2] + .nanoseconds(1))
        }
        if dead[Name(identity.id), default: [:]].updateValue(life, forKey: identity.epoch) == nil { deadCount += 1 }
    }

    private mutating func forgetDead(_ identity: NodeIdentity) {
        let name = Name(identity.id)
        guard dead[name]?.removeValue(forKey: identity.epoch) != nil else { return }
        deadCount -= 1
        if dead[name]?.isEmpty ?? false { dead[name] = nil }
    }

    private mutating func forgetDead(before time: NIODeadline) {
        dead = dead.compactMapValues { lives in
            let left = lives.filter { $0.value.at >= time }
            return left.isEmpty ? nil : left
        }
        deadCount = dead.values.reduce(0) { $0 + $1.count }
    }

    // MARK: Namespaces

    /// Namespaces that are tracked for all nodes together; whether a node takes part in further ones is unknown.
    private static let namespaceLimit = 262_144

    private mutating func hear(_ member: Name, in namespace: Name) {
        guard byID[member]?.namespaces?[namespace] == nil else {
            byID[member]?.namespaces?[namespace] = listened
            return
        }
        if namespaceCount >= Self.namespaceLimit { forgetNamespaces() }
        guard namespaceCount < Self.namespaceLimit else { return }
        namespaceCount += 1
        if byID[member]?.namespaces == nil { byID[member]?.namespaces = [:] }
        byID[member]?.namespaces?[namespace] = listened
    }

    private mutating func forgetNamespaces() {
        namespaceCount = 0
        for name in byID.keys {
            byID[name]?.forgetNamespaces(before: listened - timeout)
            namespaceCount += byID[name]?.namespaces?.count ?? 0
        }
    }
}

extension MembershipStateMachine.Member {
    fileprivate mutating func forgetNamespaces(before time: TimeAmount) {
        namespaces = namespaces?.filter { $0.value >= time }
    }

    fileprivate mutating func forgive(at time: TimeAmount) {
        heard = time
        namespaces = namespaces?.mapValues { _ in time }
    }
}
