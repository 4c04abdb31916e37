// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketControllerTests {
    private struct Failure: Error {}

    private struct Echo: SocketController {
        let log: Reports<String>

        func register(on namespace: Namespace) {
            log.report("namespace \(namespace.name)")
            namespace.use { socket in socket.data["by"] = "middleware" }
        }

        func register(on socket: Socket) async throws {
            log.report("socket in \(socket.namespace.name)")
            socket.on("echo", echo)
            if try socket.auth(as: [String: Bool].self)["fail"] == true { throw Failure() }
        }

        private func echo(_ socket: Socket, _ text: String) -> String { "\(text) \(socket.data["by", as: String.self] ?? "-")" }
    }

    private actor Counter: SocketController {
        private var count = 0

        func register(on socket: Socket) {
            count += 1
            socket.on("count", current)
        }

        private func current() async -> Int { count }
    }

    @Test func `a controller handles what every client of its namespace sends`() async throws {
        let log = Reports<String>()
        try await withTestServer(eventLoops: 1) { io in
            io.register(Counter())
            io.of("/chat").register(Echo(log: log))
            io.of("/chat").register(Counter())
        } _: { server in
            #expect(await log.next() == "namespace /chat")
            for n in 1...2 {
                let (client, _, _) = try await server.joined("/chat")
                #expect(await log.next() == "socket in /chat")
                #expect(try await client.emitWithAck("echo", "hi", namespace: "/chat").decode(String.self, at: 0) == "hi middleware")
                #expect(try await client.emitWithAck("count", namespace: "/chat", id: 1).decode(Int.self, at: 0) == n)
            }
            let (main, _, _) = try await server.joined()
            #expect(try await main.emitWithAck("count").decode(Int.self, at: 0) == 1)
        }
    }

    @Test func `a controller of dynamic namespaces is registered on each child`() async throws {
        let log = Reports<String>()
        try await withTestServer(eventLoops: 1) { io in
            io.of(/\/room-[0-9]+/).register(Echo(log: log))
        } _: { server in
            for name in ["/room-1", "/room-2"] {
                let (client, _, _) = try await server.joined(name)
                #expect(await log.next() == "namespace \(name)")
                #expect(await log.next() == "socket in \(name)")
                #expect(try await client.emitWithAck("echo", "hi", namespace: name).decode(String.self, at: 0) == "hi middleware")
            }
        }
    }

    @Test func `a controller that throws has registered what it had until then`() async throws {
        let (log, failures) = (Reports<String>(), Reports<HandlerFailure.Source>())
        try await withTestServer(eventLoops: 1) { io in
            io.onError { failures.report($0.source) }
            io.register(Echo(log: log))
        } _: { server in
            let client = try await server.connect()
            try await client.join(auth: #"{"fail":true}"#)
            #expect(await failures.next() == .connect)
            #expect(try await client.emitWithAck("echo", "hi").decode(String.self, at: 0) == "hi middleware")
        }
    }
}
