// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import MetricsTestKit
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

/// When a broadcast returns, and what becomes of one that fails after that.
@Suite("Accepting broadcasts", .timeLimit(.minutes(1)))
struct AcceptanceTests {
    private struct Failure: Error {}

    private func options(_ rooms: [Room] = [], _ change: (inout BroadcastFlags) -> Void = { _ in }) -> BroadcastOptions {
        var options = BroadcastOptions(rooms: rooms)
        change(&options.flags)
        return options
    }

    private func emit(_ node: TestNode, _ name: String, _ options: BroadcastOptions = .init()) async throws {
        try await node.adapter.broadcast(TestNode.packet(name), to: options)
    }

    @Test
    func `Emits do not wait for the backend; what was accepted arrives in order when it answers`() async throws {
        try await withPair(TestNode.configuration()) { sender, other, driver in
            let (here, there) = (try await sender.connect("here"), try await other.connect("there"))
            driver.stall()
            for number in 0..<500 { try await emit(sender, "\(number)") }
            let expected = (0..<500).map(String.init)
            try await eventually { here.received == expected }
            #expect(there.received.isEmpty)
            driver.release()
            try await eventually { there.received == expected }
            #expect(sender.undelivered.all.isEmpty)
        }
    }

    @Test
    func `Commands and server-side events are accepted too, in one order with events`() async throws {
        try await withPair(TestNode.configuration()) { sender, other, driver in
            let there = try await other.connect("there")
            driver.stall()
            try await sender.adapter.addSockets(options(), to: ["room"])
            try await emit(sender, "in the room", options(["room"]))
            try await sender.adapter.removeSockets(options(), from: ["room"])
            try await emit(sender, "too late", options(["room"]))
            try await sender.adapter.serverSideEmit(PacketEncoder(format: .json).arguments { try $0.append("hello") }, confirmed: false)
            try await sender.adapter.disconnectSockets(options(), closeConnection: false)
            driver.release()
            try await eventually { there.isDisconnected }
            #expect(there.received == ["in the room"])
            #expect(other.server.all == ["hello"])
        }
    }

    @Test
    func `A full lane suspends the sender until there is room, and drops what is volatile`() async throws {
        try await withPair(quietConfiguration(queue: 10)) { sender, other, driver in
            let there = try await other.connect("there")
            driver.stall()
            try await emit(sender, "first")
            // It is being written, and no longer in the queue.
            try await eventually { driver.stalled == 1 }
            for number in 0..<10 { try await emit(sender, "\(number)") }
            let isAccepted = Mutex(false)
            let suspended = Task {
                try await emit(sender, "suspended")
                isAccepted.withLock { $0 = true }
            }
            try await eventually { sender.node.queuedMessages == 11 }
            try await emit(sender, "dropped", options { $0.volatile = true })
            #expect(!isAccepted.withLock { $0 })
            #expect(sender.node.queuedMessages == 11)
            driver.release()
            try await suspended.value
            try await emit(sender, "last", options { $0.volatile = true })
            try await eventually { there.received.last == "last" }
            let numbers = (0..<10).map { "\($0)" }
            let expected: [String] = ["first"] + numbers + ["suspended", "last"]
            #expect(there.received == expected)
            #expect(sender.undelivered.all.isEmpty)
        }
    }

    @Test
    func `What the backend refuses later is reported with its event and selection, and health tells of it`() async throws {
        try await withPair(quietConfiguration()) { sender, other, driver in
            let (here, there) = (try await sender.connect("here", rooms: ["a"]), try await other.connect("there", rooms: ["a"]))
            driver.stall()
            driver.fail(with: .refused(index: 0, error: Failure()))
            var selection = options(["a", "b"])
            selection.except = ["c"]
            try await emit(sender, "lost", selection)
            try await eventually { driver.stalled == 1 }
            driver.release()
            try await eventually { !sender.undelivered.all.isEmpty }
            driver.fail(with: nil)
            let failure = try #require(sender.undelivered.all.first)
            #expect(failure.kind == .emit && failure.event == "lost" && failure.namespace == "/")
            #expect(failure.options.rooms == ["a", "b"] && failure.options.except == ["c"])
            #expect(sender.undelivered.codes == [.notSent])
            #expect(sender.node.health == .lossy && sender.node.health.takesPart)
            try await emit(sender, "next", options(["a"]))
            try await eventually { there.received == ["next"] }
            #expect(here.received == ["lost", "next"])
        }
    }

    @Test
    func `Failures after the acceptance are counted, and those of volatile broadcasts by themselves`() async throws {
        let metrics = TestMetrics()
        func undelivered() throws -> Int64 {
            try metrics.expectCounter("socketio_cluster_messages_undelivered_total", [("fate", "not_sent")]).totalValue
        }
        func dropped() throws -> Int64 { try metrics.expectCounter("socketio_cluster_volatile_dropped_total").totalValue }
        try await withPair(quietConfiguration(), metrics: ClusterMetrics(factory: metrics)) { sender, _, driver in
            driver.fail(with: .refused(index: 0, error: Failure()))
            for number in 0..<3 { try await emit(sender, "\(number)") }
            try await eventually { sender.undelivered.all.count == 3 }
            #expect(try undelivered() == 3)
            #expect(try dropped() == 0)
            try await emit(sender, "volatile", options { $0.volatile = true })
            try await eventually { try dropped() == 1 }
            #expect(try undelivered() == 3)
            driver.fail(with: nil)
        }
    }

    @Test
    func `What is not written in time is reported`() async throws {
        var configuration = quietConfiguration()
        configuration.writeTimeout = .seconds(1)
        try await withPair(configuration) { sender, _, driver in
            driver.fail(with: .notWritten(Failure()))
            try await emit(sender, "late")
            try await sender.adapter.addSockets(options(["a"]), to: ["b"])
            try await emit(sender, "volatile", options { $0.volatile = true })
            try await eventually { sender.undelivered.all.count == 2 }
            #expect(sender.undelivered.all.map(\.kind) == [.emit, .socketsJoin])
            #expect(sender.undelivered.codes == [.notSent, .notSent])
            driver.fail(with: nil)
        }
    }

    @Test
    func `A confirmed broadcast returns when it is written, and throws if it is not`() async throws {
        var configuration = quietConfiguration()
        configuration.writeTimeout = .seconds(1)
        try await withPair(configuration) { sender, other, driver in
            let there = try await other.connect("there")
            driver.stall()
            let isConfirmed = Mutex(false)
            let confirmed = Task {
                try await emit(sender, "sure", options { $0.confirmed = true })
                isConfirmed.withLock { $0 = true }
            }
            try await eventually { driver.stalled == 1 }
            #expect(!isConfirmed.withLock { $0 })
            driver.release()
            try await confirmed.value
            try await eventually { there.received == ["sure"] }
            for (outcome, code) in [(BatchOutcome.notWritten(Failure()), ClusterError.Code.notSent), (.unknown(Failure()), .unknown)] {
                driver.fail(with: outcome)
                let error = await #expect(throws: ClusterError.self) {
                    try await emit(sender, "lost", options { $0.confirmed = true })
                }
                #expect(error?.code == code)
            }
            driver.fail(with: nil)
            #expect(sender.undelivered.all.isEmpty)
        }
    }

    @Test
    func `A volatile broadcast does not wait, confirmed or not`() async throws {
        try await withPair(TestNode.configuration()) { sender, other, driver in
            let there = try await other.connect("there")
            driver.stall()
            try await emit(
                sender,
                "x",
                options {
                    $0.volatile = true
                    $0.confirmed = true
                }
            )
            driver.release()
            try await eventually { there.received == ["x"] }
        }
    }

    @Test
    func `What is known before is still thrown: too large, closed`() async throws {
        try await withPair(TestNode.configuration()) { sender, _, _ in
            let large = String(repeating: "x", count: 20_000)
            for isVolatile in [true, false] {
                let error = await #expect(throws: ClusterError.self) { try await emit(sender, large, options { $0.volatile = isVolatile }) }
                #expect(error?.code == .tooLarge)
            }
            await sender.node.close()
            let error = await #expect(throws: ClusterError.self) { try await emit(sender, "x") }
            #expect(error?.code == .closed)
            #expect(sender.undelivered.all.isEmpty)
        }
    }

    @Test
    func `Closing writes what was accepted before the node leaves`() async throws {
        try await withPair(quietConfiguration()) { sender, other, driver in
            let there = try await other.connect("there")
            driver.stall()
            for number in 0..<100 { try await emit(sender, "\(number)") }
            async let closed: Void = sender.node.close()
            try await eventually { driver.stalled == 1 }
            driver.release()
            await closed
            #expect(sender.undelivered.all.isEmpty)
            try await eventually { other.log.all.contains { $0.hasPrefix("left") } }
            #expect(there.received == (0..<100).map(String.init))
        }
    }

    @Test
    func `What cannot be written before the closing deadline is reported`() async throws {
        var configuration = quietConfiguration()
        configuration.closeTimeout = .seconds(2)
        try await withPair(configuration) { sender, _, driver in
            driver.stall()
            try await emit(sender, "being written")
            try await eventually { driver.stalled == 1 }
            try await emit(sender, "waiting")
            await sender.node.close()
            #expect(sender.undelivered.all.map(\.event) == ["being written", "waiting"])
            #expect(sender.undelivered.codes == [.unknown, .closed])
        }
    }
}
