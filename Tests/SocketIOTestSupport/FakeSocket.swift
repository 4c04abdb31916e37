// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore
import Synchronization

/// A socket without a client, for tests of adapters: it keeps the packets that it is given.
package final class FakeSocket: LocalSocket {
    private struct State {
        var packets: [BroadcastPacket] = []
        var names: [String] = []
        var descriptions = 0
        var disconnections = 0
    }

    package let id: SocketID
    package let eventLoop: any EventLoop
    private let acknowledges: Bool
    private let data: EncodedValue
    private let state = Mutex(State())

    /// Creates a socket.
    ///
    /// - Parameters:
    ///   - id: The socket's id.
    ///   - loop: The event loop that owns the socket.
    ///   - acknowledges: Whether it acknowledges packets at once, with its id; otherwise it never answers.
    ///   - data: The data in its description.
    package init(_ id: SocketID, on loop: any EventLoop, acknowledges: Bool = true, data: EncodedValue = EncodedObject.empty) {
        self.id = id
        self.eventLoop = loop
        self.acknowledges = acknowledges
        self.data = data
    }

    /// The packets, in the order of their arrival.
    package var packets: [BroadcastPacket] { state.withLock { $0.packets } }
    /// The number of packets.
    package var count: Int { state.withLock { $0.packets.count } }
    /// The names of the events; “?” stands for a packet that is not an event.
    package var received: [String] { state.withLock { $0.names } }
    /// The names of the events that begin with a prefix.
    package func received(_ prefix: String) -> [String] { received.filter { $0.hasPrefix(prefix) } }
    /// How often the socket was described.
    package var descriptions: Int { state.withLock { $0.descriptions } }
    /// How often the socket was disconnected.
    package var disconnections: Int { state.withLock { $0.disconnections } }
    package var isDisconnected: Bool { disconnections > 0 }

    package func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) {
        let name = packet.eventName ?? "?"
        state.withLock { state in
            state.packets.append(packet)
            state.names.append(name)
        }
    }

    package func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        deliver(packet, flags: .init())
        guard acknowledges else { return }
        let answer = try? PacketEncoder(format: .json).arguments { try $0.append(self.id) }
        acknowledgements.receive(answer ?? .empty(.json))
    }

    package func forgetAcknowledgement(_ id: UInt64) {}

    package func describe() -> SocketDescription {
        state.withLock { $0.descriptions += 1 }
        return SocketDescription(id: id, handshake: Handshake(headers: ["host": "test"], url: "/socket.io/"), data: data)
    }

    package func disconnect(closeConnection: Bool) { state.withLock { $0.disconnections += 1 } }
    package func handOverSession() -> RecoverableSession? { nil }
}

extension BroadcastPacket {
    /// The name of the event; nil if the packet is not an event.
    package var eventName: String? { try? encoded.elements().decode(String.self, at: 0) }
}
