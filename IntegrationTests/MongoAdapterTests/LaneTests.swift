// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoTesting
import SocketIOMongoClient
import MetricsTestKit
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTestSupport
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    @Suite("Lanes and lag")
    struct LanesAndLag {
        @Test(arguments: [Mode.ttl, .tailable])
        func `With several lanes each namespace keeps its order, also when connections break`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, mode)
            configuration.cluster.lanes = 4
            let names = (0..<8).map { "/n\($0)" }
            try await withNodes(2, configuration) { [configuration] nodes in
                var spaces: [[(adapter: any Adapter, socket: FakeSocket)]] = []
                for node in nodes {
                    var own: [(adapter: any Adapter, socket: FakeSocket)] = []
                    for name in names { own.append(try await node.open(name)) }
                    spaces.append(own)
                }
                try await set.primary().failCommands(["insert"], on: "tests.\(configuration.collection)", code: nil, times: 4)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (index, own) in spaces.enumerated() {
                        for (name, space) in zip(names, own) { group.addTask { try await Self.emit(index, 200, to: space.adapter, name) } }
                    }
                    try await group.waitForAll()
                }
                for own in spaces {
                    for (name, space) in zip(names, own) {
                        for index in nodes.indices { try await Self.expectOrder(space.socket, "\(index):", 200, in: name) }
                    }
                }
                #expect(nodes.allSatisfy { $0.events.lost == 0 })
                try await withCollection(set.connectionString, configuration.collection) { try await Self.expectSeveralLanes($0) }
            }
        }

        /// Several at a time: each enters the queue before the next begins.
        private static func emit(_ node: Int, _ count: Int, to adapter: any Adapter, _ namespace: String) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count {
                    let packet = try BroadcastPacket(PacketEncoder(format: .json).event("\(node):\(number)", namespace: namespace) { _ in })
                    group.addImmediateTask { try await adapter.broadcast(packet, to: BroadcastOptions()) }
                    if number.isMultiple(of: 20) { await Task.yield() }
                }
                try await group.waitForAll()
            }
        }

        private static func expectOrder(_ socket: FakeSocket, _ prefix: String, _ count: Int, in namespace: String) async throws {
            try await eventually("\(namespace): \(socket.received(prefix).count)") { socket.received(prefix).count >= count }
            #expect(socket.received(prefix) == (0..<count).map { "\(prefix)\($0)" }, "\(namespace)")
        }

        private static func expectSeveralLanes(_ collection: MongoCollection) async throws {
            let lanes = try await collection.find().compactMap { $0["lane"]?.integer }
            #expect(Set(lanes).count > 1, "all namespaces use the same lane")
        }

        @Test(arguments: [Mode.ttl, .tailable])
        func `The lag metric tells how old messages are when they are read`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            var configuration = makeConfiguration(set.connectionString, mode)
            // Nothing but what the test sends.
            configuration.cluster.heartbeatInterval = .seconds(60)
            configuration.cluster.heartbeatTimeout = .seconds(120)
            let metrics = TestMetrics()
            var measured = configuration
            measured.metricsFactory = metrics
            try await withNodes(1, configuration) { [measured] senders in
                try await withNodes(1, measured) { readers in
                    let gauge = try metrics.expectGauge("socketio_mongodb_lag_seconds")
                    try await senders[0].emit("prompt", 0..<5)
                    await expectAll(readers, "prompt", 0..<5)
                    #expect(!gauge.values.isEmpty)
                    // Times of a tailable cursor are whole seconds.
                    #expect(gauge.values.allSatisfy { $0 >= 0 } && (gauge.values.min() ?? 100) < 2, "\(gauge.values)")
                    try await Self.readLate(set, measured) { try await senders[0].emit("late", 0..<5) }
                    await expectAll(readers, "late", 0..<5)
                    #expect((gauge.values.max() ?? 0) > 1.5, "\(gauge.values)")
                }
            }
        }

        /// Keeps everybody from reading what is emitted for some seconds.
        private static func readLate(_ set: MongoReplicaSet, _ configuration: MongoAdapterConfiguration, _ emit: () async throws -> Void)
            async throws
        {
            let primary = try await set.primary()
            try await primary.delayCommands(["getMore"], on: "tests.\(configuration.collection)", by: .seconds(4))
            // The server does not tell when a `getMore` that was there before the failpoint has ended; it takes `maxAwaitTime` at most. Then
            // each reader sends another, which waits.
            try await Task.sleep(for: configuration.maxAwaitTime + .milliseconds(100))
            try await emit()
            try await primary.failNothing()
        }
    }
}
#endif
