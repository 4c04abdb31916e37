// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTesting

/// Runs a test with two nodes that know each other, and closes them.
///
/// - Parameters:
///   - configuration: Of both nodes.
///   - metrics: Of the first.
///   - messageCheck: What the first node's driver can never write.
///   - body: Gets the nodes, and the driver of the first.
func withPair(
    _ configuration: ClusterConfiguration,
    metrics: ClusterMetrics = ClusterMetrics(),
    messageCheck: (@Sendable (ClusterBody, String) -> ClusterError?)? = nil,
    _ body: (TestNode, TestNode, PausedDriver) async throws -> Void
) async throws {
    let cluster = InMemoryCluster()
    let driver = PausedDriver(cluster, messageCheck: messageCheck)
    let nodes = [
        TestNode("sender", driver: driver, configuration: configuration, metrics: metrics),
        TestNode("other", driver: cluster.makeDriver(), configuration: configuration),
    ]
    for node in nodes { try await node.start() }
    try await eventually { nodes[0].node.health == .healthy && nodes[0].node.nodes.count == 1 }
    let result: Result<Void, any Error>
    do { result = .success(try await body(nodes[0], nodes[1], driver)) } catch { result = .failure(error) }
    driver.release()
    for node in nodes { await node.node.close() }
    try result.get()
}

/// Nothing is sent but what a test sends.
func quietConfiguration(queue: Int = 10_000) -> ClusterConfiguration {
    var configuration = TestNode.configuration()
    configuration.heartbeatInterval = .seconds(20)
    configuration.maximumQueuedMessages = queue
    return configuration
}
