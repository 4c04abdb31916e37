// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import NIOCore
import NIOPosix
import SocketIOTesting
import SwiftSocketIO
import Synchronization

/// Runs a server on a free port for the time of a test.
func withServer(
    loops: Int = 1,
    configuration: SocketIOConfiguration = .init(),
    adapter: any AdapterFactory = LocalAdapterFactory(),
    set: (SocketIOServer) async throws -> Void = { _ in },
    _ body: (TestServer) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    let io = SocketIOServer(
        configuration: configuration,
        adapter: adapter,
        eventLoopGroup: group,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    try await set(io)
    try await io.start()
    let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
            // As in the standalone server.
            channel.eventLoop.makeCompletedFuture {
                try io.engine.configure(channel, isSecure: false, ownsPipeline: true, fallback: nil)
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    let server = TestServer(io: io, port: channel.localAddress?.port ?? 0)
    let result: Result<Void, any Error>
    do { result = .success(try await body(server)) } catch { result = .failure(error) }
    try? await channel.close().get()
    await io.close()
    try await group.shutdownGracefully()
    try result.get()
}

struct TestServer: Sendable {
    let io: SocketIOServer
    let port: Int

    func client() async throws -> TestClient { try await TestClient.connect(port: port, format: io.configuration.parser) }

    /// A client that is in the main namespace.
    func joined(_ namespace: String = "/") async throws -> (client: TestClient, sid: String, pid: String?) {
        let client = try await client()
        let (sid, pid) = try await client.join(namespace)
        return (client, sid, pid)
    }
}

/// A variable that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    init(_ value: Value) { stored = Mutex(value) }

    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    func update(_ change: (inout Value) -> Void) { stored.withLock { change(&$0) } }
}

/// Waits until something that no event announces has happened.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(2)) }
}

/// Waits for what a handler reports.
final class Reports<Element: Sendable>: Sendable {
    private let stream: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_000)) }

    func report(_ element: Element) { continuation.yield(element) }

    func next() async -> Element? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}
