// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import SocketIOTesting
import SwiftSocketIO
import Synchronization
import Testing

/// A server of a cluster, listening on a port of its own.
struct ClusterServer: Sendable {
    let io: SocketIOServer
    let node: ClusterNode
    let driver: SpyDriver
    let port: Int

    struct Guest: Sendable {
        var client: TestClient
        var sid: String
        var pid: String?
    }

    func client(headers: [(String, String)] = []) async throws -> TestClient {
        try await TestClient.connect(port: port, format: io.configuration.parser, headers: headers)
    }

    /// A client that is in a namespace, and in rooms.
    func guest(_ namespace: String = "/", rooms: [Room] = [], auth: String? = nil) async throws -> Guest {
        let client = try await client()
        let (sid, pid) = try await client.join(namespace, auth: auth)
        if !rooms.isEmpty {
            let selection = io.of(namespace).in(sid).local
            try await selection.socketsJoin(rooms)
        }
        return Guest(client: client, sid: sid, pid: pid)
    }
}

/// A bus in memory that encodes what it carries, tells what was written, and can be cut.
final class SpyDriver: Driver, SnapshotStore {
    private let base: InMemoryDriver
    private let state = Mutex(State())

    private struct State {
        var headers: [ClusterHeader] = []
        var isCut = false
        var snapshots: [String: SessionSnapshot] = [:]
    }

    init(_ cluster: InMemoryCluster) { base = cluster.makeDriver() }

    var messageLimit: Int { base.messageLimit }
    /// What this node has written of a kind.
    func written(_ kind: ClusterMessageKind) -> [ClusterHeader] { state.withLock { $0.headers.filter { $0.kind == kind } } }
    /// The snapshots of sessions that this node has stored and not removed.
    var snapshots: [String: SessionSnapshot] { state.withLock { $0.snapshots } }
    /// From here on nobody hears of the node: it is as good as dead.
    func cut(_ isCut: Bool = true) { state.withLock { $0.isCut = isCut } }

    func watch(as node: NodeID) async throws -> AsyncMapSequence<AsyncStream<DriverItem>, DriverItem> {
        try await base.watch(as: node).map { item in
            guard case .message(let header, let payload) = item else { return item }
            do { return .message(header, .encoded(try ClusterPayloadCoder.encode(try payload.body(for: header)))) } catch {
                return .skipped("\(error)")
            }
        }
    }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        let isCut = state.withLock { state in
            state.headers += batch.map(\.header)
            return state.isCut
        }
        return isCut ? .notWritten(Cut()) : await base.emit(batch)
    }

    var keepsSessions: Bool { base.keepsSessions }
    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try await base.storeSessions(sessions, for: duration)
    }
    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? { try await base.takeSession(pid, in: namespace) }
    var snapshotStore: (any SnapshotStore)? { self }

    func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws {
        if state.withLock({ $0.isCut }) { throw Cut() }
        try await base.store(sessions, of: owner, for: duration)
        for session in sessions {
            let snapshot = try ClusterPayloadCoder.decodeSnapshot(session.payload)
            state.withLock { $0.snapshots[session.pid] = snapshot }
        }
    }

    func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws {
        if state.withLock({ $0.isCut }) { throw Cut() }
        try await base.remove(pids, in: namespace, of: owner)
        state.withLock { state in for pid in pids { state.snapshots[pid] = nil } }
    }

    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession? {
        try await base.take(pid, in: namespace, sparing: owners)
    }

    struct Cut: Error {}
}

/// Runs servers on one bus for the time of a test.
func withServers(
    _ count: Int = 2,
    loops: Int = 2,
    configuration: SocketIOConfiguration = .init(),
    cluster: ClusterConfiguration = .forTests,
    set: (SocketIOServer, Int) async throws -> Void = { _, _ in },
    _ body: ([ClusterServer]) async throws -> Void
) async throws {
    let bus = InMemoryCluster()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    var servers: [ClusterServer] = []
    var channels: [any Channel] = []
    for index in 0..<count {
        let driver = SpyDriver(bus)
        var options = ClusterNode.Options(id: "node\(index)", configuration: cluster)
        options.logger = silent
        let node = ClusterNode(driver: driver, options: options)
        let io = SocketIOServer(configuration: configuration, adapter: node, eventLoopGroup: group, logger: silent)
        try await set(io, index)
        try await io.start()
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try io.engine.configure(channel) } }
            .bind(host: "127.0.0.1", port: 0).get()
        channels.append(channel)
        servers.append(ClusterServer(io: io, node: node, driver: driver, port: channel.localAddress?.port ?? 0))
    }
    let result: Result<Void, any Error>
    do {
        for server in servers { try await eventually { try await server.io.serverCount() == count } }
        result = .success(try await body(servers))
    } catch { result = .failure(error) }
    for channel in channels { try? await channel.close().get() }
    await withDiscardingTaskGroup { tasks in
        for server in servers { tasks.addTask { await server.io.close() } }
    }
    try await group.shutdownGracefully()
    try result.get()
}

private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension ClusterConfiguration {
    /// In which no time runs out, however slow the machine.
    static var forTests: ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.heartbeatInterval = .milliseconds(300)
        configuration.heartbeatTimeout = .seconds(60)
        configuration.settleTime = .milliseconds(50)
        configuration.writeTimeout = .seconds(20)
        configuration.requestTimeout = .seconds(20)
        return configuration
    }

    /// For tests in which a server dies.
    static var forDeaths: ClusterConfiguration {
        var configuration = forTests
        configuration.heartbeatTimeout = .seconds(3)
        configuration.writeTimeout = .seconds(3)
        return configuration
    }
}

extension TestClient {
    /// The texts that come with events, up to `end`.
    func textsUntilEnd() async throws -> [String] {
        var texts: [String] = []
        while texts.last != "end" { texts.append(try await receiveEvent().arguments.decode(String.self, at: 0)) }
        return texts
    }
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
