// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
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

    /// Writes as much as the socket takes directly, which may be nothing. It causes no event.
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

    /// Starts the closing handshake. The session gets no more events of this connection.
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
/// The frames of one tick cross together. Bytes that have crossed and have not been confirmed are limited, as a channel's own buffer is.
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

/// Counts the bytes that a WebSocket connection has sent to its session on another event loop and that were not processed there yet.
///
/// The connection is not read while there are too many, so a busy loop does not collect what a fast one reads.
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
    /// - Returns: Whether the connection waits for the signal to read on.
    func restore(_ count: Int) -> Bool {
        guard bytes.wrappingSubtract(count, ordering: .sequentiallyConsistent).newValue <= Self.limit else { return false }
        return isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }
}

/// An event of a WebSocket connection, for its session.
enum WebSocketEvent: Sendable {
    /// A text message, with Engine.IO's packet type.
    case text(ByteBuffer)
    case binary(ByteBuffer)
    /// The connection has ended, or is of no more use.
    case closed(isError: Bool)
    /// The HTTP server shuts down.
    case quiesce
    /// Bytes have been handed to the channel.
    case written(bytes: Int, isWritable: Bool)

    /// How much of the ``InboundCredit`` the event takes.
    var cost: Int {
        switch self {
        case .text(let message), .binary(let message): message.readableBytes + 64
        case .closed, .quiesce, .written: 0
        }
    }
}
