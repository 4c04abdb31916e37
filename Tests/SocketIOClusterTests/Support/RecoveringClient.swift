// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SocketIOConcurrency
import SocketIOCore
import SocketIOTestSupport
import SocketIOText
import Synchronization

/// A client that is cut off and comes back, and the sockets that serve it.
final class RecoveringClient: Sendable {
    private struct State {
        var received: [String] = []
        var offset: MessageID?
    }

    private let state = Mutex(State())

    var received: [String] { state.withLock { $0.received } }
    var offset: String? { state.withLock { $0.offset?.description } }

    func receive(_ packet: BroadcastPacket) {
        state.withLock { state in
            state.received.append(packet.eventName ?? "?")
            state.offset = packet.offset ?? state.offset
        }
    }
}

/// A socket that can be recovered, as the server's sockets can; `FakeSocket` cannot.
final class RecoveringSocket: LocalSocket {
    private struct State {
        /// Nil when the client is cut off; what is sent then does not arrive.
        var client: RecoveringClient?
        var ring: RecoveryBuffer
        /// What came while the session was on its way.
        var held: [BroadcastPacket]?
        var isFrozen = false
    }

    let id: SocketID
    let pid: String
    let eventLoop: any EventLoop
    private let state: LoopBoundBox<State>

    init(id: SocketID, pid: String, client: RecoveringClient, base: MessageID?, holds: Bool, on loop: any EventLoop) {
        self.id = id
        self.pid = pid
        self.eventLoop = loop
        self.state = LoopBoundBox(State(client: client, ring: RecoveryBuffer(base: base), held: holds ? [] : nil), to: loop)
    }

    func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) {
        guard !state.value.isFrozen else { return }
        guard state.value.held == nil else {
            state.value.held?.append(packet)
            return
        }
        state.value.ring.append(packet, pings: 0)
        state.value.client?.receive(packet)
    }

    func goLive(_ missed: [BroadcastPacket]) {
        let held = state.value.held ?? []
        state.value.held = nil
        for packet in missed + held { deliver(packet, flags: .init()) }
    }

    func cutOff() { state.value.client = nil }

    func session(rooms: NameSet) -> RecoverableSession {
        let session = SessionState(id: id, rooms: rooms, data: EncodedObject.empty)
        return RecoverableSession(pid: pid, state: session, buffer: state.value.ring)
    }

    func handOverSession() -> RecoverableSession? {
        state.value.isFrozen = true
        return session(rooms: [])
    }

    func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        acknowledgements.clientIsGone()
    }
    func forgetAcknowledgement(_ id: UInt64) {}
    func describe() -> SocketDescription {
        SocketDescription(id: id, handshake: Handshake(), data: EncodedObject.empty)
    }
    func disconnect(closeConnection: Bool) {}
}

/// What the server does for a client that presents a session.
final class TestClaimant: SessionClaimant {
    let eventLoop: any EventLoop
    private let client: RecoveringClient
    private let base: MessageID?
    private let made = Mutex<RecoveringSocket?>(nil)

    init(_ client: RecoveringClient, on loop: any EventLoop) {
        self.client = client
        self.eventLoop = loop
        self.base = client.offset.flatMap { MessageID($0) }
    }

    var socket: RecoveringSocket? { made.withLock { $0 } }

    func makeSocket(id: SocketID, pid: String) -> (any LocalSocket)? {
        let socket = RecoveringSocket(id: id, pid: pid, client: client, base: base, holds: true, on: eventLoop)
        made.withLock { $0 = socket }
        return socket
    }

    func resume(_ state: SessionState, missed: [BroadcastPacket], after offset: MessageID?) { socket?.goLive(missed) }
    func abandon() {}
}
