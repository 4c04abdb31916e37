// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import NIOPosix
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventLoopTests {
    @Test func `a connection on a foreign event loop is closed`() async throws {
        let own = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let foreign = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let io = SocketIOServer(eventLoopGroup: own)
        let http = try await EngineHTTPServer.start(EngineHTTPServerConfiguration(port: 0), engine: io.engine, on: foreign)
        let client = try await TestClient.connect(port: http.port)
        try await client.requestJoin("/")
        await client.waitUntilClosed()
        #expect(io.clientsCount == 0)
        await http.shutdown()
        await io.close()
        try await foreign.shutdownGracefully()
        try await own.shutdownGracefully()
    }
}
