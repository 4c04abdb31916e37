import EngineIO
import NIOCore
import SocketIO
import SocketIOTesting
import Testing

/// What is tested: keep it apart from the place where it is run.
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
            let answer = try await socket.timeout(.seconds(5)).emitWithAck("question", as: Int.self)
            try socket.emit("answer", answer)
        }
    }
}

/// Runs the chat on a free port, and ends it.
func withChat(_ body: (_ port: Int) async throws -> Void) async throws {
    let io = SocketIOServer()
    addChat(to: io)
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { listening.finish() }
            try await io.run(port: 0, onListening: { listening.yield($0) })
        }
        for await port in ports {
            try await body(port)
            break
        }
        group.cancelAll()
    }
}

@Suite(.timeLimit(.minutes(1))) struct ChatTests {
    @Test func messagesReachTheOthersInTheRoom() async throws {
        try await withChat { port in
            let ada = try await TestClient.connect(port: port)
            let grace = try await TestClient.connect(port: port)
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

    @Test func theClientIsAsked() async throws {
        try await withChat { port in
            let client = try await TestClient.connect(port: port)
            try await client.join()
            try await client.emit("ask")
            let question = try await client.receiveEvent()
            try await client.acknowledge(try #require(question.id), 42)
            let answer = try await client.receiveEvent()
            #expect(try answer.arguments.decode(Int.self, at: 0) == 42)
        }
    }

    @Test func aClientThatSendsNonsenseIsClosed() async throws {
        try await withChat { port in
            let client = try await TestClient.connect(port: port)
            try await client.join()
            try await client.send(text: "42{\"not\": \"an array\"}")
            await client.waitUntilClosed()
        }
    }
}
