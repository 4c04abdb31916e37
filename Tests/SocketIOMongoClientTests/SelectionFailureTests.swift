// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Testing

@testable import SocketIOMongoClient

/// What a test with real servers cannot easily bring about.
@Suite struct SelectionFailureTests {
    private let expired = "No suitable servers found: `serverSelectionTimeoutMS` expired"

    @Test func `members whose addresses are only known elsewhere are named as the cause`() {
        var topology = Topology()
        topology.hosts = ["localhost:27017"]
        topology.replicaSet = "rs0"
        topology.answers = [
            ServerAnswer(address: "localhost:27017", type: "RSPrimary", setName: "rs0"),
            ServerAnswer(address: "mongo:27017", type: "Unknown", setName: nil),
        ]
        let failure = SelectionFailure("\(expired): [Failed to resolve mongo]", topology)
        #expect(failure.code == .serverSelection)
        #expect(failure.message.hasPrefix("localhost:27017 answers, but its replica set has other addresses for its members"))
        #expect(failure.message.contains("(Failed to resolve mongo)") && failure.message.contains("rs.conf()"))
    }

    @Test func `a mongos is not a member of a replica set`() {
        var topology = Topology()
        topology.hosts = ["router:27017"]
        topology.replicaSet = "rs0"
        topology.answers = [ServerAnswer(address: "router:27017", type: "Mongos", setName: nil)]
        let failure = SelectionFailure(expired, topology)
        #expect(failure.code == .wrongDeployment)
        let text = "router:27017 is a mongos, not a member of the replica set rs0: remove replicaSet from the connection string."
        #expect(failure.message == text)
    }

    @Test func `a server that has answered once and is down now could not be reached`() {
        var topology = Topology()
        topology.hosts = ["a:1"]
        topology.replicaSet = "rs0"
        topology.answers = [ServerAnswer(address: "a:1", type: "Unknown", setName: nil)]
        let failure = SelectionFailure("\(expired): [Failed to connect to target host: a:1]", topology)
        #expect(failure.code == .serverSelection)
        #expect(failure.message.hasPrefix("MongoDB could not be reached at a:1: check that mongod runs there"))
    }

    @Test func `a primary is missing, or a member that the read preference asks for`() {
        var topology = Topology()
        topology.hosts = ["a:1", "b:1"]
        topology.answering = [ServerDescription(id: 2, address: "b:1", type: "RSSecondary")]
        let noPrimary = SelectionFailure(expired, topology).message
        #expect(noPrimary.hasPrefix("The replica set has no primary") && noPrimary.hasSuffix("; b:1 answers."))
        topology.answering.append(ServerDescription(id: 1, address: "a:1", type: "RSSecondary"))
        #expect(SelectionFailure(expired, topology).message.hasSuffix("; a:1, b:1 answer."))
        topology.answering = [ServerDescription(id: 1, address: "a:1", type: "RSPrimary")]
        #expect(SelectionFailure(expired, topology).message.hasPrefix("The servers at a:1 do not fit the read preference"))
    }
}
#endif
