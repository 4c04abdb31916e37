// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
import EngineIOTestSupport
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SocketIOCore
import SwiftSocketIO
import SocketIOHummingbird
import SocketIOTesting
import Synchronization
import Testing

/// A Socket.IO server as a service of a Hummingbird application.
@Suite(.timeLimit(.minutes(1))) struct ServiceTests {
    @Test(arguments: [1, 4]) func `the shutdown has its order`(loops: Int) async throws {
        let life = Life()
        var configuration = SocketIOConfiguration()
        configuration.drainDuration = .milliseconds(500)
        try await withApplication(loops: loops, configuration, adapter: life) { io in
            io.onConnect { socket in socket.onDisconnect { end in life.note(end.reason.description) } }
        } _: { port, shutdown in
            var clients: [TestClient] = []
            for _ in 0..<5 {
                let client = try await TestClient.connect(port: port)
                try await client.join()
                clients.append(client)
            }
            let start = ContinuousClock.now
            shutdown()
            var times: [Duration] = []
            for client in clients { await client.waitUntilClosed() }
            times.append(ContinuousClock.now - start)
            // In batches, a tenth of a second apart.
            #expect(times[0] >= .milliseconds(300))
        }
        let left = Array(repeating: "server shutting down", count: 5)
        #expect(life.events == ["draining"] + left + ["adapter closed", "closed"])
    }

    @Test func `the client is served`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.serveClient = #filePath
        try await withApplication(loops: 1, configuration, adapter: nil) { _ in
        } _: { port, _ in
            try await RawClient.with(port) { client in
                // Until the server has started, it is unavailable.
                var answer = try await client.get("/socket.io/socket.io.js?v=4")
                while answer.status == 503 { answer = try await client.get("/socket.io/socket.io.js?v=4") }
                #expect(answer.status == 200)
                #expect(answer.body.contains("theClientIsServed"))
                #expect(try await client.get("/hello").body == "hello")
                #expect(try await client.get("/ready").status == 200)
            }
        }
    }

    /// An adapter that notes what happens to it.
    private final class Life: AdapterFactory {
        private let noted = Mutex<[String]>([])

        var events: [String] { noted.withLock { $0 } }
        func note(_ event: String) { noted.withLock { $0.append(event) } }
        func drain() async { note("draining") }
        func close() async { note("closed") }
        func makeAdapter(_ context: AdapterContext) -> any Adapter { Local(context.local, self) }

        private final class Local: Adapter {
            let local: CoreLocalAdapter
            private let life: Life

            init(_ local: CoreLocalAdapter, _ life: Life) {
                self.local = local
                self.life = life
            }

            func close() async { life.note("adapter closed") }
            func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws {}
        }
    }

    private func withApplication(
        loops: Int,
        _ configuration: SocketIOConfiguration,
        adapter: (any AdapterFactory)?,
        set: (SocketIOServer) -> Void,
        _ body: @escaping @Sendable (Int, @escaping @Sendable () -> Void) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let io = SocketIOServer(configuration: configuration, adapter: adapter, eventLoopGroup: group, logger: logger)
        set(io)
        let router = Router()
        router.get("/hello") { _, _ in "hello" }
        router.get("/ready") { _, _ in io.readiness.isReady ? HTTPResponse.Status.ok : .serviceUnavailable }
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var application = Application(
            router: router,
            server: .socketIO(io),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group),
            logger: logger
        )
        // Otherwise it would log that it has no port.
        #expect(io.isMounted)
        application.addServices(io)
        try await serve(application, ports, body)
        try await group.shutdownGracefully()
    }
}
#endif
