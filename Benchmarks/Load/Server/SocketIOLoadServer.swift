// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EngineIO
import Logging
import NIOPosix
import NIOSSL
import SwiftSocketIO

#if Hummingbird
import Hummingbird
import NIOCore
import SocketIOHummingbird
#endif

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A server with a fixed set of events, for load generators. Its README.md lists the events.
@main
struct SocketIOLoadServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the events that load generators use.")

    @OptionGroup var options: Options

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
        if options.bare { return try await serveBare(options, on: group) { say("listening \($0)\n") } }
        var logger = Logger(label: "socketio.load-server") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let io = SocketIOServer(
            configuration: options.serverConfiguration,
            adapter: options.cluster.adapter,
            eventLoopGroup: group,
            logger: logger
        )
        addHandlers(to: io)
        if options.hummingbird { return try await serveWithHummingbird(io, on: group, logger) }
        var http = EngineHTTPServerConfiguration(host: options.host, port: options.port)
        http.backlog = 4096
        http.tls = try options.tls
        try await io.run(http, onListening: { say("listening \($0)\n") })
    }

    #if Hummingbird
    private func serveWithHummingbird(_ io: SocketIOServer, on group: MultiThreadedEventLoopGroup, _ logger: Logger) async throws {
        var app = Application(
            router: Router(),
            server: .socketIO(io),
            configuration: .init(address: .hostname(options.host, port: options.port), backlog: 4096),
            onServerRunning: { say("listening \($0.localAddress?.port ?? 0)\n") },
            eventLoopGroupProvider: .shared(group),
            logger: logger
        )
        app.addServices(io)
        try await app.runService()
    }
    #else
    private func serveWithHummingbird(_ io: SocketIOServer, on group: MultiThreadedEventLoopGroup, _ logger: Logger) async throws {}
    #endif
}

extension Options {
    fileprivate var tls: TLSConfiguration? {
        get throws {
            guard let certificate, let key else { return nil }
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            return .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        }
    }
}

/// Written at once, unlike what is printed into a pipe.
private func say(_ line: String) { _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) } }
