// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoAdapter
import SwiftSocketIO
import Testing

/// Compiled as an application over MongoDB compiles it, with MemberImportVisibility and without `SocketIOCluster`.
@Suite struct MongoImportTests {
    @Test func `the types of a cluster need no import of their own`() {
        var configuration = MongoAdapterConfiguration(connectionString: "mongodb://db1,db2,db3/?replicaSet=rs0")
        configuration.cluster.snapshotsSessions = true
        configuration.onEvent = { (event: ClusterEvent) in print(event) }
        let cluster: ClusterConfiguration = configuration.cluster
        #expect(cluster.snapshotsSessions)
        let health: ClusterHealth = MongoAdapter(configuration).health
        #expect(!health.takesPart)
    }

    /// What the articles do with an error of a `confirmed` emit.
    private static func mayHaveArrived(_ error: any Error) -> Bool { (error as? ClusterError)?.code == .unknown }
}
#endif
