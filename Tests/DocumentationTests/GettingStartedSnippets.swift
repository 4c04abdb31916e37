// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import NIOCore
import NIOSSL
import SwiftSocketIO

enum GettingStartedSnippets {
    static func firstServer() async throws {
        let io = SocketIOServer()
        io.onConnect { socket in
            await socket.join("lobby")
            socket.on("message") { (text: String) in
                try await socket.to("lobby").emit("message", text)
            }
            socket.on("sum") { (a: Double, b: Double) in a + b }
        }
        try await io.run(port: 3000)
    }

    static func elsewhere(io: SocketIOServer) async throws {
        try await io.to("lobby").emit("news", "the server speaks")
    }

    static func options() async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.cors = EngineCORS(origins: .exactly(["https://app.example.com"]))
        configuration.engine.pingInterval = .seconds(20)
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        let io = SocketIOServer(configuration: configuration)
        _ = io
    }

    static func environment() async throws {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        let io = SocketIOServer(configuration: try SocketIOConfiguration(config: config.scoped(to: "socketio")))
        _ = io
    }

    static func files(io: SocketIOServer) async throws {
        let page = try await StaticFile(path: "Public/index.html")
        try await io.run(
            host: "0.0.0.0",
            port: 3000,
            responder: { request in
                if request.path == "/health" { return EngineHTTPResponse(text: "\(io.clientsCount) clients\n") }
                return request.path == "/" ? page.response(to: request.head) : .notFound
            }
        )
    }

    static func tls(io: SocketIOServer) async throws {
        var http = EngineHTTPServerConfiguration(host: "0.0.0.0", port: 443)
        http.tls = .makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile("chain.pem").map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: "key.pem", format: .pem))
        )
        try await io.run(http)
    }
}
