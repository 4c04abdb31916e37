// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

/// Where a node of another kind would leave sessions and look for them.
final class StubExchange: SessionExchange {
    private struct State {
        var offered: ClaimedSession?
        var parked: [String: SessionState] = [:]
        var discarded: [String] = []
    }

    private let state = Mutex(State())

    static let foreignID = "pid-of-20-characters"

    func offer(_ session: ClaimedSession) { state.withLock { $0.offered = session } }
    var parked: [String: SessionState] { state.withLock { $0.parked } }
    var discarded: [String] { state.withLock { $0.discarded } }

    func park(_ session: SessionState, pid: String, in namespace: String, by node: NodeID) async throws {
        state.withLock { $0.parked[pid] = session }
    }

    func claim(
        _ pid: String,
        after offset: MessageID,
        in namespace: String,
        retention: Duration,
        by node: NodeID
    ) async throws -> ClaimedSession? {
        state.withLock { state in
            guard pid == Self.foreignID else { return nil }
            return state.offered.take()
        }
    }

    func discard(_ pid: String, in namespace: String, by node: NodeID) async throws { state.withLock { $0.discarded.append(pid) } }
}

struct ExchangeDriver: Driver {
    let base: InMemoryDriver
    let exchange: StubExchange

    var messageLimit: Int { base.messageLimit }
    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { try await base.watch(as: node) }
    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome { await base.emit(batch) }
    var sessionExchange: (any SessionExchange)? { exchange }
}

@Suite("Sessions that come from nodes of other kinds, and go to them")
struct SharedSessionTests {
    private static let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// As Node.js makes them.
    private static let foreignID = StubExchange.foreignID

    /// As the first node makes them.
    private static func ownID(_ number: Int) -> String { "sessionNumber-\(number).node0" }

    private static func session(missed: [BroadcastPacket] = []) -> ClaimedSession {
        ClaimedSession(state: SessionState(id: "s", rooms: ["s", "room"], data: EncodedObject.empty), missed: missed)
    }

    private static func packet(_ number: UInt64) -> BroadcastPacket {
        var packet = TestNode.packet("\(number)")
        packet.offset = MessageID(seconds: 1, process: 2, counter: number)
        return packet
    }

    private static func withNodes(_ body: (TestNode, TestNode, StubExchange) async throws -> Void) async throws {
        let cluster = InMemoryCluster()
        let exchange = StubExchange()
        let nodes = (0..<2).map { index in
            TestNode("node\(index)", driver: ExchangeDriver(base: cluster.makeDriver(), exchange: exchange), recovery: RecoveryLimits())
        }
        for node in nodes { try await node.start() }
        for node in nodes { try await eventually { try await node.adapter.serverCount() == 2 } }
        let result: Result<Void, any Error>
        do { result = .success(try await body(nodes[0], nodes[1], exchange)) } catch { result = .failure(error) }
        for node in nodes { await node.node.close() }
        try result.get()
    }

    @Test(.timeLimit(.minutes(1)))
    func `What was read from the backend and comes through the stream later is given once`() async throws {
        try await Self.withNodes { here, there, exchange in
            let client = RecoveringClient()
            client.receive(Self.packet(1))
            // The last two are not yet read by the node.
            exchange.offer(Self.session(missed: [Self.packet(2), Self.packet(3), Self.packet(4)]))
            let claimant = TestClaimant(client, on: Self.loop)
            #expect(await here.adapter.restoreSession(pid: Self.foreignID, offset: client.offset, to: claimant))
            #expect(claimant.socket?.id == "s")
            for number in UInt64(3)...5 { try await there.adapter.broadcast(Self.packet(number), to: BroadcastOptions(rooms: ["room"])) }
            try await eventually { client.received.count >= 5 }
            #expect(client.received == ["1", "2", "3", "4", "5"])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Without a session of that id, or without an offset, there is nothing to restore`() async throws {
        try await Self.withNodes { here, _, exchange in
            exchange.offer(Self.session())
            let client = RecoveringClient()
            #expect(await !here.adapter.restoreSession(pid: Self.foreignID, offset: nil, to: TestClaimant(client, on: Self.loop)))
            client.receive(Self.packet(1))
            #expect(
                await !here.adapter.restoreSession(
                    pid: "another-20-character",
                    offset: client.offset,
                    to: TestClaimant(client, on: Self.loop)
                )
            )
        }
    }

    @Test
    func `A session is written when its client goes, taken back when it returns, and dropped when another kind has it`() async throws {
        try await Self.withNodes { here, _, exchange in
            let client = RecoveringClient()
            let local = here.adapter.local
            for turn in 1...2 {
                let socket = RecoveringSocket(id: "a\(turn)", pid: Self.ownID(turn), client: client, base: nil, holds: false, on: Self.loop)
                let adapter = here.adapter
                try await Self.loop.submit {
                    local.add(socket, pid: Self.ownID(turn))
                    local.join(socket, rooms: ["room"])
                    _ = adapter.parkSession(of: socket, socket.session(rooms: ["a\(turn)", "room"]))
                }.get()
            }
            try await eventually { exchange.parked.count == 2 }
            #expect(Set(exchange.parked.keys) == [Self.ownID(1), Self.ownID(2)])
            #expect(exchange.parked.values.allSatisfy { $0.rooms.contains("room") })
            #expect(await here.adapter.restoreSession(pid: Self.ownID(1), offset: nil, to: TestClaimant(client, on: Self.loop)))
            try await eventually { exchange.discarded == [Self.ownID(1)] }
            here.node.discardSession(pid: Self.ownID(2), in: "/")
            try await Self.loop.submit {}.get()
            #expect(await !here.adapter.restoreSession(pid: Self.ownID(2), offset: nil, to: TestClaimant(client, on: Self.loop)))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `What a single socket was given is written for the others`() async throws {
        try await Self.withNodes { here, there, _ in
            let socket = try await there.connect("elsewhere", rooms: ["a"])
            here.adapter.emitted(Self.packet(7), to: "a")
            here.adapter.emitted(TestNode.packet("without offset"), to: "a")
            try await here.adapter.broadcast(Self.packet(8), to: BroadcastOptions(rooms: ["a"]))
            try await eventually { socket.received.count >= 2 }
            #expect(socket.received == ["7", "8"])
        }
    }
}
