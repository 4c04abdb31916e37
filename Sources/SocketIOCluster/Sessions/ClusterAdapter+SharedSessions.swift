// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

/// Sessions that go to nodes of other kinds, and come from them.
extension ClusterAdapter {
    /// Keeps the session in this process; if nodes of other kinds may get the client, it is written for them too.
    public func persistSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool {
        let isKept = local.persistSession(of: socket, session)
        guard isKept, let exchange = node.driver.sessionExchange else { return isKept }
        let shared = SharedSession(namespace: namespace, pid: session.pid, id: session.id, rooms: session.rooms, data: session.data)
        inBackground("a session could not be written for other nodes") { [node] in try await exchange.persist(shared, by: node.id) }
        return true
    }

    /// Writes a packet that a single socket of this process was given, for the node to which its client may go. If too much waits to be
    /// written it is left out; that node then lacks it.
    public func emitted(_ packet: BroadcastPacket, to id: SocketID) {
        guard packet.offset != nil, node.driver.sessionExchange != nil else { return }
        node.record(packet, to: id, in: namespace)
    }

    /// A node of another kind has the session now, or had it later than this one.
    func forgetSession(pid: String) { if local.recovers { local.dropParkedSession(pid: pid) } }

    /// The session is alive here: what was written of it is stale.
    func forgetShared(pid: String) {
        guard let exchange = node.driver.sessionExchange else { return }
        inBackground("a session could not be taken back from other nodes") { [node, namespace] in
            try await exchange.forget(pid, in: namespace, by: node.id)
        }
    }

    /// The session of a client that comes from a node of another kind.
    func takeShared(pid: String, offset: MessageID?) async -> ClaimedSession? {
        guard let exchange = node.driver.sessionExchange, let offset else { return nil }
        do {
            let retention = local.sessionRetention
            guard let shared = try await exchange.take(pid, after: offset, in: namespace, retention: retention, by: node.id) else {
                return nil
            }
            return ClaimedSession(
                id: shared.id,
                rooms: shared.rooms,
                data: shared.data,
                missed: shared.missed,
                known: shared.missed.compactMap(\.offset) + [offset],
                positions: []
            )
        } catch {
            node.log.session("a session of another node could not be read", ["error": "\(QuotedText("\(error)", limit: 300))"])
            return nil
        }
    }

    private func inBackground(_ failure: Logger.Message, _ job: @escaping @Sendable () async throws -> Void) {
        let isAccepted = node.responders.add { [node] in
            do { try await job() } catch { node.log.session(failure, ["error": "\(QuotedText("\(error)", limit: 300))"]) }
        }
        if !isAccepted { node.log.session(failure, ["reason": "the node has too much to do"]) }
    }
}

extension ClusterNode {
    /// Writes a packet that only clients which move to nodes of other kinds need.
    func record(_ packet: BroadcastPacket, to id: SocketID, in namespace: String) {
        perform { machine, now in
            guard machine.waitingCount < configuration.maximumQueuedMessages else { return [] }
            let body = ClusterBody.broadcast(packet, BroadcastOptions(rooms: [id]))
            return machine.send(Outgoing(namespace: namespace, body: body, id: packet.offset, deadline: machine.writeDeadline(now: now)))
        }
    }

    /// A node of another kind has a session, so that this one must not give it to anybody.
    package func forgetSession(pid: String, in namespace: String) { adapter(of: namespace)?.forgetSession(pid: pid) }
}
