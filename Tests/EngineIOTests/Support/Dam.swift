// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded

@testable import EngineIO

/// The network of a client that does not read: keeps what the server writes until it is opened.
final class Dam: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var kept: [(NIOAny, EventLoopPromise<Void>?)] = []
    private var context: ChannelHandlerContext?
    private(set) var keptBytes = 0
    private(set) var isOpen = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOpen else { return context.write(data, promise: promise) }
        kept.append((data, promise))
        keptBytes += Self.unwrapOutboundIn(data).readableBytes
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        for (_, promise) in kept { promise?.fail(ChannelError.ioOnClosedChannel) }
        kept = []
        context.close(mode: mode, promise: promise)
    }

    /// The number of writes that wait.
    var writes: Int { kept.count }

    /// The client reads.
    func open() {
        isOpen = true
        while !kept.isEmpty, let context {
            let (data, promise) = kept.removeFirst()
            context.writeAndFlush(data, promise: promise)
        }
        context?.eventLoop.assumeIsolated().execute {}
    }
}

extension EmbeddedServer {
    /// A client that does not read until its dam is opened.
    func connectBehindDam(fallback: (@Sendable (any Channel) throws -> Void)? = nil) throws -> (EmbeddedClient, Dam) {
        let channel = EmbeddedChannel(loop: loop)
        let dam = Dam()
        try channel.pipeline.syncOperations.addHandler(dam)
        try engine.configure(channel, fallback: fallback)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (EmbeddedClient(channel: channel), dam)
    }
}
