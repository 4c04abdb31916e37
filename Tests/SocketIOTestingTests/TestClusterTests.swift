// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOTesting
import SwiftSocketIO
import Synchronization
import Testing

@Suite("Cluster in memory", .timeLimit(.minutes(1)))
struct TestClusterTests {
    private static func numbers(_ client: TestClient, _ count: Int) async throws -> [Int] {
        var numbers: [Int] = []
        for _ in 0..<count { numbers.append(try await client.receiveEvent().arguments.decode(Int.self, at: 0)) }
        return numbers
    }

    private static func clients(_ servers: [TestServer]) async throws -> [TestClient] {
        var clients: [TestClient] = []
        for server in servers {
            let client = try await server.connect()
            try await client.join()
            clients.append(client)
        }
        return clients
    }

    @Test(arguments: [false, true])
    func `Servers find each other and act as one, with either clock`(hasManualClock: Bool) async throws {
        let clock = hasManualClock ? await ManualClock() : nil
        try await withTestCluster(of: 3, clock: clock) { servers in
            let clients = try await Self.clients(servers)
            #expect(servers.allSatisfy { ($0.port == nil) == hasManualClock && $0.node?.health == .healthy })
            for number in 0..<100 { try await servers[number % 3].io.emit("n", number) }
            for client in clients { #expect(try await Self.numbers(client, 100).sorted() == Array(0..<100)) }
            #expect(try await Set(servers[0].io.fetchSockets().map(\.node)) == ["node0", "node1", "node2"])
        }
    }

    @Test
    func `A server that is cut off is taken for dead; when it is back nothing is lost, and nothing comes twice`() async throws {
        let clock = await ManualClock()
        let log = EventLog()
        try await withTestCluster(of: 2, clock: clock, onEvent: log.append) { servers in
            let clients = try await Self.clients(servers)
            servers[1].faults.cutOff()
            #expect(servers[1].faults.isCutOff)
            for number in 0..<10 { try await servers[0].io.emit("n", number) }
            await clock.advance(by: .seconds(11))
            #expect(try await servers[0].io.serverCount() == 1)
            #expect(log.contains("node0", "died"))
            servers[1].faults.reconnect()
            try await clock.letTimePass {
                #expect(try await Self.numbers(clients[1], 10) == Array(0..<10))
                // Polled in real time, in which the clock goes on: the count has no event.
                while try await servers[0].io.serverCount() == 1 { try await Task.sleep(for: .milliseconds(2)) }
            }
            try await servers[0].io.emit("n", 10)
            #expect(try await Self.numbers(clients[1], 1) == [10])
            #expect(try await Self.numbers(clients[0], 11) == Array(0...10))
            #expect(!log.contains("node1", "gap"))
        }
    }

    @Test
    func `What a server has sent while it was cut off arrives when it is back, or the sender is told`() async throws {
        let clock = await ManualClock()
        var cluster = ClusterConfiguration()
        cluster.writeTimeout = .seconds(8)
        try await withTestCluster(of: 2, cluster: cluster, clock: clock) { servers in
            let clients = try await Self.clients(servers)
            servers[1].faults.cutOff()
            let error = await #expect(throws: ClusterError.self) {
                try await clock.letTimePass { try await servers[1].io.confirmed.emit("n", 1) }
            }
            #expect(error?.code == .notSent)
            // Local first.
            #expect(try await Self.numbers(clients[1], 1) == [1])
            servers[1].faults.reconnect()
            try await clock.letTimePass {
                try await servers[1].io.emit("n", 2)
                #expect(try await Self.numbers(clients[0], 1) == [2])
            }
        }
    }

    @Test
    func `History that is lost is reported as a gap with its size, by the server that has lost it and no other`() async throws {
        let clock = await ManualClock()
        let log = EventLog()
        try await withTestCluster(of: 2, clock: clock, onEvent: log.append) { servers in
            let clients = try await Self.clients(servers)
            servers[1].faults.cutOff()
            for number in 0..<5 { try await servers[0].io.emit("n", number) }
            servers[1].faults.reconnect(losingHistory: true)
            try await clock.letTimePass {
                // Polled in real time, in which the clock goes on: one event may tell of all five, or each of its own.
                while log.lost("node1") < 5 { try await Task.sleep(for: .milliseconds(2)) }
                try await servers[0].io.emit("n", 5)
                #expect(try await Self.numbers(clients[1], 1) == [5])
            }
            #expect(log.lost("node1") == 5)
            #expect(!log.contains("node0", "gap"))
        }
    }

    @Test
    func `Writes that take long delay what the others get, and keep it in order`() async throws {
        let clock = await ManualClock()
        try await withTestCluster(of: 2, clock: clock) { servers in
            let clients = try await Self.clients(servers)
            servers[0].faults.writeDelay = .seconds(1)
            let start = clock.now
            try await withThrowingTaskGroup { group in
                for number in 0..<20 { group.addImmediateTask { try await servers[0].io.confirmed.emit("n", number) } }
                try await clock.letTimePass { try await group.waitForAll() }
            }
            #expect(clock.now - start >= .seconds(1))
            for client in clients { #expect(try await Self.numbers(client, 20) == Array(0..<20)) }
        }
    }

    @Test
    func `A request to a server that is cut off ends when its time is up, and names the server`() async throws {
        let clock = await ManualClock()
        try await withTestCluster(of: 3, clock: clock, setUp: { io in io.on("who") { () in io.clientsCount } }) { servers in
            servers[1].faults.cutOff()
            let error = await #expect(throws: IncompleteResponseError<[Int]>.self) {
                try await clock.letTimePass {
                    try await servers[0].io.timeout(.seconds(3)).serverSideEmitWithAck("who", as: Int.self)
                }
            }
            #expect(error?.partial == [0])
            #expect(error?.missingNodes == ["node1"])
        }
    }
}

/// What the nodes have reported.
private final class EventLog: Sendable {
    private let events = Mutex<[(node: NodeID, event: ClusterEvent)]>([])

    @Sendable func append(_ node: NodeID, _ event: ClusterEvent) { events.withLock { $0.append((node, event)) } }

    func contains(_ node: NodeID, _ name: String) -> Bool {
        events.withLock { $0.contains { $0.node == node && "\($0.event)".hasPrefix(name) } }
    }

    func lost(_ node: NodeID) -> UInt64 {
        events.withLock { events in
            events.reduce(0) { sum, each in
                guard each.node == node, case .gap(_, let count?) = each.event else { return sum }
                return sum + count
            }
        }
    }
}
