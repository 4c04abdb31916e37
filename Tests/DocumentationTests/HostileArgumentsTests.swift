// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOTesting
import SwiftSocketIO
import Testing

/// Runs the handlers of the documentation with what a client may send instead of what they expect. An example that can end the process ends
/// the tests.
@Suite struct HostileArgumentsTests {
    /// In JSON.
    private static let values: [String] = {
        let long = String(repeating: "x", count: 100_000)
        // Two marks that Swift sorts to compare the text.
        let marks = String(repeating: "\u{301}\u{323}", count: 20_000)
        return [
            "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-1", "0", "0.5", "-0.0", "1e308", "-1e308", "5e-324",
            "1e999", "\"NaN\"", "null", "true", "[]", "[[]]", "[-9223372036854775808,9223372036854775807]", "[null]", "{}", "\"\"",
            "\"\\u0000\"", "\"2020-01-01T00:00:00.000Z\"", "\"9999999-99-99T99:99:99.999Z\"", "{\"_placeholder\":true,\"num\":0}",
            "{\"piece\":\"\",\"to\":[9223372036854775807]}", "{\"names\":[],\"user\":null,\"file\":{}}",
            "{\"name\":\"\",\"bytes\":null,\"thumbnails\":[]}", "\"\(long)\"", "\"\(marks)\"", "{\"\(marks)\":\"\(marks)\"}",
        ]
    }()

    /// All arguments, and all pairs of the short ones.
    private static let arguments: [String] = {
        let short = values.filter { $0.utf8.count < 100 }
        return [""] + values.map { "," + $0 } + short.flatMap { first in short.map { ",\(first),\($0)" } }
    }()

    private static func addExamples(_ io: SocketIOServer) async throws {
        HandlingEventsSnippets.typed(io: io)
        RoomsSnippets.joining(io: io)
        try await NamespacesSnippets.named(io: io)
        io.onError { _ in }
        for namespace in [io.sockets, io.of("/admin")] {
            namespace.onConnect { socket in
                HandlingEventsSnippets.results(socket: socket, database: .init())
                HandlingEventsSnippets.Arithmetic().register(on: socket)
                HandlingEventsSnippets.refusing(socket: socket, database: .init())
                HandlingEventsSnippets.types(socket: socket)
                HandlingEventsSnippets.raw(socket: socket)
                HandlingEventsSnippets.removing(socket: socket)
                HandlingEventsSnippets.careful(socket: socket)
                HandlingEventsSnippets.concurrent(socket: socket)
                try? BinarySnippets.binary(socket: socket)
                try? BinarySnippets.dates(socket: socket)
                BinarySnippets.unknown(socket: socket)
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `every example handler survives every argument`() async throws {
        try await withTestServer(setUp: { io in try await Self.addExamples(io) }) { server in
            let innocent = try await server.connect()
            try await innocent.join()
            for namespace in ["/", "/admin"] {
                let names = try await Self.eventNames(of: namespace, server)
                let expected: Set<String> = ["sum", "page", namespace == "/" ? "enter" : "kick"]
                #expect(expected.isSubset(of: names))
                for name in names { try await Self.attack(name, in: namespace, server) }
                try await Self.echo(innocent, "/")
            }
        }
    }

    private static func eventNames(of namespace: String, _ server: TestServer) async throws -> Set<String> {
        let client = try await server.connect()
        let (sid, _) = try await client.join(namespace)
        try await echo(client, namespace)
        let socket = try #require(await server.io.of(namespace).sockets.first { $0.id == sid })
        let names = Set(await socket.eventNames)
        await client.cut()
        return names
    }

    private static func attack(_ name: String, in namespace: String, _ server: TestServer) async throws {
        let client = try await server.connect()
        try await client.join(namespace)
        let prefix = namespace == "/" ? "" : namespace + ","
        // Each of its handlers waits for five seconds, and 128 of one client may.
        for (id, arguments) in (name == "report" ? Array(arguments.prefix(values.count)) : arguments).enumerated() {
            try await client.send(text: "42\(prefix)\(id)[\"\(name)\"\(arguments)]")
        }
        try await echo(client, namespace)
        await client.cut()
    }

    /// Returns when all that was sent before is handled.
    private static func echo(_ client: TestClient, _ namespace: String) async throws {
        let prefix = namespace == "/" ? "" : namespace + ","
        try await client.send(text: "42\(prefix)999999[\"echo\",\"still here\"]")
        while true {
            let message = try await client.receive(timeout: .seconds(60))
            if message == .text("43\(prefix)999999[\"still here\"]") { return }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `every example of middleware survives every auth`() async throws {
        try await withTestServer(
            setUp: { io in
                ReadmeSnippets.refuse(io: io)
                MiddlewareSnippets.middleware(io: io, users: .init())
                NamespacesSnippets.rule(io: io)
                NamespacesSnippets.pattern(io: io)
                io.of("/open").onConnect { socket in HandlingEventsSnippets.raw(socket: socket) }
            }
        ) { server in
            let innocent = try await server.connect()
            try await innocent.join("/open")
            for value in Self.values {
                for auth in ["{\"token\":\(value),\"tenant\":\(value)}", "{\"tenant\":\(value)}", "{\(value):1}"] {
                    let client = try await server.connect()
                    // It is closed if what it sends is not JSON.
                    for namespace in ["", "/tenant/,", "/game/7,"] { try? await client.send(text: "40\(namespace)\(auth)") }
                    _ = try? await client.receive()
                    await client.cut()
                }
            }
            try await Self.echo(innocent, "/open")
        }
    }
}
