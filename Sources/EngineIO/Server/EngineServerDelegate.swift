// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// Creates the object that receives a session's messages.
public protocol EngineServerDelegate: AnyObject, Sendable {
    /// Called on the session's event loop when its handshake has been accepted.
    ///
    /// Messages that are sent from here follow the handshake packet, in the same response if the client polls.
    ///
    /// - Parameter session: The new session; it may only be used on its event loop.
    /// - Returns: The receiver of the session's messages. The session keeps it until it is closed.
    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate

    /// The HTTP server has begun to shut down and has asked a connection that carries a session to end. Called for each connection, on its
    /// event loop.
    ///
    /// - Returns: Whether the delegate closes the sessions, by ``EngineServer/shutdown(over:)``. If not, each session is closed within
    ///   ``EngineConfiguration/quiesceDuration``. Default: false.
    func engineServerShouldDrain() -> Bool
}

extension EngineServerDelegate {
    /// Lets each session close by itself.
    public func engineServerShouldDrain() -> Bool { false }
}

/// Receives the messages and events of one session. All calls are made on the session's event loop.
public protocol EngineSessionDelegate: AnyObject {
    /// A text message, without Engine.IO's packet type `4`. It is valid UTF-8.
    func session(_ session: EngineSession, didReceiveText message: ByteBuffer)

    /// A binary message.
    func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer)

    /// The client answered a ping, so everything that was sent before that ping has arrived.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - pingNumber: The number of the ping: packets sent while ``EngineSession/pingsSent`` was less than it have arrived.
    func session(_ session: EngineSession, didReceivePongFor pingNumber: Int)

    /// The send buffer, once above ``EngineConfiguration/Limits/sendBufferLowWater`` packets, is empty again.
    func sessionDidDrain(_ session: EngineSession)

    /// The session, which was opened by long-polling, goes on over WebSocket.
    func sessionDidUpgrade(_ session: EngineSession)

    /// The session has ended; nothing else is called afterwards.
    func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason)
}

extension EngineSessionDelegate {
    /// Ignores the pong.
    public func session(_ session: EngineSession, didReceivePongFor pingNumber: Int) {}
    /// Ignores the upgrade.
    public func sessionDidUpgrade(_ session: EngineSession) {}
    /// Ignores the drain.
    public func sessionDidDrain(_ session: EngineSession) {}
}
