// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTesting
import SwiftSocketIO
import Testing

/// The example application of the article, and what a client sees of it.
@Suite(.timeLimit(.minutes(1))) struct LargeApplicationSnippets {
    struct Users: Sendable {
        func user(for token: String) async throws -> String? { token == "secret" ? "Ada" : nil }
    }

    actor MessageStore {
        private var texts: [String] = []

        func save(_ text: String) -> Int {
            texts.append(text)
            return texts.count
        }

        func last(_ count: Int) -> [String] { texts.suffix(count) }
        func removeAll() { texts = [] }
    }

    /// Admits users only.
    struct AccountController: SocketController {
        struct Login: Decodable { var token: String }

        let users: Users

        func register(on namespace: Namespace) { namespace.use(authenticate) }

        func authenticate(_ socket: Socket) async throws {
            let login = try socket.auth(as: Login.self)
            guard let user = try await users.user(for: login.token) else { throw ConnectError("not authorized") }
            socket.data["user"] = user
        }
    }

    /// The messages of the lobby.
    struct ChatController: SocketController {
        let messages: MessageStore

        func register(on namespace: Namespace) { namespace.on("purge", purge) }

        func register(on socket: Socket) async throws {
            await socket.join("lobby")
            socket.on("message", message)
            socket.on("history", .concurrent, history)
            socket.on("draw", draw)
            socket.onDisconnect { end in try await left(socket, end) }
        }

        func message(_ socket: Socket, _ text: String) async throws -> Int {
            let id = await messages.save(text)
            try await socket.to("lobby").emit("message", id, text)
            return id
        }

        func history(_ count: Int) async -> [String] { await messages.last(min(max(count, 0), 100)) }

        /// Forwarded as it is.
        func draw(_ socket: Socket, _ event: SocketEvent) async throws {
            try await socket.to("lobby").emit("draw", raw: event.arguments)
        }

        func left(_ socket: Socket, _ end: Disconnection) async throws {
            try await socket.to("lobby").emit("left", socket.data["user", as: String.self], end.reason.description)
        }

        /// Sent by other servers.
        func purge() async { await messages.removeAll() }
    }

    /// The game of one client.
    actor Game {
        private let socket: Socket
        private var score = 0

        init(of socket: Socket) { self.socket = socket }

        func start() {
            socket.on("hit", hit)
            socket.on("score", currentScore)
        }

        func hit(_ points: Double) async throws {
            score += points > 10 ? 2 : 1
            try socket.emit("score", score)
        }

        func currentScore() async -> Int { score }
    }

    struct GameController: SocketController {
        func register(on socket: Socket) async { await Game(of: socket).start() }
    }

    func addControllers(to io: SocketIOServer, users: Users, messages: MessageStore) {
        let chat = io.of("/chat")
        chat.register(AccountController(users: users))
        chat.register(ChatController(messages: messages))
        io.of("/game").register(GameController())
    }

    func main() async throws {
        let io = SocketIOServer()
        addControllers(to: io, users: Users(), messages: MessageStore())
        try await io.run(port: 3000)
    }

    @Test func `the example application runs`() async throws {
        try await withTestServer { io in
            addControllers(to: io, users: Users(), messages: MessageStore())
        } _: { server in
            let stranger = try await server.connect()
            try await stranger.requestJoin("/chat", auth: #"{"token":"wrong"}"#)
            #expect(try await stranger.receive() == .text(#"44/chat,{"message":"not authorized"}"#))
            var clients: [TestClient] = []
            for _ in 0..<2 {
                let client = try await server.connect()
                try await client.join("/chat", auth: #"{"token":"secret"}"#)
                clients.append(client)
            }
            #expect(try await clients[0].emitWithAck("message", "hello", namespace: "/chat").decode(Int.self, at: 0) == 1)
            let message = try await clients[1].receiveEvent()
            #expect(message.name == "message")
            #expect(try message.arguments.decode(String.self, at: 1) == "hello")
            #expect(try await clients[1].emitWithAck("history", 5, namespace: "/chat").decode([String].self, at: 0) == ["hello"])
            try await clients[0].emit("draw", [1, 2], "red", namespace: "/chat")
            let drawing = try await clients[1].receiveEvent()
            #expect(drawing.name == "draw" && drawing.namespace == "/chat" && drawing.arguments.count == 2)
            await clients[0].cut()
            let left = try await clients[1].receiveEvent()
            #expect(left.name == "left")
            #expect(try left.arguments.decode(String.self, at: 0) == "Ada")
            let player = try await server.connect()
            try await player.join("/game")
            try await player.emit("hit", 12, namespace: "/game")
            #expect(try await player.receiveEvent().arguments.decode(Int.self, at: 0) == 2)
            #expect(try await player.emitWithAck("score", namespace: "/game").decode(Int.self, at: 0) == 2)
        }
    }
}
