// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOEmbedded
package import SocketIOCore
import Synchronization

/// A socket without a connection: it counts what it gets.
package final class MemorySocket: LocalSocket {
    package let id: SocketID
    package let eventLoop: any EventLoop
    private let count = Atomic<Int>(0)

    init(id: SocketID, eventLoop: any EventLoop) {
        self.id = id
        self.eventLoop = eventLoop
    }

    /// The number of packets it got.
    package var delivered: Int { count.load(ordering: .relaxed) }

    package func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) {
        count.wrappingAdd(1, ordering: .relaxed)
    }

    package func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        acknowledgements.clientIsGone()
    }

    package func forgetAcknowledgement(_ id: UInt64) {}
    package func describe() -> SocketDescription {
        SocketDescription(id: id, handshake: Handshake(), data: EncodedValue(format: .json, bytes: ByteBuffer()))
    }
    package func disconnect(closeConnection: Bool) {}
    package func handOverSession() -> RecoverableSession? { nil }
}

/// A namespace of one process with sockets that have no connection, all on one event loop.
package final class MemoryNamespace {
    package let adapter: CoreLocalAdapter
    package private(set) var sockets: [MemorySocket] = []
    private let loop = EmbeddedEventLoop()

    package init() {
        adapter = CoreLocalAdapter(eventLoops: [loop], format: .json)
    }

    /// Adds sockets that are in the given rooms.
    package func add(_ count: Int, to rooms: [Room] = []) {
        for _ in 0..<count {
            let socket = MemorySocket(id: "socket-\(sockets.count)", eventLoop: loop)
            _ = adapter.add(socket)
            if !rooms.isEmpty { adapter.join(socket, rooms: rooms) }
            sockets.append(socket)
        }
    }

    /// Adds sockets, each in a room of its own besides the one that is named by its id.
    package func addAlone(_ count: Int) {
        for number in 0..<count { add(1, to: ["room-\(number)"]) }
    }

    package static func message(_ text: String = String(repeating: "x", count: 64)) throws -> BroadcastPacket {
        BroadcastPacket(try PacketEncoder(format: .json).event("msg", namespace: "/") { try $0.append(text) })
    }
}
