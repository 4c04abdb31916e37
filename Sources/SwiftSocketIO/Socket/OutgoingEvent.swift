// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import SocketIOCore

/// An event that is sent, decoded for the listeners of outgoing events.
struct OutgoingEvent {
    var name: String
    var arguments: EventArguments

    static func parse(_ packet: EncodedPacket, format: PacketFormat) -> OutgoingEvent? {
        let limits = PacketDecoderStateMachine.Limits(attachments: .max, bytes: .max, values: .max, eventName: .max)
        var decoder = PacketDecoderStateMachine(format: format, limits: limits)
        var parsed = packet.isBinary ? try? decoder.receive(binary: packet.message) : try? decoder.receive(text: packet.message)
        for attachment in packet.attachments { parsed = try? decoder.receive(binary: attachment) }
        guard case .event(let name, let arguments, _) = parsed?.content else { return nil }
        return OutgoingEvent(name: name, arguments: arguments)
    }
}
