// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOWebSocket
import SocketIOText

/// A WebSocket connection of a test client.
final class WebSocketTransport: TestTransport {
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    /// - Parameter sid: The session that is upgraded; nil for a new one.
    static func connect(_ requests: TestRequests, sid: String? = nil, _ inbox: Inbox) async throws -> WebSocketTransport {
        let upgraded = try await requests.endpoint.open { channel in try configure(channel, requests, sid, inbox) }
        return WebSocketTransport(try await upgraded.get())
    }

    private static func configure(_ channel: any Channel, _ requests: TestRequests, _ sid: String?, _ inbox: Inbox) throws
        -> EventLoopFuture<any Channel>
    {
        let answersPings = requests.answersPings
        let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(maxFrameSize: 1 << 24) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(TestClientHandler(inbox: inbox, answersPings: answersPings))
                return channel
            }
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: requests.target("websocket", sid: sid))
        head.headers.add(name: "host", value: requests.endpoint.host)
        for (name, value) in requests.headers { head.headers.add(name: name, value: value) }
        let configuration = NIOTypedHTTPClientUpgradeConfiguration(upgradeRequestHead: head, upgraders: [upgrader]) { channel in
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(TestClient.Failure(description: "the server refused the WebSocket"))
        }
        var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
        // The server's first message may come with its answer to the upgrade.
        pipeline.leftOverBytesStrategy = .forwardBytes
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
    }

    var isOpen: Bool { channel.isActive }

    func send(_ messages: [TestClient.Message]) async throws {
        for message in messages {
            let frame =
                switch message {
                case .text(let text): WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text))
                case .binary(let data): WebSocketFrame(fin: true, opcode: .binary, maskKey: .random(), data: data)
                }
            try await channel.writeAndFlush(frame).get()
        }
    }

    func waitUntilClosed() async { try? await channel.closeFuture.get() }

    func cut() async { try? await channel.close().get() }

    func stopReading() async throws {
        try await channel.setOption(.autoRead, value: false).get()
        // A channel in memory has no such option.
        try await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.handler(type: TestClientHandler.self).isReading = false
        }.get()
    }
}

/// Passes the server's messages on and answers its pings.
private final class TestClientHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let inbox: Inbox
    private let answersPings: Bool
    var isReading = true

    init(inbox: Inbox, answersPings: Bool) {
        self.inbox = inbox
        self.answersPings = answersPings
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            let text = String(buffer: frame.unmaskedData)
            if text == "2" { return answerPing(context) }
            inbox.append(.text(text))
        case .binary: inbox.append(.binary(frame.unmaskedData))
        case .connectionClose: context.close(promise: nil)
        default: break
        }
    }

    private func answerPing(_ context: ChannelHandlerContext) {
        guard answersPings else { return }
        let frame = WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: "3"))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if isReading { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) { inbox.finish() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
