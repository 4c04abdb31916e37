// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import Synchronization
import Testing

@Suite("Adapter on a cluster in memory")
struct ClusterAdapterTests {
    private func options(_ rooms: [Room] = [], node: String? = nil, _ change: (inout BroadcastFlags) -> Void = { _ in }) -> BroadcastOptions
    {
        var options = BroadcastOptions(rooms: rooms, node: node)
        change(&options.flags)
        return options
    }

    @Test(.timeLimit(.minutes(1)))
    func `A broadcast reaches the sockets of all nodes once, in order`() async throws {
        try await withNodes(3) { nodes in
            var sockets: [FakeSocket] = []
            for (index, node) in nodes.enumerated() { sockets.append(try await node.connect("s\(index)", rooms: ["a", "b"])) }
            let outsider = try await nodes[1].connect("outsider")
            for number in 0..<20 { try await nodes[0].adapter.broadcast(TestNode.packet("\(number)"), to: options(["a", "b"])) }
            let expected = (0..<20).map(String.init)
            for socket in sockets { try await eventually { socket.received == expected } }
            #expect(outsider.received.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Local and targeted broadcasts reach their node only`() async throws {
        try await withNodes(3) { nodes in
            var sockets: [FakeSocket] = []
            for (index, node) in nodes.enumerated() { sockets.append(try await node.connect("s\(index)")) }
            try await nodes[0].adapter.broadcast(TestNode.packet("local"), to: options { $0.local = true })
            try await nodes[0].adapter.broadcast(TestNode.packet("own"), to: options(node: "node0"))
            try await nodes[0].adapter.broadcast(TestNode.packet("targeted"), to: options(node: "node2"))
            try await nodes[0].adapter.broadcast(TestNode.packet("end"), to: options())
            for socket in sockets { try await eventually { socket.received.last == "end" } }
            #expect(sockets.map(\.received) == [["local", "own", "end"], ["end"], ["targeted", "end"]])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A flood of room changes leaves the event loops time for their clients`() async throws {
        try await withNodes(2) { nodes in
            let socket = try await nodes[1].connect("s")
            let rooms = (0..<100).map { "r\($0)" }
            let turns = TurnCounter(socket.eventLoop)
            turns.start()
            let start = ContinuousClock.now
            let there = options(node: "node1")
            try await withThrowingTaskGroup { group in
                for number in 0..<1_500 {
                    group.addTask {
                        if number.isMultiple(of: 2) {
                            try await nodes[0].adapter.addSockets(there, to: rooms)
                        } else {
                            try await nodes[0].adapter.removeSockets(there, from: rooms)
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await nodes[0].adapter.broadcast(TestNode.packet("end"), to: there)
            try await eventually { socket.received == ["end"] }
            let longest = turns.stop()
            #expect(longest * 4 < ContinuousClock.now - start, "\(longest)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Acknowledgements come from all nodes`() async throws {
        try await withNodes(3) { nodes in
            for (index, node) in nodes.enumerated() { for part in 0..<3 { _ = try await node.connect("s\(index)-\(part)") } }
            let stream = try await nodes[1].adapter.broadcastWithAck(TestNode.packet("x"), to: options { $0.timeout = .seconds(20) })
            var ids: Set<String> = []
            for await answer in stream { ids.insert(try answer.decode(at: 0)) }
            #expect(ids == Set((0..<3).flatMap { node in (0..<3).map { "s\(node)-\($0)" } }))
            #expect(stream.summary.isComplete)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A client that does not answer ends the acknowledgements by time`() async throws {
        let clock = await ManualClock()
        try await withNodes(2, clock: clock) { nodes in
            _ = try await nodes[0].connect("here")
            _ = try await nodes[1].connect("silent", acknowledges: false)
            // Until the first knows the second.
            try await clock.letTimePass {
                try await eventually { try await nodes[0].adapter.fetchSockets(BroadcastOptions()).count == 2 }
            }
            let stream = try await nodes[0].adapter.broadcastWithAck(
                TestNode.packet("x"),
                to: options { $0.timeout = .seconds(5) }
            )
            try await eventually { stream.summary.expected == 2 }
            let count = await clock.letTimePass {
                var count = 0
                for await _ in stream { count += 1 }
                return count
            }
            #expect(count == 1)
            #expect(stream.summary.timedOut)
            #expect(stream.summary.expected == 2)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Silent clients are reported one by one where that is wanted, but a thousand at most`() async throws {
        var configuration = TestNode.configuration()
        configuration.reportsEachMissingAcknowledgement = true
        let cluster = InMemoryCluster()
        let driver = PausedDriver(cluster)
        let asking = TestNode("asking", driver: cluster.makeDriver(), configuration: configuration)
        let asked = TestNode("asked", driver: driver, configuration: configuration)
        for node in [asking, asked] { try await node.start() }
        try await eventually { try await asking.adapter.serverCount() == 2 }
        for number in 0..<1_100 { _ = try await asked.connect("\(number)", acknowledges: false) }
        let stream = try await asking.adapter.broadcastWithAck(TestNode.packet("x"), to: options { $0.timeout = .milliseconds(500) })
        for await _ in stream {}
        try await eventually { driver.count(of: .acknowledgementsEnd) >= 1_000 }
        for node in [asking, asked] { await node.node.close() }
        #expect(driver.count(of: .acknowledgementsEnd) == 1_000)
    }

    @Test(.timeLimit(.minutes(1)))
    func `One acknowledgement is all that a socket elsewhere owes`() async throws {
        try await withNodes(3) { nodes in
            _ = try await nodes[2].connect("there")
            let stream = try await nodes[0].adapter.broadcastWithAck(
                TestNode.packet("x"),
                to: options(["there"]) {
                    $0.timeout = .seconds(20)
                    $0.expectSingleResponse = true
                }
            )
            var ids: [String] = []
            for await answer in stream { ids.append(try answer.decode(at: 0)) }
            #expect(ids == ["there"])
            #expect(!stream.summary.timedOut)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Sockets are described with their node, in parts if there are many`() async throws {
        let cluster = InMemoryCluster()
        var configuration = TestNode.configuration()
        configuration.maximumSocketsPerAnswer = 2
        let nodes = (0..<2).map { TestNode("node\($0)", driver: cluster.makeDriver(), configuration: configuration) }
        for node in nodes { try await node.start() }
        for index in 0..<5 { _ = try await nodes[1].connect("s\(index)", rooms: ["room"]) }
        _ = try await nodes[0].connect("own")
        let sockets = try await nodes[0].adapter.fetchSockets(options())
        #expect(Set(sockets.map(\.id)) == ["own", "s0", "s1", "s2", "s3", "s4"])
        #expect(sockets.first { $0.id == "own" }?.node == "node0")
        let remote = try #require(sockets.first { $0.id == "s3" })
        #expect(remote.node == "node1")
        #expect(remote.rooms == ["s3", "room"])
        #expect(remote.handshake.headers == ["host": "test"])
        #expect(try await nodes[0].adapter.rooms(options()) == ["own", "s0", "s1", "s2", "s3", "s4", "room"])
        for node in nodes { await node.node.close() }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Joins, leaves and disconnects work across nodes`() async throws {
        try await withNodes(2) { nodes in
            let socket = try await nodes[1].connect("s", rooms: ["old"])
            try await nodes[0].adapter.addSockets(options(["s"]), to: ["new"])
            try await nodes[0].adapter.removeSockets(options(["s"]), from: ["old"])
            try await eventually { try await nodes[1].adapter.local.rooms(options()) == ["s", "new"] }
            try await nodes[0].adapter.disconnectSockets(options(["new"]), closeConnection: true)
            try await eventually { socket.isDisconnected }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Servers talk to each other`() async throws {
        try await withNodes(3) { nodes in
            let arguments = try PacketEncoder(format: .json).arguments {
                try $0.append("hello")
                try $0.append(42)
            }
            try await nodes[0].adapter.serverSideEmit(arguments, confirmed: false)
            for node in nodes.dropFirst() { try await eventually { node.server.all == ["hello"] } }
            let answers = try await nodes[0].adapter.serverSideEmitWithAck(arguments, timeout: .seconds(20))
            let texts = try answers.map { try $0.decode(String.self, at: 0) }
            #expect(Set(texts) == ["answer of node1", "answer of node2"])
            #expect(nodes[0].server.all.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A request that is made at once does not miss the others`() async throws {
        try await withNodes(2) { nodes in
            _ = try await nodes[0].connect("s0")
            _ = try await nodes[1].connect("s1")
            let sockets = try await nodes[1].adapter.fetchSockets(options())
            #expect(Set(sockets.map(\.id)) == ["s0", "s1"])
            #expect(try await nodes[0].adapter.serverCount() == 2)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A node that leaves is not waited for`() async throws {
        try await withNodes(2) { nodes in
            try await eventually { try await nodes[0].adapter.serverCount() == 2 }
            await nodes[1].node.close()
            try await eventually { try await nodes[0].adapter.serverCount() == 1 }
            let start = ContinuousClock.now
            let sockets = try await nodes[0].adapter.fetchSockets(options())
            #expect(sockets.isEmpty)
            // The request timeout is 20 s.
            #expect(ContinuousClock.now - start < .seconds(15))
            #expect(nodes[0].log.all.contains { $0.contains("left") })
        }
    }
}

/// Measures how long an event loop does not run what is due.
private final class TurnCounter: Sendable {
    private struct State {
        var last = ContinuousClock.now
        var longest = Duration.zero
        var isOver = false
    }

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(_ loop: any EventLoop) { self.loop = loop }

    func start() {
        loop.scheduleTask(in: .milliseconds(1)) {
            let goesOn = self.state.withLock { state in
                let now = ContinuousClock.now
                state.longest = max(state.longest, state.last.duration(to: now))
                state.last = now
                return !state.isOver
            }
            if goesOn { self.start() }
        }
    }

    /// - Returns: The longest time between two turns.
    func stop() -> Duration {
        state.withLock { state in
            state.isOver = true
            return state.longest
        }
    }
}
