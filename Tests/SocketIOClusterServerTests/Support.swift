// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOTesting
import SwiftSocketIO

extension ClusterConfiguration {
    /// In which no time runs out, however slow the machine.
    static var forTests: ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.heartbeatInterval = .milliseconds(300)
        configuration.heartbeatTimeout = .seconds(60)
        configuration.settleTime = .milliseconds(50)
        configuration.writeTimeout = .seconds(20)
        configuration.requestTimeout = .seconds(20)
        return configuration
    }

    /// For tests in which a server dies.
    static var forDeaths: ClusterConfiguration {
        var configuration = forTests
        configuration.heartbeatTimeout = .seconds(3)
        configuration.writeTimeout = .seconds(3)
        return configuration
    }
}

extension TestServer {
    /// The server's node; all servers of these tests have one.
    var record: DriverRecord { faults.record }
}

/// Runs servers on one bus, with these tests' timeouts, and records what they write.
func withServers(
    _ count: Int = 2,
    loops: Int = 2,
    configuration: SocketIOConfiguration = .init(),
    cluster: ClusterConfiguration = .forTests,
    setUp: (SocketIOServer) async throws -> Void = { _ in },
    _ body: ([TestServer]) async throws -> Void
) async throws {
    try await withTestCluster(of: count, configuration: configuration, cluster: cluster, eventLoops: loops, setUp: setUp) { servers in
        for server in servers { server.record.start() }
        try await body(servers)
    }
}
