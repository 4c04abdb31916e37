// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Logging
import SocketIOMongoTesting
import SwiftSocketIO
import SocketIOMongoAdapter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    /// Handlers that end with `emit`, while the database is slow or has no primary.
    @Suite("Accepting broadcasts")
    struct Acceptance {
        private static func addChat(to io: SocketIOServer) {
            io.onConnect { socket in
                await socket.join("room")
                socket.on("say") { (number: Int) in try await socket.to("room").emit("said", number) }
                socket.on("move") { (number: Int) in try await socket.to("room").volatile.emit("moved", number) }
            }
        }

        private static func withServer(_ configuration: MongoAdapterConfiguration, _ body: (TestServer) async throws -> Void) async throws {
            var configuration = configuration
            configuration.logger.logLevel = .critical
            try await withTestServer(adapter: .mongo(configuration), setUp: { io in addChat(to: io) }, body)
        }

        /// A client that is in the room.
        private static func guest(of server: TestServer) async throws -> TestClient {
            let client = try await server.connect()
            try await client.join()
            try await eventually { try await server.io.local.in("room").fetchSockets().count == server.io.clientsCount }
            return client
        }

        private static func numbers(_ client: TestClient, _ count: Int) async throws -> [Int] {
            var numbers: [Int] = []
            while numbers.count < count { numbers.append(try await client.receiveEvent().arguments.decode(Int.self, at: 0)) }
            return numbers
        }

        @Test(arguments: ["say", "move"])
        func `Slow writes hold back no events of a client`(event: String) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            try await Self.withServer(configuration) { server in
                let (sender, receiver) = (try await Self.guest(of: server), try await Self.guest(of: server))
                let primary = try await set.primary()
                try await primary.delayCommands(["insert"], on: "tests.\(configuration.collection)", by: .milliseconds(25))
                let start = ContinuousClock.now
                for number in 0..<600 { try await sender.emit(event, number) }
                #expect(try await Self.numbers(receiver, 600) == Array(0..<600))
                // One write after the other takes 15 s at least.
                #expect(ContinuousClock.now - start < .seconds(7))
                try await primary.failNothing()
            }
        }

        @Test
        func `During an election the events of clients go on, and other servers get them afterwards`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, .ttl)
            try await Self.withServer(configuration) { first in
                try await Self.withServer(configuration) { second in
                    let (sender, here) = (try await Self.guest(of: first), try await Self.guest(of: first))
                    let there = try await Self.guest(of: second)
                    let before = try await set.primary()
                    try await before.kill()
                    var longest = Duration.zero
                    let count = 100
                    for number in 0..<count {
                        let start = ContinuousClock.now
                        try await sender.emit("say", number)
                        #expect(try await Self.numbers(here, 1) == [number])
                        longest = max(longest, ContinuousClock.now - start)
                    }
                    // None of them has waited for the new primary.
                    #expect(longest < .seconds(1))
                    #expect(try await Self.numbers(there, count) == Array(0..<count))
                }
            }
        }
    }
}
#endif
