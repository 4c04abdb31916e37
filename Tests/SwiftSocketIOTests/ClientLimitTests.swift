// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import Logging
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import Synchronization
import Testing

@testable import SwiftSocketIO

/// What one client may ask for.
@Suite(.timeLimit(.minutes(1))) struct ClientLimitTests {
    private func refusal(_ client: TestClient) async throws -> String {
        guard case .connectError(let payload) = try await client.receivePacket().content else { return "let in" }
        struct Refusal: Decodable { let message: String }
        return try #require(payload).decode(Refusal.self).message
    }

    // MARK: auth

    @Test func `auth has a size, in one namespace and in all`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.authBytes = 1_000
        configuration.limits.authBytesPerClient = 2_500
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            for number in 0..<5 { _ = io.of("/\(number)") }
        } _: { server in
            let innocent = try await server.joined().client
            let client = try await server.connect()
            func auth(_ size: Int) -> String { "{\"t\":\"\(String(repeating: "x", count: size - 8))\"}" }
            try await client.requestJoin("/0", auth: auth(1_001))
            #expect(try await refusal(client).hasPrefix("auth has 1001 bytes; at most 1000 are allowed"))
            for number in 0..<2 { try await client.join("/\(number)", auth: auth(1_000)) }
            try await client.requestJoin("/2", auth: auth(1_000))
            #expect(try await refusal(client) == "auth of all namespaces has more than 2500 bytes")
            // What it has given back counts no more.
            try await client.send(text: "41/0,")
            try await client.join("/2", auth: auth(1_000))
            try await client.join("/3")
            #expect(innocent.isOpen)
        }
    }

    // MARK: Rooms

    @Test func `a socket that joins too many rooms stays in those that it has`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.rooms = RoomLimits(perSocket: 5, nameBytes: 20, perOperation: 8)
        let errors = Reports<SocketIOError?>()
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onError { errors.report($0.error as? SocketIOError) }
            io.use { socket in socket.join((0..<3).map { "early\($0)" }) }
            io.onConnect { socket in
                socket.on("join") { (rooms: [String]) in
                    await socket.join(rooms)
                    return await socket.rooms.count
                }
                socket.on("send") { (rooms: [String]) async throws in try await io.to(rooms).emit("x") }
                socket.on("move") { (room: String) async throws in try await io.socketsJoin(room) }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            #expect(try await client.emitWithAck("join", ["a", "b", "c", "d"]).decode(Int.self, at: 0) == 6)
            let full = await errors.next() ?? nil
            #expect(full?.code == .tooManyRooms && full?.message.contains("did not join 2 more") == true)
            #expect(try await client.emitWithAck("join", [String(repeating: "x", count: 21)]).decode(Int.self, at: 0) == 6)
            #expect(await errors.next()??.code == .invalidRoom)
            try await client.emit("send", (0..<9).map { "r\($0)" })
            #expect(await errors.next()??.code == .tooManyRooms)
            try await client.emit("move", String(repeating: "x", count: 21))
            #expect(await errors.next()??.code == .invalidRoom)
        }
    }

    @Test(arguments: [1, 4]) func `what is sent after a large change reaches those whom it concerns, in order`(loops: Int) async throws {
        let joined = Shared(0)
        try await withTestServer(eventLoops: loops) { io in
            io.onConnect { socket in
                joined.value += 1
                socket.on("go") { (rooms: [String]) async throws in
                    try await io.broadcastOperator.socketsJoin(rooms)
                    try await io.to(rooms[rooms.count - 1]).emit("first")
                    try socket.emit("second")
                    try await io.broadcastOperator.socketsLeave(rooms)
                    try await io.to(rooms).emit("never")
                    try await io.emit("third", await socket.rooms.count)
                }
            }
        } _: { server in
            var clients: [TestClient] = []
            for _ in 0..<20 { clients.append(try await server.joined().client) }
            try await clients[0].emit("go", (0..<4_000).map { "r\($0)" })
            for event in ["first", "second", "third"] { #expect(try await clients[0].receiveEvent().name == event) }
            for client in clients.dropFirst() {
                #expect(try await client.receiveEvent().name == "first")
                let event = try await client.receiveEvent()
                #expect(try event.name == "third" && event.arguments.decode(Int.self, at: 0) == 1)
            }
        }
    }

    // MARK: Dynamic namespaces

    @Test func `one client's namespaces leave room for others`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.childNamespaces = 20
        configuration.limits.childNamespacesPerClient = 5
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            _ = io.of { name, _ in name.hasPrefix("/d") }
        } _: { server in
            let client = try await server.connect()
            for number in 0..<5 { try await client.join("/d\(number)") }
            try await client.requestJoin("/d5")
            #expect(try await refusal(client) == "Too many namespaces")
            let innocent = try await server.connect()
            try await innocent.join("/dother")
            // It may have others in their place.
            try await client.send(text: "41/d0,")
            try await client.join("/d5")
            #expect(server.io.namespaces.all.count == 1 + 5 + 1)
            // Those of clients that have gone make room for newcomers.
            await client.cut()
            for _ in 0..<4 {
                let other = try await server.connect()
                for number in 0..<5 { try await other.join("/d-\(number)-\(Int.random(in: 0 ... .max))") }
                await other.cut()
            }
            try await eventually { server.io.clientsCount == 1 }
            for number in 0..<4 { try await innocent.join("/dmine\(number)") }
            #expect(server.io.namespaces.all.count <= 21)
        }
    }

    @Test func `a namespace that nobody got into does not stay`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            let parent = io.of { _, _ in true }
            parent.use { _ in throw ConnectError("no") }
        } _: { server in
            let client = try await server.connect()
            for number in 0..<300 {
                try await client.requestJoin("/d\(number)")
                #expect(try await refusal(client) == "no")
            }
            try await eventually { server.io.namespaces.all.count == 1 }
        }
    }

    // MARK: Sessions

    @Test(arguments: [
        #"{"pid":"0123456789abcde","offset":"x"}"#, #"{"pid":"0123456789abcdeg"}"#, #"{"pid":"0123456789abcd!"}"#, #"{"pid":""}"#,
        #"{"pid":"0123456789\#u{e9}bcd"}"#,
    ])
    func `a made-up session id is not asked for`(auth: String) async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        let asked = Shared(0)
        let adapter = StubAdapterFactory(onRestore: { _, _, _ in
            asked.value += 1
            return false
        })
        try await withTestServer(configuration: configuration, adapter: adapter, eventLoops: 1) { server in
            let client = try await server.connect()
            let (_, pid) = try await client.join("/", auth: auth)
            #expect(pid != nil)
            #expect(asked.value == (auth.contains("offset") ? 1 : 0))
        }
    }

    @Test func `session ids have the form that the adapter gives them`() {
        let random = SessionIDForm { $0 }
        #expect(random == .random && random.matches("ABCdef_-0123456") && !random.matches("ABCdef_-0123456.node"))
        let cluster = SessionIDForm { "\($0).node-1" }
        #expect(cluster == .randomAndNode && cluster.matches("ABCdef_-0123456.other node") && !cluster.matches("ABCdef_-0123456"))
        #expect(!cluster.matches("ABCdef_-0123456." + String(repeating: "n", count: 129)) && !cluster.matches("ABCdef_-0123456."))
        #expect(!cluster.matches("ABCdef_-012345.node") && !cluster.matches("ABCdef_-0123456\u{301}.node"))
        #expect(cluster.matches("ABCdef_-012345678901") && !random.matches("ABCdef_-012345678901"))
        let other = SessionIDForm { "session-\($0)" }
        #expect(other == .other && other.matches("anything") && !other.matches(String(repeating: "n", count: 257)))
    }

    @Test func `a client asks for some sessions at a time, and not for ever`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery(claimsPerClient: 2)
        configuration.limits.namespacesPerClient = 6
        let (running, most, all) = (Shared(0), Shared(0), Shared(0))
        let release = Shared(false)
        let adapter = StubAdapterFactory(onRestore: { _, _, _ in
            running.value += 1
            most.value = max(most.value, running.value)
            all.value += 1
            try? await eventually { release.value }
            running.value -= 1
            return false
        })
        try await withTestServer(configuration: configuration, adapter: adapter, eventLoops: 1) { io in
            for number in 0..<20 { _ = io.of("/\(number)") }
        } _: { server in
            let client = try await server.connect()
            for number in 0..<6 { try await client.requestJoin("/\(number)", auth: #"{"pid":"0123456789abcde"}"#) }
            try await eventually { running.value == 2 }
            release.value = true
            for _ in 0..<6 { _ = try await client.receivePacket() }
            #expect(most.value == 2 && all.value == 6)
            for number in 0..<4 {
                try await client.send(text: "41/\(number),")
                try await client.join("/\(number + 10)", auth: #"{"pid":"0123456789abcde"}"#)
            }
            #expect(all.value == 6)
        }
    }

    // MARK: Descriptions

    @Test func `what fetchSockets reports of one socket is bounded`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.descriptionBytes = 2_000
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onConnect { socket in
                socket.data["name"] = "Ada"
                socket.on("large") { socket.data["large"] = String(repeating: "x", count: 3_000) }
            }
        } _: { server in
            let client = try await server.connect()
            try await client.join("/", auth: "{\"token\":\"\(String(repeating: "x", count: 1_900))\"}")
            let found = try #require(try await server.io.fetchSockets().first)
            #expect(found.omitted == .auth && found.handshake.auth == nil && found.data["name", as: String.self] == "Ada")
            #expect(found.handshake.headers["host"] != nil)
            _ = try await client.emitWithAck("large")
            let large = try #require(try await server.io.fetchSockets().first)
            #expect(large.omitted.contains(.data) && large.data["name", as: String.self] == nil)
        }
    }

    // MARK: The log

    @Test func `errors that clients bring about are logged a few times, in quotes`() async throws {
        let lines = Shared<[String]>([])
        let logger = Logger(label: "test") { _ in Lines(lines: lines) }
        let io = SocketIOServer(logger: logger)
        struct Failure: Error { let text: String }
        for number in 0..<1_000 { io.errors.report(Failure(text: "\(number)\n2026 info: all is well"), from: .event, event: "a\nb") }
        #expect(lines.value.count == 10)
        #expect(lines.value.allSatisfy { !$0.contains("\n") && $0.contains("n2026 info") })
        await io.close()
    }

    @Test func `the id of a connection is not logged, as it is a secret`() async throws {
        let lines = Shared<[String]>([])
        let logger = Logger(label: "test") { _ in Lines(lines: lines, logLevel: .trace) }
        var configuration = SocketIOConfiguration()
        configuration.engine.generateID = { _ in "the-secret-of-the-connection" }
        try await withTestServer(configuration: configuration, eventLoops: 1, logger: logger) { server in
            let (client, sid, _) = try await server.joined()
            try await client.send(text: "4x")
            await client.waitUntilClosed()
            try await eventually { lines.value.contains { $0.hasPrefix("invalid packet") && $0.contains(sid) } }
        }
        #expect(lines.value.allSatisfy { !$0.contains("the-secret-of-the-connection") })
    }

    @Test func `the id of a connection is not logged with requests that are refused`() async throws {
        let lines = Shared<[String]>([])
        let logger = Logger(label: "test") { _ in Lines(lines: lines, logLevel: .trace) }
        var configuration = SocketIOConfiguration()
        configuration.engine.generateID = { _ in "the-secret-of-the-connection" }
        try await withTestServer(configuration: configuration, eventLoops: 1, logger: logger) { server in
            let port = try #require(server.port)
            let path = "/socket.io/?EIO=4&transport="
            let sid = try await RawClient.with(port) { try await $0.handshake() }
            let targets = ["polling", "polling&j=0&sid=\(sid)", "websocket&sid=\(sid)", "other&sid=\(sid)"]
            for target in targets {
                let status = try await RawClient.with(port) { try await $0.get(path + target).status }
                #expect(status == 400, "\(target)")
            }
            let status = try await RawClient.with(port) { try await $0.post(path + "polling&sid=\(sid)", "no packet").status }
            #expect(status == 400)
            let unknown = try await RawClient.with(port) { try await $0.get(path + "polling&sid=\(sid)").status }
            #expect(unknown == 400)
        }
        #expect(lines.value.count >= 6)
        #expect(lines.value.allSatisfy { !$0.contains("the-secret-of-the-connection") })
    }

    private struct Lines: LogHandler {
        let lines: Shared<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.warning
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.value += ["\(event.message) \((event.metadata ?? [:]).values.map { "\($0)" }.joined(separator: " "))"]
        }
    }
}
