// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOText

/// Checks of packets that another process has written.
extension EncodedPacket {
    /// Whether the packet can be sent to clients: an event for their parser and their namespace, without an acknowledgement id, and with all
    /// attachments that it names. Its bytes are checked like those of a client; nothing is decoded.
    ///
    /// - Parameters:
    ///   - format: The parser of the clients.
    ///   - namespace: Their namespace, with its leading slash.
    package func isEvent(for format: PacketFormat, in namespace: String) -> Bool {
        guard isBinary == (format == .messagePack) else { return false }
        return switch format {
        case .json: isJSONEvent(in: namespace)
        case .messagePack: isMessagePackEvent(in: namespace)
        }
    }

    private func isJSONEvent(in namespace: String) -> Bool {
        let (message, attachments) = (message, attachments)
        guard let header = try? JSONPacketHeader(message), header.type == .event || header.type == .binaryEvent, header.id == nil,
            header.attachments == attachments.count, header.namespace == namespace,
            let elements = try? header.elements(of: message, .max),
            (try? header.message(message, elements: elements, attachments: attachments, eventNameLimit: .max)) != nil
        else { return false }
        return attachments.isEmpty || header.hasSoundPlaceholders(in: message, attachments)
    }

    private func isMessagePackEvent(in namespace: String) -> Bool {
        let message = message
        guard messageCount == 1, let fields = try? MessagePackPacket.readFields(message, maximumValues: .max),
            fields.type == PacketType.event.rawValue, fields.id == nil, let name = fields.namespace, name == namespace,
            let first = fields.elements?[0], let event = MessagePackPacket.eventName(first, message)
        else { return false }
        return !EventName.isReserved(event)
    }

    /// Whether the packet is empty. A node that keeps copies of sessions sends an empty broadcast first: no client receives it, and it gives
    /// the node its first position in the stream.
    package var isPlaceMarker: Bool { messageCount == 1 && message.readableBytes == 0 }
}
