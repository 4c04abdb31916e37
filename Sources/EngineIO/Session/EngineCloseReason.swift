// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// Why a session ended, in Socket.IO's words.
///
/// A client's Socket.IO sockets hand these strings to their `disconnect` handlers unchanged.
public struct EngineCloseReason: Sendable, Hashable, CustomStringConvertible {
    /// The reason as Socket.IO writes it, such as `transport close`.
    public let description: String

    /// Feeds the words to a hasher.
    public func hash(into hasher: inout Hasher) { Bytewise.hash(description, into: &hasher) }

    /// Makes a reason of your own.
    ///
    /// - Parameter description: The words for the disconnect handlers.
    public init(_ description: String) {
        self.description = description
    }

    /// The client disconnected: its connection was closed or lost, or it sent a close packet.
    public static let transportClose = EngineCloseReason("transport close")
    /// The client broke the rules of the transport: an aborted or second poll, an overlapping POST, a bad frame, a large payload.
    public static let transportError = EngineCloseReason("transport error")
    /// No pong arrived within ``EngineConfiguration/pingTimeout`` of a ping.
    public static let pingTimeout = EngineCloseReason("ping timeout")
    /// The client sent a packet that could not be parsed.
    public static let parseError = EngineCloseReason("parse error")
    /// The server closed the session.
    public static let forcedClose = EngineCloseReason("forced close")
    /// The server closed the session before its first namespace was joined, or by `disconnect(close: true)`.
    public static let forcedServerClose = EngineCloseReason("forced server close")
    /// The server is shutting down.
    public static let serverShuttingDown = EngineCloseReason("server shutting down")
    /// The client did not read what was sent to it, and its send buffer is full
    /// (``EngineConfiguration/Limits/sendBufferBytes``, ``EngineConfiguration/Limits/sendBufferPackets``).
    public static let sendBufferFull = EngineCloseReason("send buffer full")

    /// The reasons above.
    static let own: [EngineCloseReason] = [
        .transportClose, .transportError, .pingTimeout, .parseError, .forcedClose, .forcedServerClose, .serverShuttingDown, .sendBufferFull,
    ]
}
