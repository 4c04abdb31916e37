// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import SocketIOText

/// An event from a client or for a client, with its arguments still encoded.
public struct SocketEvent: Sendable {
    /// The event's name.
    public let name: String
    /// The arguments. Decode them with ``SocketIOCore/EventArguments/decode(_:at:)``.
    public let arguments: EventArguments
    /// Acknowledges the event; nil if the client did not ask for it, or the event is for the client.
    public let acknowledgement: Acknowledgement?

    init(name: String, arguments: EventArguments, acknowledgement: Acknowledgement? = nil) {
        self.name = name
        self.arguments = arguments
        self.acknowledgement = acknowledgement
    }
}

/// Why a socket was disconnected, as Socket.IO names it.
public struct DisconnectReason: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The name of the reason in Socket.IO.
    public let description: String

    /// Whether both have the same name.
    public static func == (left: DisconnectReason, right: DisconnectReason) -> Bool { left.description == right.description }
    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { Bytewise.hash(description, into: &hasher) }

    /// Creates a reason with this name.
    public init(_ description: String) { self.description = description }
    /// Creates a reason with this name.
    public init(stringLiteral value: String) { self.description = value }

    /// The client left the namespace.
    public static let clientNamespaceDisconnect: DisconnectReason = "client namespace disconnect"
    /// The server called `disconnect`, with or without `close`.
    public static let serverNamespaceDisconnect: DisconnectReason = "server namespace disconnect"
    /// The server is shutting down.
    public static let serverShuttingDown: DisconnectReason = "server shutting down"
    /// The client did not answer a ping in time.
    public static let pingTimeout: DisconnectReason = "ping timeout"
    /// The connection was closed by the client or the network.
    public static let transportClose: DisconnectReason = "transport close"
    /// The connection failed.
    public static let transportError: DisconnectReason = "transport error"
    /// The client sent a packet that breaks the protocol.
    public static let parseError: DisconnectReason = "parse error"
    /// The server closed the client's connection.
    public static let forcedClose: DisconnectReason = "forced close"
    /// The client joined no namespace in time.
    public static let forcedServerClose: DisconnectReason = "forced server close"

    /// The client did not read the packets that were sent to it.
    public static let sendBufferFull: DisconnectReason = "send buffer full"
    /// More of the client's events waited for their handlers than ``EventQueueLimits/hardEvents`` and ``EventQueueLimits/hardBytes`` allow.
    public static let eventQueueFull: DisconnectReason = "event queue full"

    /// The reasons that the server itself gives.
    static let all: [DisconnectReason] = [
        .clientNamespaceDisconnect, .serverNamespaceDisconnect, .serverShuttingDown, .pingTimeout, .transportClose, .transportError,
        .parseError, .forcedClose, .forcedServerClose, .sendBufferFull, .eventQueueFull,
    ]

    /// Whether a session that ended for this reason can be recovered: neither side ended it on purpose.
    var isRecoverable: Bool {
        switch self {
        case .transportError, .transportClose, .forcedClose, .pingTimeout, .serverShuttingDown, .forcedServerClose, .sendBufferFull: true
        default: false
        }
    }
}
