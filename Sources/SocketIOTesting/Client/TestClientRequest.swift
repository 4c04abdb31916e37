// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOWebSocket
import Synchronization

/// The request with which a client connects, and the upgrade of its connection to WebSocket.
struct TestClientRequest: Sendable {
    var host: String
    var path: String
    var headers: [(String, String)]
    var answersPings: Bool
    let mailbox = Mailbox<TestClient.Message>()

    /// Prepares a channel that is not active yet; to be called on its event loop.
    func configure(_ channel: any Channel) throws -> EventLoopFuture<any Channel> {
        let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(maxFrameSize: 1 << 24) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(TestClientHandler(mailbox: mailbox, answersPings: answersPings))
                return channel
            }
        }
        let configuration = NIOTypedHTTPClientUpgradeConfiguration(upgradeRequestHead: head, upgraders: [upgrader]) { channel in
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(TestClient.Failure(description: "the server refused the WebSocket"))
        }
        var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
        // The server's first message may come with its answer to the upgrade.
        pipeline.leftOverBytesStrategy = .forwardBytes
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
    }

    private var head: HTTPRequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "\(path)?EIO=4&transport=websocket")
        head.headers.add(name: "host", value: host)
        for (name, value) in headers { head.headers.add(name: name, value: value) }
        return head
    }
}
