// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import NIOCore
import NIOPosix
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// Clients and callers that come before the server has started.
@Suite(.timeLimit(.minutes(1))) struct StartTests {
    private struct NoDatabase: Error {}

    private struct MountedServer: Sendable {
        let io: SocketIOServer
        let port: Int

        func connect() async throws -> TestClient { try await TestClient.connect(port: port) }
    }

    /// A server that is mounted, but not started.
    private func withMounted(adapter: StubAdapterFactory, _ body: (MountedServer) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let io = SocketIOServer(adapter: adapter, eventLoopGroup: group, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try io.engine.configure(channel) } }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(MountedServer(io: io, port: channel.localAddress?.port ?? 0)))
        } catch {
            result = .failure(error)
        }
        try? await channel.close().get()
        await io.close()
        try await group.shutdownGracefully()
        try result.get()
    }

    @Test func `clients wait for the start`() async throws {
        let started = Shared(false)
        let early = Shared(false)
        let release = Reports<Void>()
        let adapter = StubAdapterFactory(onStart: {
            _ = await release.next()
            started.value = true
        })
        try await withMounted(adapter: adapter) { server in
            server.io.onConnect { _ in if !started.value { early.value = true } }
            let client = try await server.connect()
            try await client.requestJoin("/")
            async let start: Void = server.io.start()
            // One that gives up meanwhile.
            let other = try await server.connect()
            try await other.requestJoin("/")
            await other.cut()
            try await eventually { server.io.clientsCount == 1 }
            release.report(())
            try await start
            guard case .connect = try await client.receivePacket().content else {
                Issue.record("not let in")
                return
            }
            #expect(!early.value)
        }
    }

    @Test func `a failed start fails for all and lets the clients go`() async throws {
        let release = Reports<Void>()
        let adapter = StubAdapterFactory(onStart: {
            _ = await release.next()
            throw NoDatabase()
        })
        try await withMounted(adapter: adapter) { server in
            let client = try await server.connect()
            try await client.requestJoin("/")
            let starts = (0..<2).map { _ in Task { try await server.io.start() } }
            release.report(())
            for start in starts { await #expect(throws: NoDatabase.self) { try await start.value } }
            await #expect(throws: NoDatabase.self) { try await server.io.start() }
            await client.waitUntilClosed()
        }
    }

    @Test func `closing waits for the start that it ends`() async throws {
        let life = Reports<String>()
        let adapter = StubAdapterFactory(
            onStart: {
                life.report("starting")
                do {
                    try await Task.sleep(for: .seconds(3_600))
                } catch {
                    life.report("given up")
                    throw error
                }
            },
            onDrain: { life.report("draining") },
            onAdapterClose: { _ in life.report("closed") }
        )
        try await withMounted(adapter: adapter) { server in
            let start = Task { try await server.io.start() }
            #expect(await life.next() == "starting")
            async let close: Void = server.io.close()
            await server.io.close()
            #expect(await life.next() == "given up")
            #expect(await life.next() == "closed")
            await close
            await #expect { try await start.value } throws: { ($0 as? SocketIOError)?.code == .serverClosed }
        }
    }
}
