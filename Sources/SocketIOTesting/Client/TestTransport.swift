// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SocketIOText

/// How the messages of a test client travel.
protocol TestTransport: Sendable {
    var isOpen: Bool { get }
    /// Sends messages one after the other, in one request if the transport has requests.
    func send(_ messages: [TestClient.Message]) async throws
    func stopReading() async throws
    func cut() async
    func waitUntilClosed() async
}

/// Where a test client connects to.
protocol TestEndpoint: Sendable {
    /// The `Host` of requests.
    var host: String { get }
    /// Opens a connection, whose channel `configure` prepares on its event loop before it is active.
    func open<Result: Sendable>(_ configure: @escaping @Sendable (any Channel) throws -> Result) async throws -> Result
}

/// An address on a network.
struct NetworkEndpoint: TestEndpoint {
    let address: String
    let port: Int
    let group: any EventLoopGroup

    var host: String { "\(address):\(port)" }

    func open<Result: Sendable>(_ configure: @escaping @Sendable (any Channel) throws -> Result) async throws -> Result {
        try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: address, port: port) { channel in channel.eventLoop.makeCompletedFuture { try configure(channel) } }
    }
}

/// The parts of a client's requests that are the same in all of them.
struct TestRequests: Sendable {
    var endpoint: any TestEndpoint
    var path: String
    var headers: [(String, String)]
    var answersPings: Bool

    /// The target of a request.
    func target(_ transport: String, sid: String? = nil) -> String {
        "\(path)?EIO=4&transport=\(transport)" + (sid.map { "&sid=\($0)" } ?? "")
    }
}
