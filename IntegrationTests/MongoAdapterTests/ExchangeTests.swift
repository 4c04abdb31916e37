// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoTesting
import SocketIOCluster
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    @Suite("Exchange")
    struct Exchange {
        @Test(arguments: Mode.all)
        func `Three nodes get each other's broadcasts, each once and in order`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            try await withNodes(3, makeConfiguration(set.connectionString, mode)) { nodes in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (index, node) in nodes.enumerated() {
                        group.addTask { try await node.emit("\(index):", 0..<500) }
                    }
                    try await group.waitForAll()
                }
                for index in nodes.indices { await expectAll(nodes, "\(index):", 0..<500) }
                #expect(nodes.allSatisfy { $0.mongo.health == .healthy && $0.events.gaps == 0 && $0.events.skipped.isEmpty })
                try await eventually { nodes.allSatisfy { $0.mongo.node.nodes.count == 2 } }
            }
        }
    }
}
#endif
