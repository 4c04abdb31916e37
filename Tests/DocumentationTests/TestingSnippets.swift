// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOTesting
import SwiftSocketIO
import Testing

/// The code under test, kept separate from the code that starts servers.
func addChat(to io: SocketIOServer) {
    io.onConnect { socket in
        socket.on("join") { (room: String) in
            await socket.join("room:\(room)")
            return true
        }
        socket.on("message") { (room: String, text: String) in
            try await socket.to("room:\(room)").emit("message", text)
        }
        socket.on("ask") { () async throws in
            let answer = try? await socket.timeout(.seconds(5)).emitWithAck("question", as: Int.self)
            try socket.emit("answer", answer)
        }
    }
}

func addAdministration(to io: SocketIOServer) {
    struct Code: Encodable { var code: String }
    let admin = io.of("/admin")
    admin.use { socket in
        guard try socket.auth(as: [String: String]?.self)?["token"] == "secret" else {
            throw ConnectError("not authorized", data: Code(code: "E_TOKEN"))
        }
    }
    admin.onConnect { socket in
        socket.on("rename") { (name: String) in try await admin.emit("renamed", name) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ChatTests {
    @Test func `messages reach the others in the room`() async throws {
        try await withTestServer(setUp: addChat(to:)) { server in
            let ada = try await server.connect()
            let grace = try await server.connect()
            for client in [ada, grace] {
                try await client.join()
                #expect(try await client.emitWithAck("join", "lobby").decode(Bool.self, at: 0))
            }
            try await ada.emit("message", "lobby", "hello")
            let event = try await grace.receiveEvent()
            #expect(event.name == "message")
            #expect(try event.arguments.decode(String.self, at: 0) == "hello")
        }
    }

    @Test func `the client is asked`() async throws {
        try await withTestServer(setUp: addChat(to:)) { server in
            let client = try await server.connect()
            try await client.join()
            try await client.emit("ask")
            let question = try await client.receiveEvent()
            try await client.acknowledge(try #require(question.id), 42)
            let answer = try await client.receiveEvent()
            #expect(try answer.arguments.decode(Int.self, at: 0) == 42)
        }
    }

    @Test func `a client without a token is refused`() async throws {
        try await withTestServer(setUp: addAdministration(to:)) { server in
            let client = try await server.connect()
            let refusal = try await client.expectRefusal("/admin", auth: ["token": "wrong"])
            #expect(refusal.message == "not authorized")
            #expect(refusal.data?["code"] == "E_TOKEN")
            try await client.join("/admin", auth: ["token": "secret"])
        }
    }

    @Test func `administrators learn of new names`() async throws {
        try await withTestServer(setUp: addAdministration(to:)) { server in
            let client = try await server.connect()
            try await client.join("/admin", auth: ["token": "secret"])
            try await client.emit("rename", "Ada", namespace: "/admin")
            let event = try await client.receiveEvent()
            #expect(event.name == "renamed" && event.namespace == "/admin")
        }
    }

    @Test(arguments: TestClient.Transport.allCases) func `all transports carry events`(transport: TestClient.Transport) async throws {
        try await withTestServer(setUp: addChat(to:)) { server in
            let client = try await server.connect(transport: transport)
            try await client.join()
            #expect(try await client.emitWithAck("join", "lobby").decode(Bool.self, at: 0))
        }
    }

    @Test func `a client that sends nonsense is closed`() async throws {
        try await withTestServer(setUp: addChat(to:)) { server in
            let client = try await server.connect()
            try await client.join()
            try await client.send(text: "42{\"not\": \"an array\"}")
            await client.waitUntilClosed()
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct TimeTests {
    @Test func `a question that is not answered times out`() async throws {
        let clock = await ManualClock()
        try await withTestServer(clock: clock, setUp: addChat(to:)) { server in
            let client = try await server.connect()
            try await client.join()
            try await client.emit("ask")
            #expect(try await client.receiveEvent().name == "question")
            await clock.advance(by: .seconds(5))
            #expect(try await client.receiveEvent().arguments.decode(Int?.self, at: 0) == nil)
        }
    }

    @Test func `a client that hangs is closed`() async throws {
        let clock = await ManualClock()
        try await withTestServer(clock: clock, setUp: addChat(to:)) { server in
            let client = try await server.connect(answersPings: false)
            try await client.join()
            // The default interval and timeout of pings.
            await clock.advance(by: .seconds(25 + 20))
            await client.waitUntilClosed()
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ManyServersTests {
    @Test func `messages reach the room on all servers`() async throws {
        try await withTestCluster(of: 2, setUp: addChat(to:)) { servers in
            let ada = try await servers[0].connect()
            let grace = try await servers[1].connect()
            for client in [ada, grace] {
                try await client.join()
                _ = try await client.emitWithAck("join", "lobby")
            }
            try await ada.emit("message", "lobby", "hello")
            #expect(try await grace.receiveEvent().arguments.decode(String.self, at: 0) == "hello")
        }
    }

    @Test func `a server that is cut off is named`() async throws {
        let clock = await ManualClock()
        try await withTestCluster(of: 3, clock: clock, setUp: addChat(to:)) { servers in
            servers[2].faults.cutOff()
            let error = await #expect(throws: IncompleteResponseError<[RemoteSocket]>.self) {
                try await clock.letTimePass { try await servers[0].io.fetchSockets() }
            }
            #expect(error?.missingNodes == ["node2"])
        }
    }
}
