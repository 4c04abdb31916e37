// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// A session's side of a WebSocket connection, which may live on another event loop.
enum WebSocketLink {
    case local(EngineWebSocketHandler)
    case remote(RemoteWebSocket)

    var id: Int {
        switch self {
        case .local(let handler): handler.id
        case .remote(let remote): remote.id
        }
    }

    /// Whether a frame written now would not have to wait for the client.
    var isWritable: Bool {
        switch self {
        case .local(let handler): handler.isWritable
        case .remote(let remote): remote.isWritable
        }
    }

    /// Writes frames; they leave with the next ``flush(from:)``.
    func write(_ frames: ByteBuffer) {
        switch self {
        case .local(let handler): handler.write(frames)
        case .remote(let remote): remote.write(frames)
        }
    }

    /// Writes the last frames of a tick, and flushes.
    func send(_ frames: ByteBuffer, from loop: EngineLoop) {
        switch self {
        case .local(let handler): handler.send(frames)
        case .remote(let remote):
            remote.write(frames)
            remote.flush(from: loop)
        }
    }

    /// Writes as much as the socket takes without the channel, which may be nothing. Calls nobody back.
    ///
    /// - Returns: How many bytes were written.
    func sendAtOnce(_ frames: ByteBuffer) -> Int {
        switch self {
        case .local(let handler): handler.sendAtOnce(frames)
        case .remote: 0
        }
    }

    func flush(from loop: EngineLoop) {
        switch self {
        case .local(let handler): handler.flush()
        case .remote(let remote): remote.flush(from: loop)
        }
    }

    /// Starts the closing handshake; the session hears nothing more of this connection.
    func close(_ code: WebSocketCloseCode, from loop: EngineLoop) {
        switch self {
        case .local(let handler): handler.closeFromSession(code)
        case .remote(let remote):
            remote.flush(from: loop)
            let handler = remote.handler
            loop.perform(on: remote.home) { _ in handler.value.closeFromSession(code) }
        }
    }

    func setReading(_ isReading: Bool, from loop: EngineLoop) {
        switch self {
        case .local(let handler): handler.setReading(isReading)
        case .remote(let remote):
            let handler = remote.handler
            loop.perform(on: remote.home) { _ in handler.value.setReading(isReading) }
        }
    }
}

/// A WebSocket connection of another event loop, as the session's loop sees it.
///
/// What a session writes in one tick crosses together. What has crossed but not been confirmed is limited, as a channel's own buffer would be.
final class RemoteWebSocket {
    private static let highWater = 64 << 10

    let id: Int
    let home: EngineLoopHandle
    let handler: NIOLoopBound<EngineWebSocketHandler>
    private var pending: [ByteBuffer] = []
    private var unconfirmed = 0
    private var channelIsWritable = true

    init(id: Int, home: EngineLoopHandle, handler: NIOLoopBound<EngineWebSocketHandler>) {
        self.id = id
        self.home = home
        self.handler = handler
    }

    var isWritable: Bool { channelIsWritable && unconfirmed < Self.highWater }

    func write(_ frames: ByteBuffer) {
        pending.append(frames)
        unconfirmed += frames.readableBytes
    }

    func flush(from loop: EngineLoop) {
        guard !pending.isEmpty else { return }
        let (frames, handler) = (pending, handler)
        pending = []
        loop.perform(on: home) { _ in handler.value.writeFromSession(frames) }
    }

    func confirmed(bytes: Int, isWritable: Bool) {
        unconfirmed -= bytes
        channelIsWritable = isWritable
    }
}

/// How much a WebSocket connection has sent to its session on another event loop that was not processed there yet.
///
/// The connection is not read while it is too much, so a busy loop does not collect what a fast one reads.
final class InboundCredit: Sendable {
    private static let limit = 256 << 10

    private let bytes = Atomic(0)
    private let isWaiting = Atomic(false)

    /// Called by the connection's loop before it hands over.
    ///
    /// - Returns: Whether the connection is to stop reading, until the session's loop says so.
    func spend(_ count: Int) -> Bool {
        guard bytes.wrappingAdd(count, ordering: .acquiringAndReleasing).newValue > Self.limit else { return false }
        isWaiting.store(true, ordering: .sequentiallyConsistent)
        // All may have been processed just before.
        guard bytes.load(ordering: .sequentiallyConsistent) <= Self.limit else { return true }
        return !isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Called by the session's loop after it has processed what was handed over.
    ///
    /// - Returns: Whether the connection waits for being told to read on.
    func restore(_ count: Int) -> Bool {
        guard bytes.wrappingSubtract(count, ordering: .sequentiallyConsistent).newValue <= Self.limit else { return false }
        return isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }
}

/// The codes of WebSocket close frames that a server sends (RFC 6455, section 7.4).
enum WebSocketCloseCode: UInt16, Sendable {
    case normal = 1000
    case goingAway = 1001
    case protocolError = 1002
    case invalidData = 1007
    case policyViolation = 1008
    case messageTooLarge = 1009
}

/// What a WebSocket connection tells its session.
enum WebSocketEvent: Sendable {
    /// A text message, with Engine.IO's packet type.
    case text(ByteBuffer)
    case binary(ByteBuffer)
    /// The connection is gone, or no longer of use.
    case closed(isError: Bool)
    /// The server's channels are told to finish what they are doing.
    case quiesce
    /// Bytes have been handed to the channel.
    case written(bytes: Int, isWritable: Bool)

    /// What the event costs of ``InboundCredit``.
    var cost: Int {
        switch self {
        case .text(let message), .binary(let message): message.readableBytes + 64
        case .closed, .quiesce, .written: 0
        }
    }
}
