// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOCore
import SocketIOText

/// The driver's session store: nodes that leave put their parked sessions there, and the nodes where clients return take them.
struct SessionStorage {
    private let node: ClusterNode
    private let namespace: String
    private let retention: Duration

    /// nil if the driver does not keep sessions.
    init?(node: ClusterNode, namespace: String, retention: Duration) {
        guard node.driver.keepsSessions else { return nil }
        self.node = node
        self.namespace = namespace
        self.retention = retention
    }

    func makeBatches() -> SessionBatches { SessionBatches(node.configuration, messageLimit: node.driver.messageLimit) }

    /// Stores sessions; those that are too large, or not stored within the write timeout, are lost.
    func store(_ batches: SessionBatches) async {
        let limit = ContinuousClock.now + node.configuration.writeTimeout
        var failed = batches.refused
        for batch in batches.all {
            guard ContinuousClock.now < limit else {
                failed += batch.count
                continue
            }
            do { try await node.driver.storeSessions(batch, for: retention) } catch {
                failed += batch.count
                node.log.session("sessions could not be stored", error: error)
            }
        }
        if failed > 0 { node.log.session("sessions are lost, their clients start anew", namespace: namespace, count: failed) }
    }

    /// Takes a session from the store, so that no other node gets it.
    func take(pid: String) async throws -> StoredSession? { try await node.driver.takeSession(pid, in: namespace) }
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

    /// - Returns: Whether the session is small enough.
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
