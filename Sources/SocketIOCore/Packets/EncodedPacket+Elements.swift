// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import EngineIOCore
package import NIOCore
import SocketIOMessagePack

/// The last element of an event, after its arguments.
package enum PacketOffset: Sendable {
    /// None: connection state recovery is off, or the event asks for an acknowledgement.
    case none
    /// `null`: with recovery JavaScript's client takes the last string of every event for its offset.
    case absent
    /// The offset.
    case id(MessageID)
}

extension EventArguments {
    /// The arguments as one array, as ``init(array:format:attachments:)`` takes it.
    package var array: ByteBuffer {
        var array = ByteBuffer()
        switch format {
        case .json:
            array.writeInteger(UInt8(ascii: "["))
            array.writeImmutableBuffer(region)
            array.writeInteger(UInt8(ascii: "]"))
        case .messagePack:
            MessagePackPacket.writeArrayHeader(count, to: &array)
            array.writeImmutableBuffer(region)
        }
        return array
    }
}

extension EncodedPacket {
    /// The encoded elements of the packet: the event's name, its arguments and, if it has one, its offset.
    ///
    /// - Throws: ``PacketError`` if it is not an event.
    package func elements() throws(PacketError) -> EventArguments {
        let message = message
        guard isBinary else {
            let header = try JSONPacketHeader(message)
            guard header.type == .event || header.type == .binaryEvent else { throw PacketError(.unknownType) }
            return EventArguments(format: .json, bytes: message, ranges: try header.elements(of: message, .max), attachments: attachments)
        }
        guard let ranges = MessagePackPacket.elements(of: message) else { throw PacketError(.illegalPayload) }
        return EventArguments(format: .messagePack, bytes: message, ranges: ranges, attachments: [])
    }

    /// Creates the packet of an event from its ``elements()``.
    ///
    /// - Parameters:
    ///   - elements: The event's name and its arguments.
    ///   - offset: The text to add as the last argument.
    ///   - namespace: The namespace, with its leading slash.
    package static func event(_ elements: EventArguments, offset: PacketOffset, namespace: String) throws -> EncodedPacket {
        try PacketEncoder(format: elements.format).encode(.event, namespace: namespace, id: nil) { writer in
            try writer.append(contentsOf: elements)
            switch offset {
            case .none: break
            case .absent: try writer.append(String?.none)
            case .id(let id): try writer.append(id.description)
            }
        }
    }
}
