// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import SocketIOText

/// An event from a client, or for one, with its arguments still encoded.
public struct SocketEvent: Sendable {
    /// The event's name.
    public let name: String
    /// The arguments; decode those that you need with ``SocketIOCore/EventArguments/decode(_:at:)``.
    public let arguments: EventArguments
    /// Answers the event; nil if the client does not wait for an answer, or the event goes to the client.
    public let acknowledgement: Acknowledgement?

    init(name: String, arguments: EventArguments, acknowledgement: Acknowledgement? = nil) {
        self.name = name
        self.arguments = arguments
        self.acknowledgement = acknowledgement
    }
}

/// Why a socket was disconnected, in Socket.IO's words.
public struct DisconnectReason: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Socket.IO's words.
    public let description: String

    /// Whether both have the same words.
    public static func == (left: DisconnectReason, right: DisconnectReason) -> Bool { left.description == right.description }
    /// Hashes the words.
    public func hash(into hasher: inout Hasher) { Bytewise.hash(description, into: &hasher) }

    /// Creates a reason of these words.
    public init(_ description: String) { self.description = description }
    /// Creates a reason of these words.
    public init(stringLiteral value: String) { self.description = value }

    /// The client left the namespace.
    public static let clientNamespaceDisconnect: DisconnectReason = "client namespace disconnect"
    /// The server called `disconnect`, with or without `close`.
    public static let serverNamespaceDisconnect: DisconnectReason = "server namespace disconnect"
    /// The server is shutting down.
    public static let serverShuttingDown: DisconnectReason = "server shutting down"
    /// The client did not answer a ping in time.
    public static let pingTimeout: DisconnectReason = "ping timeout"
    /// The client closed the connection, or the network did.
    public static let transportClose: DisconnectReason = "transport close"
    /// The connection failed.
    public static let transportError: DisconnectReason = "transport error"
    /// The client sent a packet that breaks the protocol.
    public static let parseError: DisconnectReason = "parse error"
    /// The server closed the client's connection.
    public static let forcedClose: DisconnectReason = "forced close"
    /// The client joined no namespace in time.
    public static let forcedServerClose: DisconnectReason = "forced server close"

    /// The client did not read what it was sent.
    public static let sendBufferFull: DisconnectReason = "send buffer full"

    /// Whether a session that ended so can be recovered: nobody has ended it on purpose.
    var isRecoverable: Bool {
        switch self {
        case .transportError, .transportClose, .forcedClose, .pingTimeout, .serverShuttingDown, .forcedServerClose, .sendBufferFull: true
        default: false
        }
    }
}
