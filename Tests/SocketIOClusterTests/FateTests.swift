// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import MetricsTestKit
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

/// What cannot be written, and what senders, operators and probes learn of it.
@Suite("Messages that cannot be written", .timeLimit(.minutes(1)))
struct FateTests {
    private struct Failure: Error {}

    private func expectUnsupported(_ call: () async throws -> Void) async {
        let error = await #expect(throws: ClusterError.self) { try await call() }
        #expect(error?.code == .unsupported)
    }

    @Test
    func `What a driver can never write is thrown before it is accepted, and does not change the health`() async throws {
        let refused = ClusterError(.unsupported, "not in this format")
        let check: @Sendable (ClusterBody, String) -> ClusterError? = { body, namespace in
            guard namespace == "/" else { return nil }
            return switch body {
            case .serverSideEmit, .serverSideEmitWithAck, .broadcastWithAck: refused
            case .broadcast(_, let options): options.rooms == ["never"] ? refused : nil
            default: nil
            }
        }
        try await withPair(quietConfiguration(), messageCheck: check) { sender, other, _ in
            let (here, there) = (try await sender.connect("here", rooms: ["never"]), try await other.connect("there", rooms: ["never"]))
            let never = BroadcastOptions(rooms: ["never"])
            await expectUnsupported { try await sender.adapter.broadcast(TestNode.packet("local"), to: never) }
            await expectUnsupported { _ = try await sender.adapter.broadcastWithAck(TestNode.packet("asked"), to: never) }
            let event = try PacketEncoder(format: .json).arguments { try $0.append("event") }
            await expectUnsupported { try await sender.adapter.serverSideEmit(event, confirmed: false) }
            await expectUnsupported { _ = try await sender.adapter.serverSideEmitWithAck(event, timeout: nil) }
            try await sender.adapter.broadcast(TestNode.packet("all"), to: BroadcastOptions())
            try await eventually { there.received == ["all"] }
            #expect(here.received == ["local", "all"])
            #expect(other.server.all.isEmpty && sender.undelivered.all.isEmpty)
            #expect(sender.node.health == .healthy)
        }
    }

    @Test(arguments: [ClusterError.Code.unsupported, .tooLarge])
    func `What only its encoding shows is reported, and does not change the health either`(code: ClusterError.Code) async throws {
        try await withPair(quietConfiguration()) { sender, _, driver in
            driver.fail(with: .refused(index: 0, error: ClusterError(code, "not in this format")))
            try await sender.adapter.broadcast(TestNode.packet("x"), to: BroadcastOptions())
            try await eventually { sender.undelivered.codes == [code] }
            driver.fail(with: nil)
            #expect(sender.node.health == .healthy)
            driver.fail(with: .refused(index: 0, error: Failure()))
            try await sender.adapter.broadcast(TestNode.packet("y"), to: BroadcastOptions())
            try await eventually { sender.node.health == .lossy }
            driver.fail(with: nil)
        }
    }

    @Test
    func `Failed messages are counted by whether they may still arrive`() async throws {
        let metrics = TestMetrics()
        var configuration = quietConfiguration()
        configuration.writeTimeout = .seconds(1)
        try await withPair(configuration, metrics: ClusterMetrics(factory: metrics)) { sender, _, driver in
            for (outcome, count) in [(BatchOutcome.notWritten(Failure()), 1), (.unknown(Failure()), 2), (.unknown(Failure()), 3)] {
                driver.fail(with: outcome)
                try await sender.adapter.broadcast(TestNode.packet("x"), to: BroadcastOptions())
                try await eventually { sender.undelivered.all.count == count }
            }
            driver.fail(with: nil)
        }
        let label = "socketio_cluster_messages_undelivered_total"
        #expect(try metrics.expectCounter(label, [("fate", "not_sent")]).totalValue == 1)
        #expect(try metrics.expectCounter(label, [("fate", "unknown")]).totalValue == 2)
    }

    @Test
    func `What is wrong with the backend is the health of the node, and is reported`() async throws {
        try await withPair(quietConfiguration()) { sender, _, driver in
            for problem in [ClusterHealth.mismatched, .deaf] {
                driver.report(problem)
                try await eventually { sender.node.health == problem }
                #expect(!sender.node.health.takesPart)
                try await eventually { sender.log.all.last?.contains("\(problem)") == true }
                driver.report(nil)
                try await eventually { sender.node.health == .healthy }
            }
            // Messages cannot be written because the backend is another one.
            driver.report(.mismatched)
            driver.fail(with: .notWritten(Failure()))
            try await eventually { sender.node.health == .mismatched }
            driver.fail(with: nil)
        }
    }
}
