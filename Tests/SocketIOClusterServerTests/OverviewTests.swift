// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite("Overview of the cluster", .timeLimit(.minutes(1)))
struct OverviewTests {
    @Test
    func `Servers on one bus know each other`() async throws {
        let bus = InMemoryCluster()
        let first = SocketIOServer(adapter: ClusterNode(driver: bus.makeDriver()))
        let second = SocketIOServer(adapter: ClusterNode(driver: bus.makeDriver()))
        try await first.start()
        try await second.start()
        try await eventually { try await first.serverCount() == 2 }
        await first.close()
        await second.close()
    }
}
