// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// What a client presents to recover its session, in the `auth` of its CONNECT packet.
struct RecoveryClaim: Decodable {
    var pid: String
    var offset: String?

    init?(_ auth: EncodedValue) {
        guard let claim = try? auth.decode(RecoveryClaim.self) else { return nil }
        // Ids of another form are neither looked up nor claimed from other nodes.
        guard SessionToken.isPlausible(claim.pid), claim.offset.map(SessionToken.isPlausible) ?? true else { return nil }
        self = claim
    }

    /// Whether it has the form of the ids and offsets that this server makes.
    func isOurs(_ form: SessionIDForm) -> Bool { form.matches(pid) && (offset.map(SessionIDForm.isOffset) ?? true) }
}

/// Makes the socket of a client that has returned, for the session that it claims.
final class RecoveryClaimant: SessionClaimant {
    let eventLoop: any EventLoop
    private let namespace: Namespace
    private let client: NIOLoopBound<Client>
    private let auth: EncodedValue?
    private let attempt: Client.AttemptID
    private let socket: LoopBoundBox<Socket?>

    init(namespace: Namespace, attempt: ConnectAttempt) {
        self.eventLoop = attempt.eventLoop
        self.namespace = namespace
        self.client = attempt.client
        self.auth = attempt.auth
        self.attempt = attempt.id
        self.socket = LoopBoundBox(nil, to: attempt.eventLoop)
    }

    func makeSocket(id: SocketID, pid: String) -> (any LocalSocket)? {
        let socket = Socket(id: id, namespace: namespace, client: client.value, auth: auth, pid: pid, recovered: true)
        guard client.value.admitRecovered(socket, attempt: attempt) else { return nil }
        self.socket.value = socket
        return socket
    }

    func resume(_ state: SessionState, missed: [BroadcastPacket], after offset: MessageID?) {
        guard let socket = socket.value else { return }
        // No handler starts for a client that is gone, although it may take some turns until all its sockets are disconnected.
        client.value.endNow(socket)
        guard socket.bound.value.phase == .connected else { return socket.parkAtOnce(state, missed: missed, after: offset) }
        socket.data.restore(state.data)
        let server = namespace.server
        client.value.session.send(server.encoder.connect(namespace: namespace.name, sid: socket.id, pid: socket.pid))
        socket.bound.value.recovery = server.makeRecoveryBuffer(for: socket, base: offset).map(SocketState.Recovery.init)
        let held = socket.bound.value.held ?? []
        socket.bound.value.held = nil
        for packet in Socket.joined(missed, held) { socket.write(packet, volatile: false) }
        server.metrics.recoveredSessions.increment()
        socket.startHandlers()
    }

    func abandon() {
        if let socket = socket.value { client.value.expel(socket) }
    }
}
