// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import Testing

@testable import SwiftSocketIO

/// Clients that are refused can be seen in the log.
@Suite(.timeLimit(.minutes(1))) struct RefusalTests {
    private struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private struct Recorder: LogHandler {
        let lines: Shared<[Line]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = Line(level: event.level, message: "\(event.message)", metadata: (event.metadata ?? [:]).mapValues { "\($0)" })
            lines.update { $0.append(line) }
        }
    }

    /// What a server logs at `notice` and `debug` while clients do something.
    private func logged(
        configuration: SocketIOConfiguration = .init(),
        _ body: (TestServer) async throws -> Void
    ) async throws -> (notices: [Line], debug: [Line]) {
        let lines = Shared<[Line]>([])
        let logger = Logger(label: "test") { _ in Recorder(lines: lines) }
        try await withTestServer(configuration: configuration, eventLoops: 1, logger: logger) { io in
            io.of("/closed").use { _ in throw ConnectError("not\nauthorized") }
            io.of("/broken").use { _ in throw CancellationError() }
        } _: { server in
            try await body(server)
        }
        return (lines.value.filter { $0.level == .notice }, lines.value.filter { $0.level == .debug })
    }

    @Test(arguments: [
        ("/nothing", "io.of(_:)", "Invalid namespace"), ("/closed", "middleware", "not\\nauthorized"),
        ("/broken", "onError(_:)", "Connection refused"),
    ])
    func `a refused namespace is logged once, and each at debug`(namespace: String, cure: String, message: String) async throws {
        let (notices, debug) = try await logged { server in
            for _ in 0..<3 {
                let client = try await server.connect()
                try await client.requestJoin(namespace)
                guard case .text(let answer) = try await client.receive() else { return #expect(Bool(false)) }
                #expect(answer.hasPrefix("44\(namespace),"))
            }
        }
        #expect(notices.count == 1 && notices.first?.message.contains(cure) == true, "\(notices)")
        #expect(notices.first?.metadata["nsp"] == "\"\(namespace)\"" && notices.first?.metadata["message"] == "\"\(message)\"")
        #expect(debug.count { $0.metadata["message"] == "\"\(message)\"" } == 3)
    }

    @Test func `no number of namespaces, sizes and messages suppresses another cause`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.authBytes = 10
        configuration.limits.namespacesPerClient = 5
        let (notices, _) = try await logged(configuration: configuration) { server in
            let client = try await server.connect()
            for index in 0..<100 {
                try await client.requestJoin("/a\(index)")
                _ = try await client.receive()
            }
            for size in 20..<60 {
                try await client.requestJoin("/", auth: "{\"a\":\"\(String(repeating: "x", count: size))\"}")
                _ = try await client.receive()
            }
            try await client.requestJoin("/closed")
            _ = try await client.receive()
            try await client.send(text: "4x")
            await client.waitUntilClosed()
        }
        // Eight namespaces and all others, the size, middleware, and the packet.
        #expect(notices.map { $0.metadata["nsp"] ?? "-" } == (0..<9).map { "\"/a\($0)\"" } + ["\"/\"", "\"/closed\"", "-"], "\(notices)")
    }

    @Test func `a limit is logged with its name`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.authBytes = 10
        let (notices, _) = try await logged(configuration: configuration) { server in
            let client = try await server.connect()
            try await client.requestJoin("/", auth: "{\"token\":\"much too long\"}")
            _ = try await client.receive()
        }
        #expect(notices.count == 1 && notices.first?.message.contains("SocketIOConfiguration.limits") == true, "\(notices)")
        #expect(notices.first?.metadata["message"]?.contains("at most 10 are allowed") == true)
    }

    @Test(arguments: [("4x", "parser"), ("42[\"x\"]", "CONNECT packet"), ("42/other,[\"x\"]", "CONNECT packet")])
    func `a client that does not follow the protocol is logged`(packet: String, cure: String) async throws {
        let (notices, _) = try await logged { server in
            for _ in 0..<3 {
                let client = try await server.connect()
                try await client.send(text: packet)
                await client.waitUntilClosed()
            }
        }
        #expect(notices.count == 1 && notices.first?.message.contains(cure) == true, "\(notices)")
    }

    @Test func `a client that joins nothing is logged`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectTimeout = .milliseconds(50)
        let (notices, _) = try await logged(configuration: configuration) { server in
            await (try server.connect()).waitUntilClosed()
        }
        #expect(notices.count == 1 && notices.first?.message.contains("connectTimeout") == true, "\(notices)")
    }

    @Test func `sockets come and go at debug`() async throws {
        let sid = Shared("")
        let (notices, debug) = try await logged { server in
            let (client, id, _) = try await server.joined()
            sid.value = id
            try await client.send(text: "41")
            try await eventually { try await server.io.fetchSockets().isEmpty }
        }
        #expect(notices.isEmpty)
        let lines = debug.filter { $0.metadata["sid"] == sid.value }
        #expect(lines.map(\.message) == ["a socket connected", "a socket disconnected"])
        #expect(lines.last?.metadata["reason"] == "client namespace disconnect" && lines.last?.metadata["nsp"] == "\"/\"")
    }
}
