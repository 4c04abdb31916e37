// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EngineIO
import Foundation
import NIOPosix
import SocketIOCore
import SwiftSocketIO

/// The server that the tests with real clients talk to; its events are listed in `IntegrationTests/python/README.md`.
@main
struct SocketIOConformanceServer: AsyncParsableCommand {
    @OptionGroup var options: Options

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
        let io = try makeServer(group)
        addNamespaces(io)
        addServerEvents(io)
        try await io.run(
            EngineHTTPServerConfiguration(port: options.port),
            signals: options.signals,
            onListening: { port in
                // Written at once, unlike what is printed into a pipe.
                FileHandle.standardOutput.write(Data("listening \(port)\n".utf8))
            }
        )
    }

    private func makeServer(_ group: MultiThreadedEventLoopGroup) throws -> SocketIOServer {
        #if MongoDB
        if let adapter = try options.mongo.adapter {
            return try SocketIOServer(configuration: options.configuration(), adapter: adapter, eventLoopGroup: group)
        }
        #endif
        return try SocketIOServer(configuration: options.configuration(), eventLoopGroup: group)
    }

    private func addNamespaces(_ io: SocketIOServer) {
        io.onConnect { socket in
            await addEcho(socket)
            addConversation(socket)
            addRooms(socket, of: io)
            addCluster(socket, of: io)
            addNames(socket)
        }
        io.of("/custom").onConnect(addEcho)
        io.of("/caf\u{E9}").onConnect(addEcho)
        io.of(/\/dynamic-[0-9]+/).onConnect(addEcho)
        let guarded = io.of("/guarded")
        guarded.use { socket in
            struct Auth: Decodable { let token: String }
            guard let auth = try? await socket.handshake.auth?.decode(Auth.self), auth.token == "secret" else {
                throw ConnectError("not authorized", data: Code(code: "E_TOKEN"))
            }
        }
        guarded.onConnect(addEcho)
        let slow = io.of("/slow")
        slow.use { _ in try await Task.sleep(for: .milliseconds(500)) }
        slow.onConnect(addEcho)
    }
}
