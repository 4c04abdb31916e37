// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
import Hummingbird
import NIOPosix
import SwiftSocketIO
import SocketIOHummingbird

enum HummingbirdSnippets {
    static func mounting() async throws {
        let io = SocketIOServer()
        io.onConnect { socket in socket.join("lobby") }

        let router = Router()
        router.get("/clients") { _, _ in "\(io.clientsCount)" }
        router.post("/news") { request, _ in
            let body = try await request.body.collect(upTo: 10_000)
            try await io.to("lobby").emit("news", String(buffer: body))
            return HTTPResponse.Status.accepted
        }

        var app = Application(router: router, server: .socketIO(io), configuration: .init(address: .hostname("0.0.0.0", port: 8080)))
        app.addServices(io)
        try await app.runService()
    }

    static func overview() async throws {
        let io = SocketIOServer()
        io.onConnect { socket in
            socket.on("message") { (text: String) in
                try await io.emit("message", text)
            }
        }

        let router = Router()
        router.get("/health") { _, _ in HTTPResponse.Status.ok }

        var app = Application(
            router: router,
            server: .socketIO(io),
            configuration: .init(address: .hostname("0.0.0.0", port: 3000))
        )
        app.addServices(io)
        try await app.runService()
    }

    static func ready(io: SocketIOServer) {
        let router = Router()
        router.get("/ready") { _, _ in io.readiness.isReady ? HTTPResponse.Status.ok : .serviceUnavailable }
    }

    static func client() async throws -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        let map = try await StaticFile(path: "socket.io.min.js.map")
        configuration.engine.responder = { request in
            request.path == "/socket.io/socket.io.min.js.map" ? map.response(to: request) : nil
        }
        return configuration
    }

    static func loops() {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let io = SocketIOServer(eventLoopGroup: group)
        let app = Application(router: Router(), server: .socketIO(io), eventLoopGroupProvider: .shared(group))
        _ = app
    }
}
#endif
