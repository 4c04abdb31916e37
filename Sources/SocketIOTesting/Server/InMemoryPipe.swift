// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded

/// Two channels of one event loop that are connected to each other, as if by a network.
struct InMemoryPipe {
    let client: NIOAsyncTestingChannel
    let server: NIOAsyncTestingChannel

    /// Creates the channels, which are not active yet. Must be called on the loop.
    static func make(on loop: NIOAsyncTestingEventLoop) throws -> InMemoryPipe {
        let pipe = InMemoryPipe(client: NIOAsyncTestingChannel(loop: loop), server: NIOAsyncTestingChannel(loop: loop))
        let (near, far) = (InMemoryPipeEnd(pipe.client), InMemoryPipeEnd(pipe.server))
        near.other = far
        far.other = near
        try pipe.client.pipeline.syncOperations.addHandler(near)
        try pipe.server.pipeline.syncOperations.addHandler(far)
        return pipe
    }
}

/// The head of a channel's pipeline: bytes that are written here are read at the other end.
private final class InMemoryPipeEnd: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// The number of unread bytes at which the channel stops being writable.
    private static let highWater = 64 * 1_024

    /// Broken when this end closes.
    var other: InMemoryPipeEnd?
    private let channel: NIOAsyncTestingChannel
    private var context: ChannelHandlerContext?
    private var unflushed: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    private var arrived = CircularBuffer<ByteBuffer>()
    private var arrivedBytes = 0
    private var wantsRead = false
    private var isAtEnd = false

    init(_ channel: NIOAsyncTestingChannel) { self.channel = channel }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        channel.read()
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        unflushed.append((unwrapOutboundIn(data), promise))
    }

    func flush(context: ChannelHandlerContext) {
        let written = unflushed
        unflushed = []
        for (bytes, promise) in written {
            guard let other else {
                promise?.fail(ChannelError.ioOnClosedChannel)
                continue
            }
            other.arrived.append(bytes)
            other.arrivedBytes += bytes.readableBytes
            promise?.succeed()
        }
        other?.deliverSoon()
        setWritability()
    }

    private func setWritability() {
        let isWritable = (other?.arrivedBytes ?? 0) < Self.highWater
        guard channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        context?.fireChannelWritabilityChanged()
    }

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        wantsRead = true
        if !arrived.isEmpty || isAtEnd { deliverSoon() }
    }

    private func deliverSoon() {
        // Never from within a write, since reading may lead to an immediate answer.
        channel.eventLoop.assumeIsolated().execute { self.deliver() }
    }

    private func deliver() {
        guard wantsRead, let context else { return }
        guard let bytes = arrived.popFirst() else {
            if isAtEnd { context.close(promise: nil) }
            return
        }
        arrivedBytes -= bytes.readableBytes
        wantsRead = false
        other?.setWritability()
        context.fireChannelRead(wrapInboundOut(bytes))
        context.fireChannelReadComplete()
        // Through the pipeline, so that a handler can keep it.
        if channel.isActive { channel.read() }
    }

    typealias InboundOut = ByteBuffer

    // MARK: The end

    func channelInactive(context: ChannelHandlerContext) {
        for (_, promise) in unflushed { promise?.fail(ChannelError.ioOnClosedChannel) }
        unflushed = []
        let other = self.other
        self.other = nil
        other?.other = nil
        other?.isAtEnd = true
        other?.deliverSoon()
        context.fireChannelInactive()
    }
}
