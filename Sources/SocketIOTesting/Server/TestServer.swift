// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
public import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
public import SocketIOCluster
public import SocketIOCore
public import SwiftSocketIO
import Synchronization

/// A server under test, alone or in a cluster: see ``withTestServer(configuration:adapter:clock:eventLoops:logger:setUp:_:)`` and
/// ``withTestCluster(of:configuration:cluster:clock:eventLoops:logger:onEvent:setUp:_:)``.
public final class TestServer: Sendable {
    /// The server.
    public let io: SocketIOServer
    /// The server as a node of its cluster, which knows the others and its own health; nil if the server is alone.
    public let node: ClusterNode?
    /// Simulated faults between the server and its cluster. They have no effect if the server is alone.
    public let faults: ClusterFaults
    /// The port that the server listens on, on 127.0.0.1; nil if it has a manual clock, since its clients are then connected in memory.
    public let port: Int?

    private let clock: ManualClock?
    private let http: EngineHTTPServer?
    private let pipes = Mutex<[NIOAsyncTestingChannel]>([])

    private init(io: SocketIOServer, node: ClusterNode?, faults: ClusterFaults, clock: ManualClock?, http: EngineHTTPServer?) {
        self.io = io
        self.node = node
        self.faults = faults
        self.clock = clock
        self.http = http
        self.port = http?.port
    }

    /// Starts a server, listening if it has no manual clock.
    static func start(_ io: SocketIOServer, node: ClusterNode? = nil, faults: ClusterFaults = .init(), clock: ManualClock?) async throws
        -> TestServer
    {
        try await io.start()
        do {
            let configuration = EngineHTTPServerConfiguration(host: "127.0.0.1", port: 0)
            let http = clock == nil ? try await EngineHTTPServer.start(configuration, engine: io.engine, on: io.eventLoopGroup) : nil
            return TestServer(io: io, node: node, faults: faults, clock: clock, http: http)
        } catch {
            await io.close()
            throw error
        }
    }

    /// Connects a client and waits for the handshake. The client is in no namespace yet.
    ///
    /// - Parameters:
    ///   - path: The server's path.
    ///   - transport: How to connect. Default: over WebSocket.
    ///   - headers: Further request headers.
    ///   - answersPings: Whether pings are answered.
    /// - Throws: ``TestClient/Failure`` if the server refuses the connection.
    public func connect(
        path: String = "/socket.io/",
        transport: TestClient.Transport = .webSocket,
        headers: [(String, String)] = [],
        answersPings: Bool = true
    ) async throws -> TestClient {
        let endpoint: any TestEndpoint =
            if let clock {
                MemoryEndpoint(io: io, loop: clock.loop) { channels in self.pipes.withLock { $0 += channels } }
            } else {
                NetworkEndpoint(address: "127.0.0.1", port: port ?? 0, group: MultiThreadedEventLoopGroup.singleton)
            }
        let requests = TestRequests(endpoint: endpoint, path: path, headers: headers, answersPings: answersPings)
        return try await TestClient.connect(requests, transport, format: io.configuration.parser)
    }

    /// Disconnects clients in memory, then closes the server.
    func close() async {
        for channel in pipes.withLock({ $0 }) { try? await channel.close().get() }
        await io.close()
        await http?.shutdown()
    }
}

/// Runs a server during a test, and closes it afterwards.
///
/// ```swift
/// try await withTestServer(setUp: addChat(to:)) { server in
///     let client = try await server.connect()
///     try await client.join()
/// }
/// ```
///
/// - Parameters:
///   - configuration: The server's options.
///   - adapter: Makes the server part of a cluster over a real database. Default: none, the server is alone.
///   - clock: The clock of the server, whose clients are then connected in memory. Default: none, the server uses the system's time and listens
///     on a free port.
///   - eventLoops: The number of event loops, which only this server uses. Default: it shares those of the process. With a clock there is one.
///   - logger: The logger of the server. Default: nothing below `critical`.
///   - setUp: Adds the code under test.
///   - body: The test.
/// - Throws: Errors of the server's start, `setUp` and `body`.
@discardableResult
public func withTestServer<Value>(
    configuration: SocketIOConfiguration = .init(),
    adapter: (any AdapterFactory)? = nil,
    clock: ManualClock? = nil,
    eventLoops: Int? = nil,
    logger: Logger = .forTests,
    setUp: (SocketIOServer) async throws -> Void = { _ in },
    _ body: (TestServer) async throws -> Value
) async throws -> Value {
    let ownLoops = clock == nil ? eventLoops.map { MultiThreadedEventLoopGroup(numberOfThreads: $0) } : nil
    let io = SocketIOServer(configuration: configuration, adapter: adapter, eventLoopGroup: ownLoops ?? clock.group, logger: logger)
    var servers: [TestServer] = []
    let result: Result<Value, any Error>
    do {
        try await setUp(io)
        let server = try await TestServer.start(io, clock: clock)
        servers.append(server)
        result = .success(try await body(server))
    } catch { result = .failure(error) }
    await end(servers, clock)
    try await ownLoops?.shutdownGracefully()
    return try result.get()
}

/// Runs servers that share a cluster in memory during a test, and closes them afterwards. The test begins when all of them know each other.
///
/// ```swift
/// try await withTestCluster(of: 3, setUp: addChat(to:)) { servers in
///     let ada = try await servers[0].connect()
///     servers[2].faults.cutOff()
/// }
/// ```
///
/// Messages are encoded and decoded as on their way through a database, so the other servers receive exactly the same values.
///
/// - Parameters:
///   - count: The number of servers. Their nodes are called `node0`, `node1`…
///   - configuration: The options of each.
///   - cluster: The options of the nodes: use short times in a test that waits for them without a manual clock.
///   - clock: The clock of the servers, whose clients are then connected in memory. Default: none, the servers use the system's time and listen
///     on free ports.
///   - eventLoops: The number of event loops, which only these servers use. Default: they share those of the process. With a clock there is one.
///   - logger: The logger of the servers. Default: nothing below `critical`.
///   - onEvent: Called with the events of the cluster, as each node sees them, from any thread; it must not wait.
///   - setUp: Adds the code under test to each server.
///   - body: The test.
/// - Throws: Errors of the servers' start, `setUp` and `body`; ``TestClient/Failure`` if the servers do not find each other in 30 s.
@discardableResult
public func withTestCluster<Value>(
    of count: Int = 2,
    configuration: SocketIOConfiguration = .init(),
    cluster: ClusterConfiguration = .init(),
    clock: ManualClock? = nil,
    eventLoops: Int? = nil,
    logger: Logger = .forTests,
    onEvent: @escaping @Sendable (NodeID, ClusterEvent) -> Void = { _, _ in },
    setUp: (SocketIOServer) async throws -> Void = { _ in },
    _ body: ([TestServer]) async throws -> Value
) async throws -> Value {
    let bus = InMemoryCluster()
    let ownLoops = clock == nil ? eventLoops.map { MultiThreadedEventLoopGroup(numberOfThreads: $0) } : nil
    var servers: [TestServer] = []
    let result: Result<Value, any Error>
    do {
        for index in 0..<count {
            let faults = ClusterFaults()
            let id = "node\(index)"
            var options = ClusterNode.Options(id: id, configuration: cluster)
            options.onEvent = { event in onEvent(id, event) }
            options.logger = logger
            options.eventLoop = clock?.eventLoop
            let node = ClusterNode(driver: FaultyDriver(base: bus.makeDriver(), faults: faults, clock: clock), options: options)
            let io = SocketIOServer(configuration: configuration, adapter: node, eventLoopGroup: ownLoops ?? clock.group, logger: logger)
            try await setUp(io)
            servers.append(try await TestServer.start(io, node: node, faults: faults, clock: clock))
        }
        try await clock.letTimePass { [servers] in try await waitUntilAllAreKnown(servers) }
        result = .success(try await body(servers))
    } catch { result = .failure(error) }
    await end(servers, clock)
    try await ownLoops?.shutdownGracefully()
    return try result.get()
}

private func waitUntilAllAreKnown(_ servers: [TestServer]) async throws {
    for server in servers {
        try await eventually { try await server.io.serverCount() >= servers.count }
        // Waits until the node has settled, after which requests are sent at once. On a busy machine it may take longer than a request may.
        _ = try await server.io.fetchAvailableSockets()
    }
}

/// Reconnects all servers to the cluster, so that they can leave it, and closes them at the same time.
private func end(_ servers: [TestServer], _ clock: ManualClock?) async {
    for server in servers {
        server.faults.writeDelay = .zero
        server.faults.reconnect()
    }
    await clock.letTimePass {
        await withDiscardingTaskGroup { group in
            for server in servers { group.addTask { await server.close() } }
        }
    }
}

extension ManualClock? {
    fileprivate var group: any EventLoopGroup { self?.loop ?? MultiThreadedEventLoopGroup.singleton }

    fileprivate func letTimePass<Value>(while body: () async throws -> Value) async rethrows -> Value {
        if let self { try await self.letTimePass(while: body) } else { try await body() }
    }
}

extension Logger {
    /// Logs nothing below `critical`, so that the errors that tests provoke do not fill their output.
    public static var forTests: Logger {
        var logger = Logger(label: "socketio.tests")
        logger.logLevel = .critical
        return logger
    }
}
