// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SocketIOCore
import SocketIOText
import Synchronization

/// A socket without a client: it keeps what it is given, and acknowledges with its id if it is told to.
final class TestSocket: LocalSocket {
    let id: SocketID
    let eventLoop: any EventLoop
    let acknowledges: Bool
    private let texts = Mutex<[String]>([])
    private let isGone = Mutex(false)

    init(_ id: SocketID, on loop: any EventLoop, acknowledges: Bool = true) {
        self.id = id
        self.eventLoop = loop
        self.acknowledges = acknowledges
    }

    var received: [String] { texts.withLock { $0 } }
    var isDisconnected: Bool { isGone.withLock { $0 } }

    func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) {
        texts.withLock { $0.append(packet.name ?? "?") }
    }

    func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        deliver(packet, flags: .init())
        guard acknowledges else { return }
        let answer = try? PacketEncoder(format: .json).arguments { try $0.append(self.id) }
        acknowledgements.receive(answer ?? .empty(.json))
    }

    func forgetAcknowledgement(_ id: UInt64) {}

    func describe() -> SocketDescription {
        let data = EncodedObject.encode(["name": id]) { value in
            var buffer = ByteBuffer(bytes: [0xa0 | UInt8(value.utf8.count)])
            buffer.writeString(value)
            return buffer
        }
        return SocketDescription(id: id, handshake: Handshake(headers: ["host": "test"], url: "/socket.io/"), data: data)
    }

    func disconnect(closeConnection: Bool) { isGone.withLock { $0 = true } }
    func handOverSession() -> RecoverableSession? { nil }
}
