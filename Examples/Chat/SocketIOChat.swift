// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EngineIO
import Foundation
import HTTPTypes
import SwiftSocketIO

#if MongoDB
import SocketIOMongoAdapter
#endif

/// A chat: `swift run SocketIOChat`, then open it in two windows. With `--mongodb`, any number of processes are one chat.
@main
struct SocketIOChat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "SocketIOChat", abstract: "A chat over Socket.IO.")

    @Option(help: "The address to listen on; 0.0.0.0 lets a phone on the same network in.") var host = "127.0.0.1"
    @Option(help: "The port to listen on; 0 for any that is free.") var port = 3000
    @Option(help: "The JavaScript client, socket.io.min.js. Default: where scripts/bootstrap puts it.") var client: String?

    @Option(help: "The name of this process, shown on the page. Default: the name of the machine.") var node: String?
    #if MongoDB
    @Option(help: "The MongoDB replica set that makes several processes one chat: mongodb://…; the environment's MONGODB_URI if not given.")
    var mongodb: String?
    @Option(help: "How messages stand in MongoDB: native, or nodejs to be one chat with the server in Examples/NodeJS.")
    var wireFormat = "native"
    #endif

    func run() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        configuration.serveClient = try clientFile()
        // Ctrl-C does not wait long for clients whose connection is broken.
        configuration.engine.limits.closeTimeout = .seconds(3)

        let io = try makeServer(configuration)
        try await Chat(io: io, node: node ?? ProcessInfo.processInfo.hostName).start()

        let page = try await Page()
        try await io.run(host: host, port: port) {
            page.response(to: $0)
        } onListening: {
            announce($0)
        }
    }

    private func makeServer(_ configuration: SocketIOConfiguration) throws -> SocketIOServer {
        #if MongoDB
        if let mongodb = mongodb ?? ProcessInfo.processInfo.environment["MONGODB_URI"] {
            var adapter = MongoAdapterConfiguration(connectionString: mongodb)
            switch wireFormat {
            case "native": adapter.wireFormat = .native
            case "nodejs": adapter.wireFormat = .nodeJS
            default: throw ValidationError("--wire-format is native or nodejs.")
            }
            return SocketIOServer(configuration: configuration, adapter: .mongo(adapter))
        }
        #endif
        return SocketIOServer(configuration: configuration)
    }

    private func announce(_ port: Int) {
        // Written at once, unlike what is printed into a pipe.
        FileHandle.standardOutput.write(Data("listening \(port), open http://localhost:\(port)\n".utf8))
    }

    private func clientFile() throws -> String {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = client ?? package.appending(path: ".cache/socket.io.min.js").path
        guard FileManager.default.fileExists(atPath: path) else {
            throw ValidationError("There is no JavaScript client at \(path). Run scripts/bootstrap, or name one with --client.")
        }
        return path
    }
}

/// The page and what belongs to it.
struct Page: Sendable {
    private let files: StaticFiles

    init() async throws {
        files = try await StaticFiles(directory: Bundle.module.bundleURL.appending(path: "Public"))
    }

    func response(to request: EngineHTTPRequest) -> EngineHTTPResponse {
        guard var response = files.response(to: request) else { return .notFound }
        response.head.headerFields[.contentSecurityPolicy] =
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        response.head.headerFields[.xContentTypeOptions] = "nosniff"
        return response
    }
}
