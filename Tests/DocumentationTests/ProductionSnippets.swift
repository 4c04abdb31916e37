// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import ServiceLifecycle
import SwiftSocketIO

enum ProductionSnippets {
    struct Worker: Service {
        func run() async throws {}
    }

    static func group(io: SocketIOServer, worker: Worker) async throws {
        let group = ServiceGroup(
            services: [worker, io.service(EngineHTTPServerConfiguration(host: "0.0.0.0", port: 3000))],
            gracefulShutdownSignals: [.sigterm],
            logger: Logger(label: "chat")
        )
        try await group.run()
    }

    static func drain() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.drainDuration = .seconds(20)
        return configuration
    }

    static func signals(io: SocketIOServer) async throws {
        try await io.run(
            host: "0.0.0.0",
            port: 3000,
            signals: [.sigterm, .sigint, .sighup, .sigquit],
            responder: { request in request.path == "/ready" ? io.readiness.response : .notFound },
            onListening: { port in print("listening on port \(port)") }
        )
    }

    static func readiness(io: SocketIOServer) async throws {
        try await io.run(host: "0.0.0.0", port: 3000) { request in
            switch request.path {
            case "/ready": io.readiness.response
            case "/live": EngineHTTPResponse(text: "alive\n")
            default: .notFound
            }
        }
    }

    static func waiting(io: SocketIOServer) async {
        for await state in io.states where state == .serving { break }
    }

    static func limits() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.engine.maxHTTPBufferSize = 100_000
        configuration.engine.limits.sendBufferBytes = 1 << 20
        configuration.limits.eventQueue = EventQueueLimits(events: 32)
        return configuration
    }

    static func refused() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.engine.connectionError = { error in
            print(error.code, error.message, error.context, error.request.remoteAddress)
        }
        return configuration
    }
}
