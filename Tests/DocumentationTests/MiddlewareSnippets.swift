// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import SwiftSocketIO

enum MiddlewareSnippets {
    struct User: Codable, Sendable {
        var id: Int
        var name: String
    }

    struct Users: Sendable {
        func user(for token: String) async throws -> User? { nil }
    }

    static func middleware(io: SocketIOServer, users: Users) {
        struct Credentials: Decodable { var token: String }

        io.use { socket in
            let credentials = try socket.auth(as: Credentials?.self)
            guard let token = credentials?.token, let user = try await users.user(for: token) else {
                throw ConnectError("not authorized", data: ["reason": "log in first"])
            }
            socket.data["user"] = user
            await socket.join("user:\(user.id)")
        }
        io.onConnect { socket in
            guard let user = socket.data["user", as: User.self] else { return }
            print(user.name, "is here")
        }
    }

    static func handshake(socket: Socket) async {
        let handshake = await socket.handshake
        print(handshake.headers["user-agent"] ?? "-", handshake.query["version"] ?? "-", handshake.address, handshake.secure)
    }

    static func logOut(io: SocketIOServer, user: User) async throws {
        try await io.in("user:\(user.id)").disconnectSockets(close: true)
    }

    static func request() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.engine.allowRequest = { request in
            request.header("x-api-key") == "secret" ? .allow : .reject("a key is needed")
        }
        return configuration
    }

    static func origins() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        var cors = EngineCORS(origins: .exactly(["https://app.example.com", "http://localhost:5173"]))
        cors.credentials = true
        configuration.engine.cors = cors
        return configuration
    }

    static func rate(io: SocketIOServer) {
        io.onConnect { socket in
            let allowance = Allowance(perSecond: 20)
            socket.use { event in
                guard await allowance.take() else { throw AckError("too many events") }
            }
        }
    }

    actor Allowance {
        private let perSecond: Int
        private var left: Int
        private var second = ContinuousClock.now

        init(perSecond: Int) {
            self.perSecond = perSecond
            self.left = perSecond
        }

        func take() -> Bool {
            if ContinuousClock.now - second > .seconds(1) {
                left = perSecond
                second = .now
            }
            left -= 1
            return left >= 0
        }
    }
}
