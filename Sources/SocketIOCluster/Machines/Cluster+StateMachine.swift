// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore
import SocketIOText

/// A node's part in its cluster: what to write, what the messages of others mean, which nodes are alive and which owe an answer.
///
/// It does no I/O and has no clock. Its runner calls ``tick(now:makeID:)`` several times a second.
package struct ClusterStateMachine {
    /// What follows from an input; to be carried out in order.
    package enum Action: Sendable {
        /// The lane has something to write.
        case wake(lane: Int)
        /// The fate of a message is known.
        case settle(SettledWrite)
        /// A message that was accepted has failed; tell the application.
        case undelivered(UndeliveredMessage)
        /// That many volatile messages were dropped.
        case dropped(Int)
        /// A request for acknowledgements is on its way to these nodes, and to no others.
        case started(ClusterRequestID, nodes: [NodeID])
        /// The state of a request has changed.
        case request(PendingRequestsStateMachine.Action)
        /// Reopen the stream.
        case reopenStream
        /// Report the event.
        case report(ClusterEvent)
    }

    enum Settling {
        /// The stream is not open, or the first message has not come back.
        case waiting(announcement: MessageID?, limit: NIODeadline)
        /// The others have until then to answer the first message.
        case listening(until: NIODeadline)
    }

    /// A message whose fate the machine itself needs to know.
    enum OwnWrite {
        case request(ClusterRequestID, lane: Int)
        case answer(namespace: String, target: NodeID, request: ClusterRequestID, isAwaited: Bool)
    }

    private static let earlierLimit = 64
    /// How long a contradiction affects health.
    private static let contestTime = TimeAmount.seconds(60)
    /// How long a message that was accepted and has failed affects health.
    private static let lossTime = TimeAmount.seconds(60)
    /// How long a volatile message waits to be written at most.
    static let volatileTimeout = TimeAmount.seconds(2)
    /// How long an attempt to write takes at most while the backend is well.
    private static let slowWrite = TimeAmount.seconds(2)

    package let configuration: ClusterConfiguration
    package internal(set) var identity: NodeIdentity
    package internal(set) var health = ClusterHealth.starting
    /// See ``Driver/backendHealth``. It counts from the next tick on.
    package var backendHealth: ClusterHealth?
    var lanes: [SendLaneStateMachine]
    var membership: MembershipStateMachine
    var received: ReceivedNumbersStateMachine
    var echo: EchoWatchStateMachine
    var pending: PendingRequestsStateMachine
    var held: HeldCalls
    var ownWrites: [UInt64: OwnWrite] = [:]
    /// The tickets of requests that are not known to be written.
    var unwrittenRequests: [ClusterRequestID: UInt64] = [:]
    /// Requests of others to which an answer could not be sent.
    var failedAnswers = RecentRequests()
    var namespaces: Set<Name> = []
    /// The namespaces whose other nodes are not known yet; empty for all of them.
    var settling: [Name: Settling]
    /// Whether the stream has been open.
    package internal(set) var isOpen = false
    package internal(set) var isDraining = false
    /// The message that says so.
    var drainMessage: MessageID?
    /// The identity under which all other nodes know that this one drains; nil as long as that is not certain.
    package internal(set) var drainedAs: NodeIdentity?
    /// The positions of this node in its epochs before it was paused, newest last.
    var earlier: [(lane: Int, position: ClaimedSession.OriginPosition)] = []
    var isClosed = false
    var hasReportedDuplicate = false
    /// Whether the stream may repeat messages: until a heartbeat returns that was sent after the stream was opened.
    var mayRepeat = false
    /// That heartbeat.
    var catchUpMark: MessageID?
    /// When the last contradiction was read.
    var lastContradiction: NIODeadline?
    /// When the last message that was accepted failed.
    var lastLoss: NIODeadline?
    var beat: UInt64 = 0
    var nextHeartbeat: NIODeadline?
    var failingSince: NIODeadline?
    /// Of each lane, since when it waits for the backend.
    var writingSince: [NIODeadline?]
    var lastInput: NIODeadline
    let firstEpoch: UInt64
    private var lastTicket: UInt64 = 0

    /// Creates a node that has not started.
    ///
    /// - Parameters:
    ///   - configuration: How it behaves.
    ///   - identity: Its id, and a random epoch.
    ///   - messageLimit: The largest message in bytes that the backend carries.
    ///   - now: The time.
    package init(configuration: ClusterConfiguration, identity: NodeIdentity, messageLimit: Int, now: NIODeadline) {
        self.configuration = configuration
        self.identity = identity
        self.firstEpoch = identity.epoch
        self.lanes = (0..<max(1, min(64, configuration.lanes))).map {
            SendLaneStateMachine(lane: UInt8($0), configuration: configuration, messageLimit: messageLimit)
        }
        self.writingSince = lanes.map { _ in nil }
        self.held = HeldCalls(configuration)
        self.membership = MembershipStateMachine(configuration, now: now)
        self.received = ReceivedNumbersStateMachine(
            limit: 2 * configuration.maximumNodes,
            retention: TimeAmount(configuration.epochRetention),
            interval: TimeAmount(configuration.heartbeatInterval)
        )
        self.pending = PendingRequestsStateMachine(
            strangers: configuration.maximumNodes,
            answerBytes: configuration.maximumAnswerBytes
        )
        self.echo = EchoWatchStateMachine(limit: TimeAmount(configuration.deafnessTimeout))
        self.settling = ["": .waiting(announcement: nil, limit: now + TimeAmount(configuration.settleTimeout))]
        self.lastInput = now
    }

    // MARK: State

    /// The nodes that take part in a namespace, without this one.
    package func nodes(in namespace: String) -> [NodeIdentity] { membership.nodes(in: namespace) }
    /// All other nodes.
    package var members: [MembershipStateMachine.Member] { membership.members }
    /// The number of other nodes.
    package var memberCount: Int { membership.count }
    /// The number of lanes.
    package var laneCount: Int { lanes.count }
    /// The number of messages that wait to be written.
    package var waitingCount: Int { lanes.reduce(held.messageCount) { $0 + $1.waitingCount } }
    /// The number of requests that wait for answers.
    package var pendingCount: Int { pending.count + held.requests.count }
    /// Whether nothing waits to be written and nothing is being written.
    package var isFlushed: Bool { held.messageCount == 0 && lanes.allSatisfy(\.isIdle) }
    /// The number of remembered origins and lives, for tests.
    package var remembered: Int { received.count + membership.tombstones }
    /// Whether the backend is known not to take what is written, or has not answered for a while.
    package func isUnreachable(now: NIODeadline) -> Bool {
        failingSince != nil || writingSince.contains { $0.map { now - $0 > Self.slowWrite } ?? false }
    }

    /// The lane of a namespace.
    package func lane(of namespace: String) -> Int {
        guard lanes.count > 1, !namespace.isEmpty else { return 0 }
        // FNV-1a: the same on every run.
        let hash = namespace.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return Int(hash % UInt64(lanes.count))
    }

    /// A number by which the sender of a message learns its fate.
    package mutating func makeTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Whether the announcement of this node in a namespace has returned, so that the others have it as well.
    ///
    /// - Parameter namespace: The namespace; empty for the node as a whole.
    package func isAnnounced(in namespace: String) -> Bool {
        if case .waiting = settling[Name(namespace)] { false } else { true }
    }

    // MARK: Namespaces

    /// This node serves a namespace.
    package mutating func register(_ namespace: String, now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        guard namespaces.insert(Name(namespace)).inserted, configuration.announcesNamespaces, isOpen else { return [] }
        return announce(namespace, now: now, id: makeID())
    }

    /// This node no longer serves a namespace.
    package mutating func unregister(_ namespace: String) { namespaces.remove(Name(namespace)) }

    // MARK: Leaving

    /// This node is going to leave. It is still counted and still answers.
    package mutating func drain(now: NIODeadline, id: MessageID) -> [Action] {
        guard !isDraining, !isClosed else { return [] }
        isDraining = true
        drainMessage = id
        return sendMembership(.draining, id: id, now: now)
    }

    /// This node leaves. To be called when everything else is written.
    ///
    /// The message is retried for as long as other nodes would take to notice by themselves.
    ///
    /// - Parameters:
    ///   - ticket: By which the caller learns the fate of the message.
    ///   - limit: When it is given up at the latest.
    ///   - now: The time.
    package mutating func leave(ticket: UInt64, by limit: NIODeadline = .distantFuture, now: NIODeadline) -> [Action] {
        isDraining = true
        nextHeartbeat = nil
        let longest = min(TimeAmount(configuration.heartbeatTimeout), TimeAmount(configuration.writeTimeout))
        let deadline = min(limit, now + longest)
        return enqueue(Outgoing(namespace: "", body: .leave, ticket: ticket, deadline: deadline), lane: 0)
    }

    /// This node is closed: all that wait for a fate or for answers get an error.
    package mutating func close() -> [Action] {
        guard !isClosed else { return [] }
        isClosed = true
        var actions: [Action] = []
        for index in lanes.indices { actions += settle(lanes[index].close(), lane: index, now: lastInput) }
        let error = ClusterError(.closed, "the node is closed")
        for call in held.take({ _ in true }) {
            switch call {
            case .request(let id, let request): actions += fail(id, request.kind, error)
            case .message(let message): actions += refuse(message, error)
            }
        }
        actions += pending.tick(now: .distantFuture).map { .request($0) }
        return actions + checkHealth(now: lastInput)
    }

    // MARK: Common to all inputs

    /// Detects that the process was suspended past the heartbeat timeout: it rejoins with a new epoch, because other nodes consider it
    /// dead and no longer wait for its answers.
    mutating func resume(now: NIODeadline, makeID: () -> MessageID) -> [Action] {
        let silence = now > lastInput ? now - lastInput : .zero
        lastInput = max(lastInput, now)
        guard isOpen, !isClosed, silence > TimeAmount(configuration.heartbeatTimeout) else { return [] }
        let before = identity
        remember(before)
        identity.epoch &+= 1
        beat = 0
        membership.forgive(now: now)
        echo.opened(lost: false, now: now)
        return [.report(.wasPaused(before))] + announceAll(now: now, makeID: makeID)
    }

    /// Sessions that leave this node must not get again what they got in an earlier epoch.
    private mutating func remember(_ life: NodeIdentity) {
        for index in lanes.indices {
            let number = lanes[index].lastNumber(in: life.epoch)
            if number > 0 { earlier.append((index, .init(origin: life, number: number))) }
        }
        if earlier.count > Self.earlierLimit { earlier.removeFirst(earlier.count - Self.earlierLimit) }
    }

    mutating func checkHealth(now: NIODeadline) -> [Action] {
        let state = currentHealth(now: now)
        guard state != health else { return [] }
        health = state
        return [.report(.health(state))]
    }

    private func currentHealth(now: NIODeadline) -> ClusterHealth {
        let own = ownHealth(now: now)
        guard let backendHealth, own != .closed else { return own }
        // A changed backend is why messages are not written and do not return. Anything else shows there first.
        return own.takesPart || backendHealth == .mismatched ? backendHealth : own
    }

    /// The health as far as this node can see it.
    private func ownHealth(now: NIODeadline) -> ClusterHealth {
        if isClosed {
            .closed
        } else if failingSince.map({ now - $0 > TimeAmount(configuration.heartbeatInterval) }) ?? false {
            .unreachable
        } else if echo.isDeaf {
            .deaf
        } else if !echo.hasHeard {
            .starting
        } else if lastContradiction.map({ now - $0 <= Self.contestTime }) ?? false {
            .contested
        } else if lastLoss.map({ now - $0 <= Self.lossTime }) ?? false {
            .lossy
        } else {
            .healthy
        }
    }
}
