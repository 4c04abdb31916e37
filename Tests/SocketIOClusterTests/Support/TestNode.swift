// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization

/// A node with one namespace and sockets.
final class TestNode: Sendable {
    let node: ClusterNode
    let adapter: any Adapter
    /// What the node has reported.
    let log: Log
    /// The server-side events that have come.
    let server: Log
    /// What was accepted and has failed.
    let undelivered: Failures

    /// In which no time runs out, however slow the machine.
    static func configuration() -> ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.heartbeatInterval = .milliseconds(200)
        configuration.heartbeatTimeout = .seconds(60)
        configuration.settleTime = .milliseconds(150)
        configuration.settleTimeout = .seconds(2)
        configuration.writeTimeout = .seconds(20)
        configuration.requestTimeout = .seconds(20)
        configuration.deafnessTimeout = .seconds(20)
        return configuration
    }

    private let loops: any EventLoopGroup

    /// - Parameter clock: The clock of the node and the loop of its sockets, for tests that wait for the end of a time. Default: nil, real
    ///   event loops and their time.
    init(
        _ id: String,
        driver: any Driver,
        configuration: ClusterConfiguration = TestNode.configuration(),
        recovery: RecoveryLimits? = nil,
        metrics: ClusterMetrics = ClusterMetrics(),
        clock: ManualClock? = nil
    ) {
        let events = Log()
        var options = ClusterNode.Options(id: id, configuration: configuration)
        options.logger.logLevel = .critical
        options.metrics = metrics
        options.onEvent = { event in events.append("\(event)") }
        options.eventLoop = clock?.eventLoop
        node = ClusterNode(driver: driver, options: options)
        self.log = events
        loops = clock?.eventLoop ?? MultiThreadedEventLoopGroup.singleton
        let local = CoreLocalAdapter(eventLoops: Array(loops.makeIterator()), format: .json, recovery: recovery)
        let server = Log()
        self.server = server
        let failures = Failures()
        self.undelivered = failures
        let context = AdapterContext(namespace: "/", local: local, onUndelivered: failures.append) { arguments, answer in
            server.append((try? arguments.decode(String.self, at: 0)) ?? "?")
            answer?((try? PacketEncoder(format: .json).arguments { try $0.append("answer of \(id)") }) ?? .empty(.json))
        }
        adapter = node.makeAdapter(context)
    }

    final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        func append(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    final class Failures: Sendable {
        private let operations = Mutex<[UndeliveredOperation]>([])
        @Sendable func append(_ operation: UndeliveredOperation) { operations.withLock { $0.append(operation) } }
        var all: [UndeliveredOperation] { operations.withLock { $0 } }
        var codes: [ClusterError.Code?] { all.map { ($0.error as? ClusterError)?.code } }
    }

    func start() async throws {
        try await node.start()
        try await adapter.start()
    }

    func connect(_ id: String, rooms: [Room] = [], acknowledges: Bool = true) async throws -> FakeSocket {
        let loop = loops.next()
        let data = EncodedObject.encode(["name": id]) { value in
            var buffer = ByteBuffer(bytes: [0xa0 | UInt8(value.utf8.count)])
            buffer.writeString(value)
            return buffer
        }
        let socket = FakeSocket(id, on: loop, acknowledges: acknowledges, data: data)
        let local = adapter.local
        try await loop.submit {
            local.add(socket)
            local.join(socket, rooms: rooms)
        }.get()
        return socket
    }

    /// An event of this name.
    static func packet(_ name: String) -> BroadcastPacket {
        BroadcastPacket(EncodedPacket(message: ByteBuffer(string: "2[\"\(name)\"]"), isBinary: false))
    }
}

/// Starts nodes on one bus and closes them at the end. With a clock, time passes only for that, and as the body lets it.
func withNodes(
    _ count: Int,
    _ configuration: ClusterConfiguration = TestNode.configuration(),
    clock: ManualClock? = nil,
    _ body: ([TestNode]) async throws -> Void
) async throws {
    let cluster = InMemoryCluster()
    let nodes = (0..<count).map { TestNode("node\($0)", driver: cluster.makeDriver(), configuration: configuration, clock: clock) }
    func whileTimePasses(_ work: () async throws -> Void) async rethrows {
        if let clock { try await clock.letTimePass(while: work) } else { try await work() }
    }
    try await whileTimePasses { for node in nodes { try await node.start() } }
    let result: Result<Void, any Error>
    do { result = .success(try await body(nodes)) } catch { result = .failure(error) }
    await whileTimePasses { for node in nodes { await node.node.close() } }
    try result.get()
}
