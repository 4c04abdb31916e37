// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOCluster
import SocketIOTesting
import SwiftSocketIO
import Synchronization
import Testing

/// Where a node logs, and what its server answers to readiness probes.
@Suite(.timeLimit(.minutes(1))) struct NodeLoggerTests {
    /// Notes the labels of the loggers that are used.
    private final class Labels: Sendable {
        private let noted = Mutex<[String]>([])

        var all: Set<String> { Set(noted.withLock { $0 }) }

        func logger(_ label: String) -> Logger {
            var logger = Logger(label: label) { label in Handler(label: label, labels: self) }
            logger.logLevel = .trace
            return logger
        }

        private struct Handler: LogHandler {
            let label: String
            let labels: Labels
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.trace

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) { labels.noted.withLock { $0.append(label) } }
        }
    }

    /// Runs a node until it has logged its health.
    private func labels(own: String?) async throws -> Set<String> {
        let labels = Labels()
        var options = ClusterNode.Options(configuration: .forTests)
        if let own { options.logger = labels.logger(own) }
        let node = ClusterNode(driver: InMemoryCluster().makeDriver(), options: options)
        let io = SocketIOServer(adapter: node, logger: labels.logger("server"))
        try await io.start()
        try await eventually { node.health == .healthy && !labels.all.isEmpty }
        #expect(io.readiness.isReady)
        await io.close()
        return labels.all
    }

    @Test func `a node logs to the server's logger`() async throws {
        #expect(try await labels(own: nil) == ["server"])
    }

    @Test func `a node with a logger of its own logs there`() async throws {
        #expect(try await labels(own: "node").contains("node"))
    }

    @Test func `a server whose node is cut off is not ready until it is back`() async throws {
        let clock = await ManualClock()
        try await withTestCluster(of: 2, clock: clock) { servers in
            try await clock.letTimePass {
                try await eventually { servers.allSatisfy { $0.io.readiness.isReady } }
                servers[1].faults.cutOff()
                try await eventually { !servers[1].io.readiness.isReady }
            }
            #expect(servers[1].io.state == .serving)
            #expect(servers[1].io.readiness.adapterProblem?.hasPrefix("the cluster: ") == true)
            #expect(servers[0].io.readiness.isReady)
            servers[1].faults.reconnect()
            try await clock.letTimePass { try await eventually { servers[1].io.readiness.isReady } }
        }
    }
}
