// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore

extension Simulation {
    /// Lets something go wrong.
    func strike() throws {
        guard now < Self.active else { return }
        defer { events.add(.disaster, at: now + random.delay(20...400)) }
        guard let node = nodes.filter({ $0.isRunning && $0.pausedUntil <= now }).randomElement(using: &random) else { return }
        if random.happens(faults.crashes) { return crash(node) }
        if random.happens(faults.leaves) { return try leave(node) }
        if random.happens(faults.pauses) { return pause(node) }
        if random.happens(faults.outages) { return outage() }
        if random.happens(faults.rollBacks) { return isolate() }
        if random.happens(faults.deafness) {
            note("\(node.id) will hear nothing")
            node.isDeaf = true
            return disturbed(node)
        }
        if random.happens(faults.streams * 4) { closeStream(node) }
    }

    private func crash(_ node: SimulatedNode) {
        note("\(node.id) crashes")
        node.isAlive = false
        dropClients(of: node)
        lastDisturbance = now
        let id = random.happens(0.5) ? node.id : "\(node.id)'"
        events.add(.restart(id), at: now + random.delay(10...4_000))
    }

    private func pause(_ node: SimulatedNode) {
        let duration = random.delay(100...5_000)
        note("\(node.id) is paused for \(duration / 1_000_000) ms")
        node.pausedUntil = now + duration
        node.pausedTime += duration
        node.lastDisturbance = now + duration
        lastDisturbance = now + duration
    }

    private func outage() {
        guard isolation == nil else { return }
        note("nothing can be reached")
        isDown = true
        lastOutage = .max
        let duration = random.delay(100...5_000)
        // The end of the outage is the end of all, if that comes first.
        events.add(.healed, at: min(now + duration, Self.active))
    }

    private func leave(_ node: SimulatedNode) throws {
        guard !node.isLeaving else { return }
        note("\(node.id) drains")
        node.isLeaving = true
        try perform(node, node.machine.drain(now: node.time(now), id: makeID()))
        events.add(.depart(node, latest: now + 2_000_000_000), at: now + random.delay(10...500))
    }

    /// The node leaves as soon as the others know and its broadcasts are written, or when its patience is over.
    func depart(_ node: SimulatedNode, latest: Int64) throws {
        let isReady = node.machine.drainedAs != nil && node.machine.unwrittenBroadcasts(of: Self.namespace).isEmpty
        guard isReady || now >= latest else {
            return events.add(.depart(node, latest: latest), at: now + 20_000_000)
        }
        note("\(node.id) leaves")
        try storeSessions(of: node)
        node.leaveTicket = node.machine.makeTicket()
        try perform(node, node.machine.leave(ticket: node.leaveTicket ?? 0, now: node.time(now)))
        node.hasLeft = true
        lastDisturbance = now
        events.add(.restart("\(node.id)+"), at: now + random.delay(10...2_000))
    }

    // MARK: Roll-backs

    private func isolate() {
        // What was acknowledged by a majority is never rolled back. Without numbers, what was lost may come after that.
        guard !isForeign, !isDown, isolation == nil, writing.values.allSatisfy(\.isEmpty) else { return }
        let until = min(now + random.delay(50...2_000), Self.active)
        let cutOff = nodes.indices.filter { _ in random.happens(0.5) }
        note("the primary is cut off, and so are \(cutOff.map { nodes[$0].id })")
        isolation = SimulatedIsolation(start: log.entries.count, until: until, cutOff: Set(cutOff))
        lastOutage = .max
        events.add(.rollBack, at: until)
    }

    /// Writing to a primary that is cut off: it may be seen, and is not acknowledged.
    func attemptInVain(_ batch: [ClusterMessage], _ node: SimulatedNode, _ lane: Int, _ isolation: SimulatedIsolation) {
        let count = batch.firstIndex { isRefused($0.header.id) } ?? batch.count
        let isReached = !isolation.cutOff.contains(node.index)
        note("\(node.id) writes \(batch.map { "\($0.header.kind) \($0.header.stamp?.number ?? 0)" }) in vain\(isReached ? "" : ", unseen")")
        if isReached { events.add(.insert(Array(batch[..<count])), at: min(now + random.delay(1...30), isolation.until - 1)) }
        disturbed(node)
        events.add(.written(node, lane: lane, .unknown(SimulatedFailure())), at: isolation.until + random.delay(1...60))
    }

    /// There is another primary, which has nothing of this.
    func rollBack() throws {
        guard let isolation else { return }
        self.isolation = nil
        lastOutage = now
        note("\(log.entries.count - isolation.start) messages are rolled back")
        counts.rolledBack += log.entries.count - isolation.start
        let gone = log.rollBack(to: isolation.start)
        for node in nodes where node.isAlive {
            node.mayBeLate.formUnion(node.skipped.intersection(gone))
            node.position = min(node.position, isolation.start)
            node.start = min(node.start, isolation.start)
            disturbed(node)
            closeStream(node)
        }
    }
}
