import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import Synchronization
import Testing

/// A bus on which nodes write and read at different speeds.
struct SlowDriver: Driver {
    let base: InMemoryDriver
    let delay: Duration

    var messageLimit: Int { base.messageLimit }

    func watch(as node: NodeID) async throws -> AsyncMapSequence<AsyncStream<DriverItem>, DriverItem> {
        let delay = delay
        return try await base.watch(as: node).map { item in
            try? await Task.sleep(for: delay)
            return item
        }
    }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        try? await Task.sleep(for: delay)
        return await base.emit(batch)
    }
}

@Suite("Connection state recovery across nodes")
struct RecoveryTests {
    private static func makeNodes(_ delays: [Duration]) async throws -> [TestNode] {
        let cluster = InMemoryCluster()
        var nodes: [TestNode] = []
        for (index, delay) in delays.enumerated() {
            let node = TestNode("node\(index)", driver: SlowDriver(base: cluster.makeDriver(), delay: delay), recovery: RecoveryLimits())
            try await node.start()
            nodes.append(node)
        }
        for node in nodes { try await expectEventually { try await node.adapter.serverCount() == nodes.count } }
        return nodes
    }

    private static func connect(_ client: RecoveringClient, to node: TestNode, rooms: [Room]) async throws -> RecoveringSocket {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let id = "s\(UInt64.random(in: 0...UInt64.max))"
        let pid = node.adapter.makeSessionID("p\(id)")
        let socket = RecoveringSocket(id: id, pid: pid, client: client, base: nil, holds: false, on: loop)
        let local = node.adapter.local
        try await loop.submit {
            local.add(socket, pid: pid)
            local.join(socket, rooms: rooms)
        }.get()
        return socket
    }

    /// Cuts the client off; the node may or may not notice before it comes back.
    private static func cutOff(_ socket: RecoveringSocket, of node: TestNode, isNoticed: Bool) async throws {
        let adapter = node.adapter
        try await socket.eventLoop.submit {
            socket.cutOff()
            guard isNoticed else { return }
            _ = adapter.persistSession(of: socket, socket.session(rooms: adapter.local.rooms(of: socket)))
        }.get()
    }

    private static func restore(_ client: RecoveringClient, _ pid: String, at node: TestNode) async -> RecoveringSocket? {
        let claimant = TestClaimant(client, on: MultiThreadedEventLoopGroup.singleton.next())
        return await node.adapter.restoreSession(pid: pid, offset: client.offset, to: claimant) ? claimant.socket : nil
    }

    @Test("A client that moves between nodes under load gets everything once and in order", .timeLimit(.minutes(3)), arguments: [0, 3])
    func storm(_ milliseconds: Int) async throws {
        let delays: [Duration] = [.zero, .milliseconds(milliseconds), .milliseconds(milliseconds / 3)]
        let nodes = try await Self.makeNodes(delays)
        let client = RecoveringClient()
        var socket = try await Self.connect(client, to: nodes[0], rooms: ["room"])
        let isOver = Mutex(false)
        let sent = Mutex([Int](repeating: 0, count: nodes.count))
        try await withThrowingTaskGroup { group in
            for (index, node) in nodes.enumerated() {
                group.addTask {
                    let ids = MessageIDGenerator(seed: UInt64(index) << 40 | 7)
                    while !isOver.withLock({ $0 }) {
                        let number = sent.withLock { counts in
                            counts[index] += 1
                            return counts[index]
                        }
                        var packet = TestNode.packet("\(index) \(number)")
                        packet.offset = ids.next(seconds: 1)
                        try await node.adapter.broadcast(packet, to: BroadcastOptions(rooms: number.isMultiple(of: 2) ? [] : ["room"], except: ["x"]))
                    }
                }
            }
            var place = 0
            for round in 0..<30 {
                try await Task.sleep(for: .milliseconds(20))
                try await Self.cutOff(socket, of: nodes[place], isNoticed: round.isMultiple(of: 2))
                if round.isMultiple(of: 3) { try await Task.sleep(for: .milliseconds(15)) }
                place = (place + 1 + round % 2) % nodes.count
                let restored = await Self.restore(client, socket.pid, at: nodes[place])
                socket = try #require(restored, "round \(round)")
            }
            isOver.withLock { $0 = true }
            try await group.waitForAll()
        }
        let expected = sent.withLock { $0.reduce(0, +) }
        try await expectEventually { client.received.count >= expected }
        for (index, count) in sent.withLock({ $0 }).enumerated() {
            #expect(client.received.filter { $0.hasPrefix("\(index) ") } == (1...count).map { "\(index) \($0)" })
        }
        for node in nodes { await node.node.close() }
    }

    @Test("A session is restored by exactly one node", .timeLimit(.minutes(1)))
    func race() async throws {
        let nodes = try await Self.makeNodes([.zero, .milliseconds(1), .zero])
        let client = RecoveringClient()
        let socket = try await Self.connect(client, to: nodes[0], rooms: [])
        try await Self.cutOff(socket, of: nodes[0], isNoticed: true)
        let winners = await withTaskGroup { group in
            for node in nodes { group.addTask { await Self.restore(client, socket.pid, at: node) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
        for node in nodes { await node.node.close() }
    }

    @Test("What is not covered is a fresh session: unknown id, unknown offset, owner gone", .timeLimit(.minutes(1)))
    func notCovered() async throws {
        let nodes = try await Self.makeNodes([.zero, .zero])
        let client = RecoveringClient()
        #expect(await Self.restore(client, "nobody.node0", at: nodes[1]) == nil)
        let socket = try await Self.connect(client, to: nodes[0], rooms: [])
        try await Self.cutOff(socket, of: nodes[0], isNoticed: true)
        let claimant = TestClaimant(client, on: MultiThreadedEventLoopGroup.singleton.next())
        let offset = MessageID(seconds: 9, process: 9, counter: 9).description
        #expect(await !nodes[1].adapter.restoreSession(pid: socket.pid, offset: offset, to: claimant))
        let second = try await Self.connect(client, to: nodes[0], rooms: [])
        await nodes[0].node.close()
        #expect(await Self.restore(client, second.pid, at: nodes[1]) == nil)
        await nodes[1].node.close()
    }
}
