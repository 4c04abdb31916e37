// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTesting
import SwiftSocketIO
import Testing

// MARK: In the articles

@MainActor
final class Dashboard: SocketController {
    private var visits = 0

    func register(on socket: Socket) {
        visits += 1
        socket.on("visits", count)
        socket.on("reset") { @MainActor in self.visits = 0 }
        socket.on("sum") { (a: Double, b: Double) in a + b }
    }

    func count() -> Int { visits }
}

func startServer(_ io: SocketIOServer) {
    io.register(Dashboard())
    io.onConnect { @MainActor socket in greetings += 1 }
}

var greetings = 0

// MARK: Tests

/// Compiled as an application is whose code is isolated to the main actor by default.
@Suite(.timeLimit(.minutes(1))) struct MainActorTests {
    @Test func `an application that is isolated to the main actor needs no more than the articles say`() async throws {
        try await withTestServer(eventLoops: 1) { _ in
        } _: { server in
            startServer(server.io)
            register(server.io)
            let client = try await server.connect()
            try await client.join()
            #expect(try await client.emitWithAck("visits").decode(Int.self, at: 0) == 1)
            _ = try await client.emitWithAck("reset", id: 1)
            #expect(try await client.emitWithAck("visits", id: 2).decode(Int.self, at: 0) == 0)
            #expect(try await client.emitWithAck("sum", 1, 2, id: 3).decode(Double.self, at: 0) == 3)
            #expect(try await client.emitWithAck("handle", "a", id: 4).decode(String.self, at: 0) == "a 1")
            #expect(try await client.emitWithAck("handle async", "b", id: 5).decode(String.self, at: 0) == "b 2")
            #expect(try await client.emitWithAck("with socket", "c", id: 6).decode(String.self, at: 0) == "c 3")
            #expect(try await client.emitWithAck("raw", "d", id: 7).decode(String.self, at: 0) == "d 4")
            #expect(greetings == 1)
        }
    }
}

private var handled = 0

private func handle(_ text: String) -> String {
    handled += 1
    return "\(text) \(handled)"
}

private func handleAsync(_ text: String) async throws -> String { handle(text) }
private func handleWithSocket(_ socket: Socket, _ text: String) -> String { handle(text) }
private func handleRaw(_ socket: Socket, _ event: SocketEvent) throws {
    try event.acknowledgement?(handle(try event.arguments.decode(String.self, at: 0)))
}
private func guardConnections(_ socket: Socket) async throws { socket.data["checked"] = true }

private func connected(_ socket: Socket) {
    socket.on("handle", handle)
    socket.on("handle async", handleAsync)
    socket.on("with socket", handleWithSocket)
    socket.on("raw", handleRaw)
    socket.onDisconnect { end in await left(end) }
}

private func left(_ end: Disconnection) { handled = 0 }

private func register(_ io: SocketIOServer) {
    io.use(guardConnections)
    io.onConnect(connected)
    io.onError { failure in print(failure.error) }
}
