// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore

/// A promise that did not hold.
struct BrokenPromise: Error, CustomStringConvertible {
    var description: String
}

/// A cluster in which everything that happens follows from a seed.
///
/// Nodes, whose clocks disagree, emit and ask while the faults of the schedule strike; then all is healed, and when the time of every
/// deadline and heartbeat has passed, the promises must hold.
final class Simulation {
    indirect enum Event {
        case tick(SimulatedNode)
        case act(SimulatedNode)
        case pump(SimulatedNode)
        case writer(SimulatedNode, lane: Int)
        case written(SimulatedNode, lane: Int, BatchOutcome)
        case insert([ClusterMessage])
        case reopen(SimulatedNode)
        case restart(NodeID)
        case answer(SimulatedNode, ClusterHeader, ClusterBody)
        case disaster
        case healed
        case depart(SimulatedNode, latest: Int64)
        case connect(SimulatedClient, attempt: Int)
        case cut(SimulatedClient, attempt: Int)
        case away(SimulatedSocket)
        case expire(SimulatedSocket)
        case rollBack
        case cancel(SimulatedNode, ClusterRequestID)
        case snapshot(SimulatedNode, SimulatedSocket)
        case removeSnapshot(SimulatedNode, pid: String)
    }

    static let namespaces = ["/", "/chat", "/news"]
    static let active: Int64 = 6_000_000_000
    static let end: Int64 = 17_000_000_000

    let seed: UInt64
    var random: SeededGenerator
    let faults: FaultProfile
    let configuration: ClusterConfiguration
    var now: Int64 = 0
    var events = EventQueue()
    var log = SimulatedLog()
    var isDown = false
    var isolation: SimulatedIsolation?
    /// The format has no numbers, no lives and no farewell, as the foreign ones.
    let isForeign: Bool
    /// Counts the calls of all nodes.
    var calls = 0
    var nodes: [SimulatedNode] = []
    var emits: [SimulatedEmit] = []
    var emitIndex: [MessageID: Int] = [:]
    var tickets: [UInt64: [Int: Int]] = [:]
    var requests: [ClusterRequestID: SimulatedRequest] = [:]
    var writing: [Int: Set<Int>] = [:]
    var nextID: UInt64 = 0
    var lastDisturbance: Int64 = 0
    var lastOutage: Int64 = -1
    var clients: [SimulatedClient] = []
    var claims: [ClusterRequestID: SimulatedClaim] = [:]
    var store: [String: ByteBuffer] = [:]
    /// Snapshots of the sessions of nodes that may crash.
    var snapshots: [String: ByteBuffer] = [:]
    let keepsSnapshots: Bool
    /// How far a node had come when it emitted.
    var positions: [MessageID: MessageID] = [:]
    var counts = SimulationCounts()
    let clientCount: Int
    /// How much is emitted.
    let busyness: Int
    /// What happened, for the report of a failure.
    var trace: [String] = []
    let isTracing: Bool

    init(seed: UInt64, isTracing: Bool = false) {
        self.seed = seed
        self.isTracing = isTracing
        random = SeededGenerator(seed: seed)
        faults = FaultProfile(&random)
        var configuration = ClusterConfiguration()
        configuration.heartbeatInterval = .seconds(1)
        configuration.heartbeatTimeout = .milliseconds(2_500)
        configuration.settleTime = .milliseconds(400)
        configuration.settleTimeout = .seconds(2)
        configuration.writeTimeout = .seconds(4)
        configuration.deafnessTimeout = .seconds(2)
        configuration.requestTimeout = .seconds(2)
        configuration.lanes = random.happens(0.3) ? 2 : 1
        configuration.maximumBatchMessages = Int.random(in: 1...20, using: &random)
        configuration.maximumQueuedMessages = Int.random(in: 4...50, using: &random)
        configuration.epochRetention = .seconds(60)
        isForeign = random.happens(0.1)
        configuration.announcesNamespaces = isForeign
        let hasClients = random.happens(0.7)
        clientCount = hasClients && !isForeign ? Int.random(in: 1...4, using: &random) : 0
        // What was seen and rolled back has another place later.
        keepsSnapshots = clientCount > 0 && faults.rollBacks == 0 && !seed.isMultiple(of: 3)
        // A few schedules are full, most are lean.
        busyness = [1, 1, 2, 6].randomElement(using: &random) ?? 1
        self.configuration = configuration
    }

    func note(_ text: @autoclosure () -> String) {
        if isTracing { trace.append("\(now / 1_000_000) ms: \(text())") }
    }

    func makeID() -> MessageID {
        nextID += 1
        return MessageID(seconds: 0, process: nextID >> 24, counter: nextID)
    }

    // MARK: The run

    func run() throws {
        let count = Int.random(in: 2...4, using: &random)
        for index in 0..<count { start("n\(index)", after: random.delay(0...500)) }
        addClients()
        events.add(.disaster, at: random.delay(300...1_500))
        events.add(.healed, at: Self.active)
        while let (time, event) = events.next(), time < Self.end {
            now = time
            try handle(event)
        }
        now = Self.end
        try checkEnd()
    }

    private func handle(_ event: Event) throws {
        switch event {
        case .tick(let node): try whenAwake(node, event) { try tick(node) }
        case .act(let node): try whenAwake(node, event) { try act(node) }
        case .pump(let node): try whenAwake(node, event) { try pump(node) }
        case .writer(let node, let lane): try whenAwake(node, event) { try runWriter(node, lane) }
        case .written(let node, let lane, let outcome):
            try whenAwake(node, event) {
                writing[node.index, default: []].remove(lane)
                let jitter = Double.random(in: 0...1, using: &random)
                try perform(node, node.machine.batchCompleted(lane: lane, outcome, now: node.time(now), jitter: jitter))
                try runWriter(node, lane)
            }
        case .answer(let node, let header, let body):
            try whenAwake(node, event) { try perform(node, node.machine.answer(header, with: body, now: node.time(now))) }
        case .depart(let node, let latest):
            try whenAwake(node, event) {
                freezeSometimes(node)
                try depart(node, latest: latest)
            }
        case .connect(let client, let attempt): try connect(client, attempt: attempt)
        case .cut(let client, let attempt): cut(client, attempt: attempt)
        case .away(let socket): isAway(socket)
        case .expire(let socket): expire(socket)
        case .insert(let messages): insert(messages)
        case .reopen(let node): try whenAwake(node, event) { try open(node) }
        case .restart(let id): start(id, after: 0)
        case .disaster: try strike()
        case .rollBack: try rollBack()
        case .cancel(let node, let id): try whenAwake(node, event) { try cancel(node, id) }
        case .snapshot(let node, let socket): try whenAwake(node, event) { try snapshot(socket, of: node) }
        case .removeSnapshot(let node, let pid): try whenAwake(node, event) { try removeSnapshot(pid, of: node) }
        case .healed:
            isDown = false
            lastOutage = now
            note("healed")
        }
    }

    /// Runs a node's event, later if the node is paused, never if it has crashed.
    private func whenAwake(_ node: SimulatedNode, _ event: Event, _ body: () throws -> Void) throws {
        guard node.isAlive else { return }
        guard node.pausedUntil <= now else { return events.add(event, at: node.pausedUntil) }
        try body()
    }

    // MARK: Nodes

    private func start(_ id: NodeID, after delay: Int64) {
        let clock = SimulatedClock(&random)
        let identity = NodeIdentity(id: id, epoch: random.next() >> 1)
        var machine = ClusterStateMachine(
            configuration: configuration,
            identity: identity,
            messageLimit: 1 << 20,
            now: clock.time(at: now + delay)
        )
        for namespace in Self.namespaces { _ = machine.register(namespace, now: clock.time(at: now), makeID: makeID) }
        let node = SimulatedNode(index: nodes.count, clock: clock, machine: machine, keepsLog: keepsSnapshots)
        nodes.append(node)
        node.lastDisturbance = now
        note("\(id) starts as \(identity)")
        events.add(.reopen(node), at: now + delay + random.delay(1...100))
        events.add(.tick(node), at: now + delay + random.delay(1...100))
        events.add(.act(node), at: now + delay + random.delay(1...800))
    }

    private func tick(_ node: SimulatedNode) throws {
        try perform(node, node.machine.tick(now: node.time(now), makeID: makeID))
        try checkBounds(node)
        events.add(.tick(node), at: now + 200_000_000)
    }

    // MARK: The stream

    func open(_ node: SimulatedNode) throws {
        guard !node.isOpen, !node.hasLeft else { return }
        guard !isDown, isolation?.cutOff.contains(node.index) != true else {
            return events.add(.reopen(node), at: now + random.delay(50...300))
        }
        node.isOpen = true
        node.isDeaf = false
        var lost = false
        if node.openedAt == nil {
            node.position = log.entries.count
            node.start = node.position
            node.openedAt = now
        } else if now < Self.active, random.happens(faults.losses), node.position < log.entries.count {
            lost = true
            let next = Int.random(in: node.position + 1...log.entries.count, using: &random)
            node.skipped.formUnion(log.entries[node.position..<next].lazy.map(\.header.id))
            node.position = next
            node.firstLoss = node.firstLoss ?? now
            // The stream that fails next does not go back behind this: it has no older token.
            node.start = node.position
        } else {
            // A token may be older than what was read.
            node.position = max(node.start, node.position - Int.random(in: 0...3, using: &random))
        }
        note("\(node.id) opens its stream at \(node.position)\(lost ? ", with loss" : "")")
        try perform(node, node.machine.streamOpened(lost: lost, now: node.time(now), makeID: makeID))
        schedulePump(node)
    }

    func closeStream(_ node: SimulatedNode) {
        guard node.isOpen else { return }
        node.isOpen = false
        disturbed(node)
        events.add(.reopen(node), at: now + random.delay(10...1_000))
    }

    func schedulePump(_ node: SimulatedNode) {
        guard node.isOpen, !node.isDeaf, !node.isPumping, node.position < log.entries.count else { return }
        node.isPumping = true
        events.add(.pump(node), at: now + random.delay(1...60))
    }

    private func pump(_ node: SimulatedNode) throws {
        node.isPumping = false
        guard node.isOpen, !node.isDeaf else { return }
        guard !isDown, isolation?.cutOff.contains(node.index) != true else {
            node.isPumping = true
            return events.add(.pump(node), at: now + 100_000_000)
        }
        let batch = Int.random(in: 1...8, using: &random)
        for _ in 0..<batch {
            guard node.isOpen, node.position < log.entries.count else { break }
            let message = log.entries[node.position]
            node.position += 1
            try receive(node, message)
        }
        schedulePump(node)
    }

    func insert(_ messages: [ClusterMessage]) {
        log.insert(isForeign ? messages.compactMap(\.withoutNumbers) : messages)
        for node in nodes where node.isAlive { schedulePump(node) }
    }

    private func receive(_ node: SimulatedNode, _ message: ClusterMessage) throws {
        let header = message.header
        if header.origin.id == node.id {
            if node.recovery.cameBack(header.id) { _ = node.recovery.advance(to: header.id, now: node.time(now)) }
            let origin = isForeign ? node.machine.identity : header.origin
            return try perform(node, node.machine.cameBack(header.id, origin: origin, now: node.time(now), makeID: makeID))
        }
        if isForeign, !node.seen.insert(header.id).inserted { return }
        node.heard(message, at: now, lanes: configuration.lanes)
        let (isWanted, actions) = node.machine.receive(header, now: node.time(now), makeID: makeID)
        try perform(node, actions)
        guard isWanted else { return }
        if header.kind.isAnswer || header.kind.isMembership {
            try perform(node, node.machine.process(header, message.body, now: node.time(now)))
        } else {
            try apply(node, header, message.body)
        }
    }

    // MARK: Writing

    func runWriter(_ node: SimulatedNode, _ lane: Int) throws {
        guard node.isAlive, writing[node.index]?.contains(lane) != true else { return }
        let (next, actions) = node.machine.nextBatch(lane: lane, now: node.time(now), makeID: makeID)
        try perform(node, actions)
        switch next {
        case .wait: break
        case .pause(let until):
            let pause = max(1_000_000, (until - node.time(now)).nanoseconds)
            events.add(.writer(node, lane: lane), at: now + pause)
        case .write(let batch):
            writing[node.index, default: []].insert(lane)
            for message in batch where message.header.namespace == Self.namespace { node.recovery.numbered(message.header) }
            attempt(batch, node, lane)
        }
    }

    private func attempt(_ batch: [ClusterMessage], _ node: SimulatedNode, _ lane: Int) {
        let applied = now + random.delay(1...30)
        let answered = applied + random.delay(1...30)
        let isFaulty = now < Self.active
        let plan = AttemptPlan(&random, count: batch.count, faults: isFaulty ? faults : FaultProfile(), isDown: isDown)
        if let isolation { return attemptInVain(batch, node, lane, isolation) }
        if let refused = batch.firstIndex(where: { isRefused($0.header.id) }) {
            events.add(.insert(Array(batch[..<refused])), at: applied)
            return events.add(.written(node, lane: lane, .refused(index: refused, error: SimulatedFailure())), at: answered)
        }
        note("\(node.id) writes \(batch.map { "\($0.header.kind) \($0.header.stamp?.number ?? 0)" }) → \(plan)")
        let outcome: BatchOutcome
        switch plan {
        case .succeed:
            outcome = .written
            events.add(.insert(batch), at: applied)
        case .failBefore: outcome = .notWritten(SimulatedFailure())
        case .failSilently: outcome = .unknown(SimulatedFailure())
        case .failAfter:
            outcome = .unknown(SimulatedFailure())
            events.add(.insert(batch), at: applied)
        case .failBetween(let count):
            outcome = .unknown(SimulatedFailure())
            events.add(.insert(Array(batch[..<count])), at: applied)
        case .late(let count, let delay):
            outcome = .unknown(SimulatedFailure())
            events.add(.insert(Array(batch[..<count])), at: answered + delay)
        }
        if case .written = outcome {} else { disturbed(node) }
        events.add(.written(node, lane: lane, outcome), at: answered)
    }

    func isRefused(_ id: MessageID) -> Bool { emitIndex[id].map { emits[$0].isRefused } ?? false }

    /// Something that delays a node's messages, in or out, has happened.
    func disturbed(_ node: SimulatedNode) {
        node.lastDisturbance = max(node.lastDisturbance, now)
        node.hasOnlyStarted = false
        lastDisturbance = max(lastDisturbance, now)
    }
}

struct SimulatedFailure: Error {}

extension ClusterMessage {
    /// What a foreign format makes of the message; nil if it has none like it.
    fileprivate var withoutNumbers: ClusterMessage? {
        var message = self
        message.header.stamp = nil
        message.header.origin.epoch = 0
        switch body {
        case .leave, .draining: return nil
        case .heartbeat: message.body = .heartbeat(ClusterHeartbeat(beat: 0))
        case .initialHeartbeat: message.body = .initialHeartbeat(ClusterHeartbeat(beat: 0))
        default: break
        }
        return message
    }
}
