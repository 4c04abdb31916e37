// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

/// Sessions that outlive their node: stored by a node that leaves, taken by the node to which the client comes back.
extension ClusterAdapter {
    // MARK: The node that leaves

    /// Stores the sessions whose clients are away, if the node is going to leave and the others know it.
    func storeSessions() async {
        guard local.recovers, node.driver.keepsSessions, let owner = await node.drained() else { return }
        let (positions, unwritten) = node.position(in: namespace)
        // What counts in the positions must have reached the sessions. What comes in between is among the ids that they know.
        await node.applied()
        let taking = recovery.withLock { _ in local.beginTakingParkedSessions() }
        guard recovery.withLock({ $0.isReliable(now: node.now) }) else { return }
        var batches = SessionBatches(node.configuration, messageLimit: node.driver.messageLimit)
        for parked in await taking() {
            let session = parked.session
            let claimed = ClaimedSession(
                id: session.id,
                rooms: session.rooms,
                data: session.data,
                missed: session.buffer.packets(after: session.buffer.base) ?? [],
                known: session.buffer.known + unwritten,
                positions: positions
            )
            let content = StoredSessionContent(owner: owner, age: parked.age, base: session.buffer.base, session: claimed)
            guard let payload = try? ClusterPayloadCoder.encode(content) else { continue }
            batches.add(StoredSession(namespace: namespace, pid: session.pid, payload: payload))
        }
        await store(batches)
    }

    private func store(_ batches: SessionBatches) async {
        let limit = ContinuousClock.now + node.configuration.writeTimeout
        var failed = batches.refused
        for batch in batches.all {
            guard ContinuousClock.now < limit else {
                failed += batch.count
                continue
            }
            do { try await node.driver.storeSessions(batch, for: local.sessionRetention) } catch {
                failed += batch.count
                node.log.session("sessions could not be stored", ["error": "\(QuotedText("\(error)", limit: 300))"])
            }
        }
        guard failed > 0 else { return }
        node.log.session("sessions are lost, their clients start anew", ["count": "\(failed)", "nsp": "\(QuotedText(namespace))"])
    }

    // MARK: The node that the client has come to

    /// Takes a session out of the store. It is then nowhere else, so if it is not covered it is lost.
    ///
    /// Nodes that nobody knows of can have stored nothing that could be restored, so the store is not asked then.
    func takeStored(pid: String) async -> (content: StoredSessionContent, mark: RecoveryLog.Mark)? {
        guard node.driver.keepsSessions, recovery.withLock({ $0.mayHaveStored }) else { return nil }
        do {
            return try await node.driver.takeSession(pid, in: namespace).flatMap(read)
        } catch {
            node.log.session("a stored session could not be read", ["error": "\(QuotedText("\(error)", limit: 300))"])
            return nil
        }
    }

    /// What is in a session, and since when what it missed besides is in the log; nil if it is not covered.
    func read(_ stored: StoredSession) throws -> (content: StoredSessionContent, mark: RecoveryLog.Mark)? {
        let content = try ClusterPayloadCoder.decodeSession(stored.payload)
        return recovery.withLock { recovery in
            recovery.mark(for: content.owner, age: content.age, now: node.now).map { (content, $0) }
        }
    }

    /// Takes a session out of the store for a node that asks for it, with all that it has missed up to here, as if it had been here.
    func takeStored(pid: String, offset: MessageID?) async -> ClaimedSession? {
        guard let stored = await takeStored(pid: pid), let session = stored.content.session(after: offset) else { return nil }
        return recovery.withLock { recovery in
            let (positions, unwritten) = node.position(in: namespace)
            guard recovery.isReliable(now: node.now) else { return nil }
            return recovery.forward(session, since: stored.mark, positions: positions, unwritten: unwritten)
        }
    }
}

/// Sessions in batches that a driver can store.
struct SessionBatches {
    private(set) var all: [[StoredSession]] = []
    /// The number of sessions that are too large.
    private(set) var refused = 0
    private var bytes = 0
    private let countLimit: Int
    private let byteLimit: Int
    private let messageLimit: Int

    init(_ configuration: ClusterConfiguration, messageLimit: Int) {
        self.countLimit = max(1, configuration.maximumBatchMessages)
        self.byteLimit = configuration.maximumBatchBytes
        self.messageLimit = messageLimit
    }

    /// - Returns: Whether it is small enough.
    @discardableResult
    mutating func add(_ session: StoredSession) -> Bool {
        let size = session.payload.readableBytes + session.pid.utf8.count + session.namespace.utf8.count + 256
        guard size <= messageLimit else {
            refused += 1
            return false
        }
        if let last = all.last, last.count < countLimit, bytes + size <= byteLimit {
            all[all.count - 1].append(session)
            bytes += size
        } else {
            all.append([session])
            bytes = size
        }
        return true
    }
}
