// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// Sessions that move between this node and nodes of another implementation, through the driver's ``SessionExchange``.
struct ForeignSessions {
    private let node: ClusterNode
    private let exchange: any SessionExchange
    private let namespace: String
    private let retention: Duration

    /// nil if all nodes are of one implementation.
    init?(node: ClusterNode, namespace: String, retention: Duration) {
        guard let exchange = node.driver.sessionExchange else { return nil }
        self.node = node
        self.exchange = exchange
        self.namespace = namespace
        self.retention = retention
    }

    /// Writes a parked session for the other nodes.
    func park(_ session: RecoverableSession) {
        inBackground("a session could not be written for other nodes") {
            try await exchange.park(session.state, pid: session.pid, in: namespace, by: node.id)
        }
    }

    /// Discards what was written of a session, because its client has returned to this node.
    func discard(pid: String) {
        inBackground("a session could not be withdrawn from other nodes") {
            try await exchange.discard(pid, in: namespace, by: node.id)
        }
    }

    /// Claims the session of a client that comes from one of the other nodes.
    func claim(pid: String, after offset: MessageID) async -> ClaimedSession? {
        do {
            let claimed = try await exchange.claim(pid, after: offset, in: namespace, retention: retention, by: node.id)
            guard var session = claimed else { return nil }
            session.known = session.missed.compactMap(\.offset) + [offset]
            return session
        } catch {
            node.log.session("a session of another node could not be read", error: error)
            return nil
        }
    }

    /// Writes a packet that was given to a single socket of this process, for the node to which its client may move. It is left out if it
    /// cannot be expressed, or if too many messages are queued; that node then lacks it.
    func record(_ packet: BroadcastPacket, to id: SocketID) {
        let body = ClusterBody.broadcast(packet, BroadcastOptions(rooms: [id]))
        guard node.runner.refusal(of: body, in: namespace) == nil else { return }
        node.runner.perform { machine, now in
            guard machine.waitingCount < node.configuration.maximumQueuedMessages else { return [] }
            return machine.send(Outgoing(namespace: namespace, body: body, id: packet.offset, deadline: machine.writeDeadline(now: now)))
        }
    }

    private func inBackground(_ failure: Logger.Message, _ job: @escaping @Sendable () async throws -> Void) {
        let isAccepted = node.responders.add { [node] in
            do { try await job() } catch { node.log.session(failure, error: error) }
        }
        if !isAccepted { node.log.session(failure, reason: "the node has too many jobs") }
    }
}
