// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

/// Encoded arguments in place of values, wherever something is sent, and undecoded arguments wherever something is received.
@Suite(.timeLimit(.minutes(1))) struct RawFormTests {
    private static func raw() throws -> EventArguments {
        try EventArguments(array: ByteBuffer(string: #"["text",{"_placeholder":true,"num":0}]"#), format: .json, attachments: [bytes])
    }

    private static let bytes = ByteBuffer(bytes: [1, 2, 3])

    private static func check(_ arguments: EventArguments) throws {
        #expect(arguments.count == 2)
        #expect(try arguments.decode(String.self, at: 0) == "text")
        #expect(try arguments.decode(ByteBuffer.self, at: 1) == bytes)
    }

    private static func receive(_ client: TestClient, answer: Bool = true) async throws {
        let event = try await client.receiveEvent()
        try check(event.arguments)
        if answer, let id = event.id { try await client.acknowledge(id, "yes") }
    }

    @Test func `clients receive encoded arguments`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            let raw = try Self.raw()
            let (client, sid, _) = try await server.joined()
            let io = server.io
            let socket = try #require(await io.sockets.sockets.first)
            let remote = try #require(try await io.fetchSockets().first)
            try socket.emit("x", raw: raw)
            try socket.volatile.emit("x", raw: raw)
            try await io.emit("x", raw: raw)
            try await io.to(sid).emit("x", raw: raw)
            try await remote.emit("x", raw: raw)
            for _ in 0..<5 { try await Self.receive(client) }
            let requests: [@Sendable () async throws -> String?] = [
                { try await socket.emitWithAck("x", raw: raw, as: String.self) },
                { try await socket.emitWithAck("x", raw: raw).decode(String.self, at: 0) },
                { try await socket.timeout(.seconds(9)).emitWithAck("x", raw: raw, as: String.self) },
                { try await socket.timeout(.seconds(9)).emitWithAck("x", raw: raw).decode(String.self, at: 0) },
                { try await io.emitWithAck("x", raw: raw, as: String.self).collect().first },
                { try await io.to(sid).emitWithAck("x", raw: raw, as: String.self).collect().first },
                {
                    let answers = try await io.emitWithAck("x", raw: raw).makeAsyncIterator()
                    return try await answers.next()?.decode(String.self, at: 0)
                },
                { try await remote.emitWithAck("x", raw: raw, as: String.self) },
                { try await remote.timeout(.seconds(9)).emitWithAck("x", raw: raw).decode(String.self, at: 0) },
            ]
            for request in requests {
                async let answer = request()
                try await Self.receive(client)
                #expect(try await answer == "yes")
            }
            async let undecoded = remote.emitWithAck("x", "text", Self.bytes)
            try await Self.receive(client)
            #expect(try await undecoded.decode(String.self, at: 0) == "yes")
        }
    }

    @Test func `clients of all children receive encoded arguments`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            let parent = server.io.of(/\/child-[0-9]+/)
            let (client, sid, _) = try await server.joined("/child-1")
            try await parent.emit("x", raw: Self.raw())
            try await parent.to(sid).emit("x", raw: Self.raw())
            for _ in 0..<2 { try await Self.receive(client) }
        }
    }

    @Test func `servers receive encoded arguments, and handle them undecoded`() async throws {
        let seen = Reports<String>()
        let setUp = { @Sendable (io: SocketIOServer) in
            io.onAny { event in
                seen.report("any \(event.name) \(event.arguments.count) \(event.acknowledgement == nil ? "tell" : "ask")")
            }
            io.on("ask") { (event: SocketEvent) in
                try Self.check(event.arguments)
                try event.acknowledgement?.send(Ack(raw: event.arguments))
                // Further answers are ignored.
                try event.acknowledgement?("late")
            }
            io.on("refuse") { () async throws -> Int in throw AckError("refused") }
        }
        try await withTestCluster(of: 3, setUp: { setUp($0) }) { servers in
            let (io, raw) = (servers[0].io, try Self.raw())
            try await io.serverSideEmit("tell", raw: raw)
            for _ in 0..<2 { #expect(await seen.next() == "any tell 2 tell") }
            #expect(try await io.serverSideEmitWithAck("ask", raw: raw, as: String.self) == ["text", "text"])
            for answer in try await io.serverSideEmitWithAck("ask", raw: raw) { try Self.check(answer) }
            for answer in try await io.sockets.timeout(.seconds(9)).serverSideEmitWithAck("ask", raw: raw) { try Self.check(answer) }
            for _ in 0..<6 { #expect(await seen.next() == "any ask 2 ask") }
            #expect(try await io.serverSideEmitWithAck("refuse", as: String.self) == ["refused", "refused"])
        }
    }

    @Test func `listeners and handlers of server-side events can be removed`() async throws {
        let seen = Reports<String>()
        try await withTestCluster(of: 2) { servers in
            let io = servers[1].io
            let first = io.onAny { _ in seen.report("first") }
            io.onAny { _ in seen.report("second") }
            io.off(first)
            io.on("x") { seen.report("handler") }
            io.on("y") { seen.report("end") }
            io.off("x")
            try await servers[0].io.serverSideEmit("x")
            try await servers[0].io.serverSideEmit("y")
            for expected in ["second", "second", "end"] { #expect(await seen.next() == expected) }
            io.offAny()
            try await servers[0].io.serverSideEmit("y")
            #expect(await seen.next() == "end")
        }
    }

    @Test func `literals of mixed types are a value`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            let (client, _, _) = try await server.joined()
            try await server.io.emit("x", ["name": "Ada", "level": 3, "tags": ["a", 1, nil, 2.5, true]] as SocketIOValue)
            let received = try await client.receiveEvent().arguments.decode(SocketIOValue.self, at: 0)
            #expect(received["name"] == "Ada" && received["level"] == 3 && received["tags"] == ["a", 1, nil, 2.5, true])
        }
    }
}
