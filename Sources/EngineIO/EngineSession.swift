public import NIOCore
public import SocketIOCore

/// One client's session, from its handshake to its close, whatever transport carries it.
///
/// A session belongs to the event loop of its handshake: every member may only be used there.
/// Wrap it in `NIOLoopBound` to carry it elsewhere.
public final class EngineSession {
    /// The state of a session, by Engine.IO's names.
    public enum ReadyState: Sendable {
        /// Packets flow.
        case open
        /// The server is closing it: what is queued is still being sent, nothing else is accepted.
        case closing
        /// It has ended.
        case closed
    }

    /// The session id, which is secret to client and server.
    public let id: String
    /// The event loop that the session lives on.
    public let eventLoop: any EventLoop
    /// The request that opened the session.
    public let handshake: EngineHandshake

    init(id: String, eventLoop: any EventLoop, handshake: EngineHandshake) {
        self.id = id
        self.eventLoop = eventLoop
        self.handshake = handshake
    }

    /// Sends a packet. The bytes leave at the end of the event loop's current tick, after everything sent before.
    ///
    /// If the client does not read, the packet waits in the send buffer; when that is full, the session is closed with
    /// ``EngineCloseReason/sendBufferFull``. After ``close(_:)`` nothing is accepted any more.
    public func send(_ packet: EncodedPacket) {}

    /// Sends a packet if the client can take it now, and drops it otherwise.
    ///
    /// - Returns: Whether it was sent: false if no poll is waiting, the connection is not writable or the session is not open.
    @discardableResult
    public func sendVolatile(_ packet: EncodedPacket) -> Bool { false }

    /// Closes the session after everything queued has been sent: a polling client gets it, and the close, with its next poll.
    ///
    /// - Parameter reason: What the delegate gets when the session has closed.
    public func close(_ reason: EngineCloseReason = .forcedClose) {}

    /// Closes the session at once and drops what is queued.
    ///
    /// - Parameter reason: What the delegate gets, before this returns.
    public func discard(_ reason: EngineCloseReason = .forcedClose) {}

    /// Stops reading from the client. No pong is awaited meanwhile, up to ``EngineConfiguration/Limits/readPause``.
    public func pauseReading() {}

    /// Reads from the client again.
    public func resumeReading() {}

    /// The state of the session.
    public var readyState: ReadyState { .closed }
    /// The transport in use, `polling` or `websocket`.
    public var transportName: String { "polling" }
    /// Whether a packet sent now would leave at the end of this tick.
    public var isWritable: Bool { false }
    /// The packets waiting in the send buffer.
    public var bufferedPackets: Int { 0 }
    /// The bytes waiting in the send buffer.
    public var bufferedBytes: Int { 0 }
    /// How many pings were sent so far. A pong for ping number n tells that all that was sent while this was below n has arrived.
    public var pingsSent: Int { 0 }
}
