// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import NIOCore

/// A connection's socket, for the two calls that go around NIO's channel: the last write of a tick, and the rest of a handshake.
///
/// NIO's way to the same `send` costs more than the call itself: a fan-out takes 1 372 instructions per client this way and 6 040 through
/// the channel. Everything that goes around the channel is here, and rests on these invariants:
///
/// 1. **Nothing is between this and the network.** No TLS, and no handler of another server, that would want to see the bytes. The caller
///    of ``init(isAllowed:)`` vouches for that.
/// 2. **Bytes stay in order.** Every write through the channel is counted until its promise is fulfilled (``writeBegan()``,
///    ``writeFinished()``). While one is unfinished, nothing is sent here.
/// 3. **The descriptor is the connection's own.** The channel closes its descriptor and becomes inactive in one step, on its event loop.
///    So while it is active, on that loop, no other file can have the number.
/// 4. **The channel decides what a failure means.** A call that takes or yields nothing, for whatever reason, counts as zero bytes. The
///    rest goes through the channel, which then waits for the client or notices that the connection is gone.
/// 5. **Only the first read is taken from the channel**, from within `channelRead`, when the buffer that it filled was full.
///
/// ``EngineConfiguration/usesDirectWrites`` turns it off: then no descriptor is ever looked up, and the channel carries everything.
struct DirectSocket {
    private let isAllowed: Bool
    /// Writes that the channel has not finished.
    private var unfinishedWrites: Int32 = 0
    /// -1 if unknown, or closed.
    private var file: CInt = -1

    /// - Parameter isAllowed: Whether the first invariant holds, and the configuration allows it.
    init(isAllowed: Bool) { self.isAllowed = isAllowed }

    /// Whether the writes through the channel are to be counted.
    var countsWrites: Bool { isAllowed }

    /// A write is handed to the channel.
    mutating func writeBegan() { unfinishedWrites += 1 }

    /// The channel has finished a write. After the last one, the descriptor is looked up, if it is not known.
    mutating func writeFinished(_ context: ChannelHandlerContext?) {
        unfinishedWrites -= 1
        if file < 0, unfinishedWrites == 0, let context { find(context) }
    }

    /// Looks up the descriptor: a dynamic cast, and a long one, so it happens once, and only for connections that gain by it.
    mutating func find(_ context: ChannelHandlerContext) {
        guard isAllowed, file < 0, context.channel.isActive else { return }
        let found = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        if let found = found ?? nil { file = found }
    }

    /// The connection has ended.
    mutating func close() { file = -1 }

    /// Whether the descriptor is known.
    var isKnown: Bool { file >= 0 }

    /// Sends as much as the socket takes, if the channel has nothing left to write.
    ///
    /// - Returns: How many bytes were sent.
    func send(_ frames: ByteBuffer, _ context: ChannelHandlerContext) -> Int {
        guard file >= 0, unfinishedWrites == 0, context.channel.isActive else { return 0 }
        return frames.withUnsafeReadableBytes { socketio_send(file, $0.baseAddress, UInt($0.count)) }
    }

    /// Appends what the socket has to `buffer`.
    func receive(into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { socketio_receive(file, $0.baseAddress, UInt($0.count)) }
    }
}
