// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText
import SocketIOMongoTesting
import Logging
import SocketIOMongoClient
import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

/// Everything that needs real `mongod` processes. One after the other: some of these tests break the replica set that all share.
@Suite(
    "MongoDB adapter",
    .serialized,
    .enabled(if: MongoBinary.path != nil, "\(MongoBinary.reasonForAbsence ?? "")"),
    .timeLimit(.minutes(3))
)
struct MongoAdapterTests {}

/// A way to keep and to read messages.
struct Mode: Sendable, CustomTestStringConvertible {
    var expiration: MongoAdapterConfiguration.Expiration
    var reading: MongoAdapterConfiguration.Reading
    var testDescription: String

    static let ttl = Mode(expiration: .ttl, reading: .changeStream, testDescription: "change stream, TTL")
    static let capped = Mode(expiration: .capped(bytes: 8 << 20), reading: .changeStream, testDescription: "change stream, capped")
    static let tailable = Mode(expiration: .capped(bytes: 8 << 20), reading: .tailable, testDescription: "tailable cursor")
    static let all = [ttl, capped, tailable]
}

/// A node with one namespace and one socket.
final class Node: Sendable {
    let mongo: MongoAdapter
    let adapter: any Adapter
    let socket: FakeSocket
    let events: Events

    init(_ configuration: MongoAdapterConfiguration) {
        let events = Events()
        var configuration = configuration
        configuration.onEvent = { events.append($0) }
        if ProcessInfo.isVerbose { configuration.logger.logLevel = .debug } else { configuration.logger.logLevel = .critical }
        self.events = events
        mongo = MongoAdapter(configuration)
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let local = CoreLocalAdapter(eventLoops: loops, format: .json)
        adapter = mongo.makeAdapter(AdapterContext(namespace: "/", local: local) { _, _ in })
        socket = FakeSocket("socket of \(mongo.node.id)", on: loops[0])
    }

    func start() async throws {
        try await mongo.start()
        try await adapter.start()
        let (local, socket) = (adapter.local, socket)
        try await socket.eventLoop.submit { _ = local.add(socket) }.get()
    }

    /// Another namespace of the node, with one socket.
    func open(_ namespace: String) async throws -> (adapter: any Adapter, socket: FakeSocket) {
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let local = CoreLocalAdapter(eventLoops: loops, format: .json)
        let adapter = mongo.makeAdapter(AdapterContext(namespace: namespace, local: local) { _, _ in })
        try await adapter.start()
        let socket = FakeSocket("\(namespace) of \(mongo.node.id)", on: loops[0])
        try await socket.eventLoop.submit { _ = local.add(socket) }.get()
        return (adapter, socket)
    }

    /// Returns when a majority has it.
    func emit(_ text: String) async throws {
        let packet = try BroadcastPacket(PacketEncoder(format: .json).event(text, namespace: "/") { _ in })
        var options = BroadcastOptions()
        options.flags.confirmed = true
        try await adapter.broadcast(packet, to: options)
    }

    /// Emits `prefix0…`, several at a time in order, until told otherwise.
    func emit(_ prefix: String, _ numbers: Range<Int>, pause: Duration = .zero) async throws {
        // Each emit enters the queue before the next begins.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in numbers {
                group.addImmediateTask { try await self.emit("\(prefix)\(number)") }
                if pause > .zero { try await Task.sleep(for: pause) }
            }
            try await group.waitForAll()
        }
    }
}

/// What has happened in the cluster.
final class Events: Sendable {
    private let all = Mutex<[ClusterEvent]>([])
    func append(_ event: ClusterEvent) { all.withLock { $0.append(event) } }
    var gaps: Int {
        all.withLock { events in events.filter { if case .gap = $0 { true } else { false } }.count }
    }
    var lost: UInt64 {
        all.withLock { events in events.reduce(0) { if case .gap(_, let count?) = $1 { $0 + count } else { $0 } } }
    }
    var skipped: [String] {
        all.withLock { events in events.compactMap { if case .skipped(let reason) = $0 { reason } else { nil } } }
    }
    var descriptions: [String] { all.withLock { events in events.map { "\($0)" } } }
}

/// A collection of its own for each test, and short heartbeats and timeouts.
func makeConfiguration(_ connectionString: String, _ mode: Mode, collection: String = ObjectID().hex) -> MongoAdapterConfiguration {
    var configuration = MongoAdapterConfiguration(connectionString: connectionString)
    configuration.database = "tests"
    configuration.collection = collection
    configuration.expiration = mode.expiration
    configuration.reading = mode.reading
    configuration.cluster.heartbeatInterval = .seconds(1)
    configuration.cluster.heartbeatTimeout = .seconds(4)
    return configuration
}

/// Starts nodes that form a cluster, runs with them, and closes them.
func withNodes(
    _ count: Int,
    _ configuration: MongoAdapterConfiguration,
    _ body: ([Node]) async throws -> Void
) async throws {
    var nodes: [Node] = []
    let result: Result<Void, any Error>
    do {
        for _ in 0..<count {
            let node = Node(configuration)
            try await node.start()
            nodes.append(node)
        }
        result = .success(try await body(nodes))
    } catch { result = .failure(error) }
    await close(nodes)
    try result.get()
}

/// Closes nodes, all at the same time.
func close(_ nodes: [Node]) async {
    await withTaskGroup { group in
        for node in nodes { group.addTask { await node.mongo.close() } }
    }
}

/// Runs with a client of its own on the collection of a configuration.
func withCollection(_ connectionString: String, _ name: String, _ body: (MongoCollection) async throws -> Void) async throws {
    let client = try MongoClient(configuration: .init(connectionString: connectionString))
    let result: Result<Void, any Error>
    do { result = .success(try await body(client.database("tests").collection(name))) } catch { result = .failure(error) }
    await client.close()
    try result.get()
}

/// Checks that every node has got the numbers of a prefix in order, each once.
func expectAll(_ nodes: [Node], _ prefix: String, _ numbers: Range<Int>, of mode: Mode? = nil, within limit: Duration = .seconds(30)) async
{
    let expected = numbers.map { "\(prefix)\($0)" }
    let name = mode?.testDescription ?? ""
    for node in nodes {
        let isComplete = (try? await eventually(within: limit) { node.socket.received(prefix).count >= expected.count }) != nil
        let received = node.socket.received(prefix)
        #expect(isComplete, "\(name) \(received.count) of \(expected.count) after all that time: \(node.events.descriptions)")
        if received != expected {
            let missing = Set(expected).subtracting(received).count
            let twice = received.count - Set(received).count
            Issue.record("\(name) not once each in order: \(missing) missing, \(twice) twice of \(expected.count)")
        }
    }
}

enum ProcessInfo {
    static let isVerbose = Environment.has("VERBOSE")
}
#endif
