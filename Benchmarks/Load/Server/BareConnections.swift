// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// Answers handshakes and the main namespace with NIO and nothing else: it looks at nothing that it reads, and keeps nothing.
///
/// What a Socket.IO server on NIO cannot be faster than when clients connect.
func serveBare(_ options: Options, on group: MultiThreadedEventLoopGroup, onListening: (Int) -> Void) async throws {
    let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .serverChannelOption(.maxMessagesPerRead, value: 16)
        .serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(BareConnection()) }
        }
        .bind(host: options.host, port: options.port).get()
    onListening(listener.localAddress?.port ?? 0)
    try await listener.closeFuture.get()
}

private final class BareConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let opened = answer(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        #"0{"sid":"bare","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
    )
    private static let joined = answer("", #"40{"sid":"bare"}"#)
    private var reads = 0

    private static func answer(_ head: String, _ message: String) -> ByteBuffer {
        var buffer = ByteBuffer(string: head)
        buffer.writeBytes([0x81, UInt8(message.utf8.count)])
        buffer.writeString(message)
        return buffer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reads += 1
        switch reads {
        case 1: context.writeAndFlush(Self.wrapOutboundOut(Self.opened), promise: nil)
        case 2: context.writeAndFlush(Self.wrapOutboundOut(Self.joined), promise: nil)
        default: break
        }
    }
}
