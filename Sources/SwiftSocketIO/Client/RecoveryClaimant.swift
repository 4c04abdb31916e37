// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// The claim to a session that a client presents in the `auth` of its CONNECT packet.
struct RecoveryClaim: Decodable {
    var pid: String
    var offset: String?

    init?(_ auth: EncodedValue) {
        guard let claim = try? auth.decode(RecoveryClaim.self) else { return nil }
        // A claim of another form is ignored without a look at the sessions or a request to the other nodes.
        guard SessionToken.isPlausible(claim.pid), claim.offset.map(SessionToken.isPlausible) ?? true else { return nil }
        self = claim
    }

    /// Whether ids and offsets have the form that this server gives them.
    func isOurs(_ form: SessionIDForm) -> Bool { form.matches(pid) && (offset.map(SessionIDForm.isOffset) ?? true) }
}

/// Takes over the session of a client that has reconnected.
final class RecoveryClaimant: SessionClaimant {
    let eventLoop: any EventLoop
    private let namespace: Namespace
    private let client: NIOLoopBound<Client>
    private let auth: EncodedValue?
    private let attempt: Client.AttemptID
    private let offset: MessageID?
    private let socket: LoopBoundBox<Socket?>

    init(namespace: Namespace, attempt: ConnectAttempt, offset: String?) {
        self.eventLoop = attempt.eventLoop
        self.namespace = namespace
        self.client = attempt.client
        self.auth = attempt.auth
        self.attempt = attempt.id
        self.offset = offset.flatMap { RecoveryOffset($0) }?.id
        self.socket = LoopBoundBox(nil, to: attempt.eventLoop)
    }

    func makeSocket(id: SocketID, pid: String) -> (any LocalSocket)? {
        let socket = Socket(id: id, namespace: namespace, client: client.value, auth: auth, pid: pid, recovered: true)
        guard client.value.admitRecovered(socket, attempt: attempt) else { return nil }
        self.socket.value = socket
        return socket
    }

    func resume(_ session: RecoverableSession, missed: [BroadcastPacket]) {
        guard let socket = socket.value else { return }
        guard socket.bound.value.phase == .connected else { return socket.keep(session, missed: missed, after: offset) }
        socket.data.restore(session.data)
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
