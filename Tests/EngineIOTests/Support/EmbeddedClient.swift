// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import EngineIO

/// A server on one embedded event loop, whose clock stands still until a test moves it.
final class EmbeddedServer {
    let loop = EmbeddedEventLoop()
    let engine: EngineServer
    let delegate: EchoDelegate

    init(
        delegate: EchoDelegate = EchoDelegate(),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        metrics: EngineMetrics = EngineMetrics(),
        configure: (inout EngineConfiguration) -> Void = { _ in }
    ) {
        var configuration = EngineConfiguration()
        configure(&configuration)
        self.delegate = delegate
        self.engine = EngineServer(configuration: configuration, delegate: delegate, logger: logger, metrics: metrics)
    }

    func connect(fallback: (@Sendable (any Channel) throws -> Void)? = nil) throws -> EmbeddedClient {
        let channel = EmbeddedChannel(loop: loop)
        try engine.configure(channel, fallback: fallback)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return EmbeddedClient(channel: channel)
    }

    func advance(_ seconds: Double) {
        loop.advanceTime(by: .nanoseconds(Int64(seconds * 1e9)))
        loop.run()
    }

    var events: [EchoDelegate.Event] { delegate.log.withLock { $0 } }
}

/// A connection to an ``EmbeddedServer``.
final class EmbeddedClient {
    let channel: EmbeddedChannel
    private var received: [UInt8] = []

    init(channel: EmbeddedChannel) {
        self.channel = channel
    }

    var isOpen: Bool { channel.isActive }

    func send(_ bytes: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        channel.embeddedEventLoop.run()
    }

    func request(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) throws {
        try send(Array(RawClient.encodeRequest(method, target, headers: headers, body: body).utf8))
    }

    func get(_ target: String, headers: [String] = []) throws -> RawClient.Response? {
        try request("GET", target, headers: headers)
        return try response()
    }

    /// The answer to a GET whose header fields are all given.
    func get(_ target: String, fields: [String], version: String = "1.1") throws -> RawClient.Response? {
        try send(Array(("GET \(target) HTTP/\(version)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8))
        return try response()
    }

    func post(_ target: String, _ body: String, headers: [String] = []) throws -> RawClient.Response? {
        try request("POST", target, headers: headers, body: body)
        return try response()
    }

    private func collect() throws {
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { received += Array(buffer.readableBytesView) }
    }

    /// All that has been written and not taken.
    func bytes() throws -> [UInt8] {
        try collect()
        return received
    }

    /// The next answer, if it has been written.
    func response() throws -> RawClient.Response? {
        try collect()
        guard let (response, used) = try RawClient.parseResponse(received) else { return nil }
        received.removeFirst(used)
        return response
    }

    /// The next frame, if it has been written.
    func frame() throws -> RawClient.Frame? {
        try collect()
        guard let (frame, used) = RawClient.parseFrame(received) else { return nil }
        received.removeFirst(used)
        return frame
    }

    func sendText(_ text: String) throws {
        try send(RawClient.encodeFrame(0x81, Array(text.utf8)))
    }

    func handshake() throws -> String {
        let body = try #require(try get("/socket.io/?EIO=4&transport=polling")).body
        let start = try #require(body.firstRange(of: "\"sid\":\"")).upperBound
        return String(body[start...].prefix { $0 != "\"" })
    }

    func upgrade(_ target: String) throws {
        let response = try #require(try get(target, headers: RawClient.upgradeHeaders))
        try #require(response.status == 101, "\(response)")
    }

    /// Opens a session over WebSocket and reads its open packet.
    func openWebSocket() throws {
        try upgrade("/socket.io/?EIO=4&transport=websocket")
        guard case .text(let open)? = try frame(), open.hasPrefix("0{") else { throw RawClient.Failure.malformed("no open packet") }
    }

    func close() throws {
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }
}
