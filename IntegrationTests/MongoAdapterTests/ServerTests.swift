// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText
import SocketIOMongoTesting
import Logging
import NIOCore
import SwiftSocketIO
import SocketIOCore
import SocketIOMongoAdapter
import SocketIOTesting
import Testing

extension MongoAdapterTests {
    @Suite("Servers")
    struct Servers {
        @Test(arguments: [Mode.ttl, .tailable])
        func `Two servers act as one: everything of the API reaches the sockets of both`(mode: Mode) async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let configuration = makeConfiguration(set.connectionString, mode)
            try await withServer(configuration) { first in
                try await withServer(configuration) { second in
                    let ada = try await first.connect()
                    let grace = try await second.connect()
                    let (adasID, gracesID) = (try await ada.join().sid, try await grace.join().sid)
                    try await Self.checkMessages(first.io, second.io, ada, grace)
                    try await Self.checkSockets(first.io, second.io, adasID, gracesID, grace)
                }
            }
        }

        private static func checkMessages(
            _ first: SocketIOServer,
            _ second: SocketIOServer,
            _ ada: TestClient,
            _ grace: TestClient
        ) async throws {
            try await ada.emit("say", "hello")
            #expect(try await grace.receiveEvent().arguments.decode(String.self, at: 0) == "hello")
            try await first.emit("to all", 1)
            for client in [ada, grace] { #expect(try await client.receiveEvent().name == "to all") }
            try await second.local.emit("to those here", 2)
            #expect(try await grace.receiveEvent().name == "to those here")

            let answers = try await second.timeout(.seconds(10)).emitWithAck("ready?", as: Bool.self)
            for client in [ada, grace] {
                let question = try await client.receiveEvent()
                try await client.acknowledge(try #require(question.id), true)
            }
            #expect(try await answers.collectAvailable().responses == [true, true])

            let greetings = try await first.serverSideEmitWithAck("greet", "server", as: String.self)
            #expect(greetings == ["hello server"])
        }

        private static func checkSockets(
            _ first: SocketIOServer,
            _ second: SocketIOServer,
            _ adasID: String,
            _ gracesID: String,
            _ grace: TestClient
        ) async throws {
            #expect(try await first.serverCount() == 2)
            let sockets = try await first.fetchSockets()
            #expect(Set(sockets.map(\.id)) == [adasID, gracesID])
            let remote = try #require(sockets.first { $0.id == gracesID })
            #expect(remote.rooms.contains("everybody"))
            #expect(!remote.handshake.headers.isEmpty)
            try await remote.emit("to you alone")
            #expect(try await grace.receiveEvent().name == "to you alone")
            try await remote.join("remote")
            try await eventually { try await second.in("remote").fetchSockets().map(\.id) == [gracesID] }
            #expect(try await first.in("remote").rooms().contains("remote"))
            try await first.in("remote").emit("to the room")
            #expect(try await grace.receiveEvent().name == "to the room")
            try await remote.leave("remote")
            try await eventually { try await first.in("remote").fetchSockets().isEmpty }
            try await remote.disconnect()
            try await eventually { try await first.fetchSockets().map(\.id) == [adasID] }
        }
    }
}

private func withServer(_ configuration: MongoAdapterConfiguration, _ body: (TestServer) async throws -> Void) async throws {
    var configuration = configuration
    configuration.logger.logLevel = .critical
    try await withTestServer(
        adapter: .mongo(configuration),
        setUp: { io in
            io.onConnect { socket in
                await socket.join("everybody")
                socket.on("say") { (text: String) in try await socket.broadcast.emit("said", text) }
            }
            io.on("greet") { (name: String) in "hello \(name)" }
        },
        body
    )
}
#endif
