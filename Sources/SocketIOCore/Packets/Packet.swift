// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack

/// The type of a Socket.IO packet (Socket.IO protocol v5, "Packet encoding").
public enum PacketType: UInt8, Sendable, Hashable {
    /// Sent by a client to join a namespace, and by the server to confirm it.
    case connect = 0
    /// Ends the connection to a namespace.
    case disconnect = 1
    /// An event with arguments.
    case event = 2
    /// The acknowledgement of an event.
    case acknowledgement = 3
    /// Refuses a connection to a namespace.
    case connectError = 4
    /// An event whose arguments contain binary.
    case binaryEvent = 5
    /// An acknowledgement whose arguments contain binary.
    case binaryAcknowledgement = 6
}

/// The encoding of packets. A server and its clients must use the same one.
public enum PacketFormat: UInt8, Sendable, Hashable, CaseIterable {
    /// The default parser: JSON text, binary arguments as attachments.
    case json = 0
    /// The parser of the npm package `socket.io-msgpack-parser`: one binary message per packet.
    case messagePack = 1

    /// How deep arrays and objects of one argument may be nested.
    package var argumentNesting: Int { self == .json ? JSONWalker.deepestNesting : MessagePackLimits.deepestNesting }
}

/// A packet from a client, parsed as far as routing needs it. Its arguments are still encoded.
public struct Packet: Sendable {
    /// The content of a packet.
    public enum Content: Sendable {
        /// A request to join the namespace, with the client's `auth` object if it sent one.
        case connect(auth: EncodedValue?)
        /// The client leaves the namespace.
        case disconnect
        /// An event.
        case event(name: String, arguments: EventArguments, id: UInt64?)
        /// The acknowledgement of the event that was sent with this id.
        case acknowledgement(id: UInt64, arguments: EventArguments)
        /// A refusal, with its `message` and `data`. Only servers send it.
        case connectError(EncodedValue?)
        /// A packet whose payload is nested too deeply, of the type ``PacketType/connect``, ``PacketType/event``,
        /// ``PacketType/acknowledgement`` or ``PacketType/connectError``. It is to be reported and not handled; the connection goes on.
        /// `event` is the name of an event.
        case discarded(PacketType, event: String?, id: UInt64?)
    }

    /// The namespace, with its leading slash.
    public var namespace: String
    /// The packet's content.
    public var content: Content

    /// Creates a packet.
    public init(namespace: String, content: Content) {
        self.namespace = namespace
        self.content = content
    }
}

/// A packet that breaks the protocol. The connection that sent it is closed with the reason `parse error`.
public struct PacketError: Error, Hashable, CustomStringConvertible {
    /// The kind of an error.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case unknownType, illegalAttachments, tooManyAttachments, illegalNamespace, illegalID, illegalPayload
            case unexpectedBinary, unexpectedText, tooManyValues, eventNameTooLong, nestedTooDeeply
        }
        private let value: Value
        /// The packet type is not one of the protocol.
        public static let unknownType = Code(value: .unknownType)
        /// The attachment count is missing or not a number.
        public static let illegalAttachments = Code(value: .illegalAttachments)
        /// The packet announces more attachments than the limit, or their bytes exceed the limit.
        public static let tooManyAttachments = Code(value: .tooManyAttachments)
        /// The namespace is too long or not valid UTF-8.
        public static let illegalNamespace = Code(value: .illegalNamespace)
        /// The acknowledgement id is missing or does not fit 64 bits.
        public static let illegalID = Code(value: .illegalID)
        /// The payload is not what the packet type requires.
        public static let illegalPayload = Code(value: .illegalPayload)
        /// A binary message arrived while no packet was waiting for one.
        public static let unexpectedBinary = Code(value: .unexpectedBinary)
        /// A text message arrived while a packet was waiting for attachments, or for a parser that is binary only.
        public static let unexpectedText = Code(value: .unexpectedText)
        /// The payload has more values than the limit.
        public static let tooManyValues = Code(value: .tooManyValues)
        /// The name of an event is longer than ``PacketDecoderStateMachine/Limits/eventName``, or has more than 64 combining marks in a row.
        public static let eventNameTooLong = Code(value: .eventNameTooLong)
        /// Arrays and objects of one argument are nested deeper than 64 levels (JSON) or 32 levels (MessagePack). It costs the packet, and not
        /// the connection: see ``Packet/Content/discarded(_:event:id:)``.
        public static let nestedTooDeeply = Code(value: .nestedTooDeeply)
        /// The name of the code.
        public var description: String { value.rawValue }
    }

    /// What was wrong.
    public let code: Code
    /// The code's name; packets are never quoted.
    public var description: String { "invalid packet: \(code)" }

    init(_ code: Code) { self.code = code }
}
