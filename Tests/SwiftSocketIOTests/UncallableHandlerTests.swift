// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// Handlers that no event can ever reach.
@Suite(.timeLimit(.minutes(1))) struct UncallableHandlerTests {
    @Test(arguments: [
        ("connect", "onConnect"), ("connect_error", "use { socket in"), ("disconnect", "socket.onDisconnect"),
        ("disconnecting", "socket.onDisconnecting"), ("newListener", "choose another"), ("removeListener", "choose another"),
        (String(repeating: "n", count: 257), "eventNameBytes"),
    ])
    func `a handler for an event that no client can send says what to use instead`(name: String, advice: String) async throws {
        let log = RecordedLog()
        try await withTestServer(eventLoops: 1, logger: log.logger) { server in
            _ = try await server.joined()
            let socket = try #require(await server.io.sockets.sockets.first)
            UncallableHandler.$stopsDebugBuilds.withValue(false) {
                _ = socket.on(name) { (_: String) in }
                _ = socket.once(name) { () async in }
                _ = socket.on(name, .concurrent) { (event: SocketEvent) in print(event.name) }
            }
            let errors = log.lines.value.filter { $0.level == .error }
            #expect(errors.count == 3)
            for line in errors { #expect(line.text.contains("will never be called") && line.text.contains(advice)) }
        }
    }

    @Test(arguments: [("connect", "onConnect"), ("connection", "onConnect"), ("new_namespace", "onNamespace")])
    func `so does a handler for an event that no server can send`(name: String, advice: String) async throws {
        let log = RecordedLog()
        try await withTestServer(eventLoops: 1, logger: log.logger) { server in
            UncallableHandler.$stopsDebugBuilds.withValue(false) {
                _ = server.io.on(name) { (_: String) in }
                _ = server.io.of("/other").on(name) { (event: SocketEvent) in print(event.name) }
            }
            let errors = log.lines.value.filter { $0.level == .error }
            #expect(errors.count == 2)
            for line in errors { #expect(line.text.contains(advice)) }
            let error = await #expect(throws: SocketIOError.self) { try await server.io.serverSideEmit(name, 1) }
            #expect(error?.code == .reservedEventName)
        }
    }

    @Test func `a handler that is only improbable is a warning`() async throws {
        let log = RecordedLog()
        try await withTestServer(eventLoops: 1, logger: log.logger) { server in
            server.io.on("disconnect") { (_: String) in }
            #expect(log.lines.value.contains { $0.level == .warning && $0.text.contains("socket.onDisconnect") })
        }
    }

    @Test func `handlers of other names say nothing`() async throws {
        let log = RecordedLog()
        try await withTestServer(eventLoops: 1, logger: log.logger) { io in
            io.on("reload") { (_: String) in }
            io.onConnect { socket in
                for name in ["message", "connection", "error", "new_namespace", "", String(repeating: "n", count: 256)] {
                    socket.on(name) { (_: String) in }
                }
            }
        } _: { server in
            _ = try await server.joined()
            #expect(log.lines.value.allSatisfy { $0.level < .warning })
        }
    }

    #if DEBUG
    @Test func `a debug build stops where such a handler is registered`() async {
        await #expect(processExitsWith: .failure) { SocketIOServer().on("connection") { (_: String) in } }
        await #expect(processExitsWith: .failure) {
            try await withTestServer(eventLoops: 1) { io in
                io.onConnect { socket in socket.on("disconnect") { (reason: String) in print(reason) } }
            } _: { server in
                let (client, _, _) = try await server.joined()
                await client.waitUntilClosed()
            }
        }
    }
    #endif
}

/// A logger that keeps its lines.
struct RecordedLog: Sendable {
    let lines = Shared<[(level: Logger.Level, text: String)]>([])

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: lines) }
        logger.logLevel = .debug
        return logger
    }

    private struct Handler: LogHandler {
        let lines: Shared<[(level: Logger.Level, text: String)]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            lines.update { $0.append((event.level, "\(event.message) \(metadata)")) }
        }
    }
}
