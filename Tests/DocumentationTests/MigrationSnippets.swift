// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO

enum MigrationSnippets {
    struct Message: Codable, Sendable { var text: String }
    struct Users: Sendable { func find(_ token: String) async throws -> String? { nil } }
    struct Messages: Sendable { func save(_ message: Message) async throws -> Int { 0 } }

    static func server(users: Users, messages: Messages) async throws {
        let io = SocketIOServer()

        io.use { socket in
            struct Login: Decodable { var token: String }
            let login = try socket.auth(as: Login.self)
            guard let user = try await users.find(login.token) else { throw ConnectError("not authorized") }
            socket.data["user"] = user
        }

        io.onConnect { socket in
            await socket.join("lobby")
            socket.on("message") { (message: Message) in
                let id = try await messages.save(message)
                try await socket.to("lobby").emit("message", message)
                return id
            }
            socket.onDisconnect { end in
                try await io.to("lobby").emit("left", socket.data["user", as: String.self], end.reason.description)
            }
        }

        try await io.run(port: 3000)
    }
}
