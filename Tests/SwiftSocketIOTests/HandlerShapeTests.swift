// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

/// Functions, methods and closures of every shape as handlers: each line of `register` must compile without a type or a mode being added.
@Suite(.timeLimit(.minutes(1))) struct HandlerShapeTests {
    @Test func `functions and methods of every shape are handlers`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.onError { print("unexpected", $0.error) }
            io.onConnect { socket in await Self.register(on: socket) }
        } _: { server in
            let (client, _, _) = try await server.joined()
            var id: UInt64 = 0
            for name in Self.returning {
                id += 1
                let answer = try await client.emitWithAck(name, "text", 7, id: id)
                #expect(try answer.decode(String.self, at: 0) == "text", "\(name)")
            }
            for name in Self.silent {
                id += 1
                #expect(try await client.emitWithAck(name, "text", 7, id: id).isEmpty, "\(name)")
            }
            id += 1
            let several = try await client.emitWithAck("several", "text", 7, id: id)
            #expect(several.count == 2)
            id += 1
            #expect(try await client.emitWithAck("refusal", "text", id: id).decode(String.self, at: 0) == "refused")
            for name in Self.once {
                id += 1
                #expect(try await client.emitWithAck(name, "text", id: id).decode(String.self, at: 0) == "text", "\(name)")
            }
        }
    }

    private static let returning = [
        "async", "async optional", "sync", "no throws", "main", "main async", "static", "method", "sync method", "actor", "main method",
        "socket", "socket sync", "socket main", "socket method", "mode", "socket mode", "raw", "raw sync", "raw main", "raw mode",
        "socket raw", "socket raw sync", "socket raw main", "socket raw mode", "socket raw method",
        "closure", "async closure", "main closure", "socket closure", "socket raw closure", "socket raw async closure",
    ]
    private static let once = [
        "once", "once raw", "once on main", "once with socket", "once with socket raw", "once with socket raw sync",
        "once with socket raw main",
    ]
    private static let silent = [
        "async void", "async nothing", "sync void", "nothing", "main void", "actor void", "mode void", "socket void", "empty closure",
    ]

    private static func register(on socket: Socket) async {
        let (box, handlers) = (Box(), MainHandlers())
        socket.on("async", asynchronous)
        socket.on("async optional", asynchronousOptional)
        socket.on("async void", asynchronousVoid)
        socket.on("async nothing", asynchronousNothing)
        socket.on("sync", synchronous)
        socket.on("no throws", notThrowing)
        socket.on("sync void", synchronousVoid)
        socket.on("nothing", nothing)
        socket.on("main", onMain)
        socket.on("main async", onMainAsynchronous)
        socket.on("main void", onMainVoid)
        socket.on("static", Box.shared)
        socket.on("method", box.asynchronous)
        socket.on("sync method", box.synchronous)
        socket.on("main method", handlers.echo)
        await Counter().register(on: socket)
        socket.on("socket", withSocket)
        socket.on("socket sync", withSocketSynchronous)
        socket.on("socket main", withSocketOnMain)
        socket.on("socket method", box.withSocket)
        socket.on("socket void", withSocketVoid)
        socket.on("socket mode", .concurrent, withSocket)
        socket.on("mode", .concurrent, asynchronous)
        socket.on("mode void", .concurrent, asynchronousVoid)
        socket.on("raw", raw)
        socket.on("raw sync", rawSynchronous)
        socket.on("raw main", rawOnMain)
        socket.on("raw mode", .concurrent, raw)
        socket.on("socket raw", withSocketRaw)
        socket.on("socket raw sync", withSocketRawSynchronous)
        socket.on("socket raw main", withSocketRawOnMain)
        socket.on("socket raw mode", .concurrent, withSocketRaw)
        socket.on("socket raw method", box.withSocketRaw)
        socket.on("several", several)
        socket.on("refusal", refusal)
        socket.once("once", asynchronous)
        socket.once("once raw", raw)
        socket.once("once on main", onMain)
        socket.once("once with socket", withSocket)
        socket.once("once with socket raw", withSocketRaw)
        socket.once("once with socket raw sync", withSocketRawSynchronous)
        socket.once("once with socket raw main", withSocketRawOnMain)
        socket.on("closure") { (text: String, n: Int) in text }
        socket.on("async closure") { (text: String) in await asynchronousOptional(text, nil) }
        socket.on("main closure") { @MainActor (text: String) in onMain(text) }
        socket.on("socket closure") { (socket: Socket, text: String) in socket.connected ? text : "gone" }
        socket.on("socket raw closure") { socket, event in try withSocketRawSynchronous(socket, event) }
        socket.on("socket raw async closure") { (socket: Socket, event: SocketEvent) in try await withSocketRaw(socket, event) }
        socket.on("empty closure") { _ in }
        socket.on("empty closure") { event in try event.acknowledgement?.send(Ack()) }
    }

    private actor Counter {
        private var count = 0

        func register(on socket: Socket) {
            socket.on("actor", echo)
            socket.on("actor void", increment)
        }

        private func echo(_ text: String) async -> String {
            count += 1
            return text
        }

        private func increment(_ text: String) async throws { count += 1 }
    }

    @Test func `handlers on the main actor run there`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { @MainActor socket in
                MainActor.assertIsolated()
                socket.data["connected"] = true
            }
            io.onConnect { socket in
                let handlers = MainHandlers()
                socket.on("count", handlers.count)
                socket.on("raw", handlers.raw)
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            #expect(try await client.emitWithAck("count").decode(Int.self, at: 0) == 1)
            #expect(try await client.emitWithAck("raw", id: 1).decode(Int.self, at: 0) == 2)
            #expect(try await server.io.fetchSockets().first?.data["connected", as: Bool.self] == true)
        }
    }

    @Test func `functions handle events of other servers too`() async throws {
        try await withTestCluster(of: 2) { servers in
            let (io, other) = (servers[0].io, servers[1].io)
            other.on("async", asynchronous)
            other.on("sync", synchronous)
            other.on("main", onMain)
            other.on("void", asynchronousVoid)
            other.on("method", Box().asynchronous)
            other.of("/other").on("raw", raw)
            for name in ["async", "sync", "main", "method"] {
                #expect(try await io.serverSideEmitWithAck(name, "text", 1, as: String.self) == ["text"], "\(name)")
            }
            let empty = try await io.serverSideEmitWithAck("void", "text")
            #expect(empty.map(\.count) == [0])
            #expect(try await io.of("/other").serverSideEmitWithAck("raw", "text", as: String.self) == ["text"])
        }
    }
}

private func asynchronous(_ text: String) async throws -> String { text }
private func asynchronousOptional(_ text: String, _ n: Int?) async -> String? { text }
private func asynchronousVoid(_ text: String) async throws {}
private func asynchronousNothing() async {}
private func synchronous(_ text: String) throws -> String { text }
private func notThrowing(_ text: String, _ n: Int) -> String { text }
private func synchronousVoid(_ text: String) throws {}
private func nothing() {}
private func several(_ text: String, _ n: Int) async throws -> Ack { Ack(text, n) }
private func refusal(_ text: String) async throws -> Int { throw AckError("refused") }
@MainActor private func onMain(_ text: String) -> String { text }
@MainActor private func onMainAsynchronous(_ text: String) async throws -> String { text }
@MainActor private func onMainVoid(_ text: String) {}
private func withSocket(_ socket: Socket, _ text: String) async throws -> String { text }
private func withSocketSynchronous(_ socket: Socket, _ text: String, _ n: Int?) -> String { text }
@MainActor private func withSocketOnMain(_ socket: Socket, _ text: String) throws -> String { text }
private func withSocketVoid(_ socket: Socket) {}
private func raw(_ event: SocketEvent) async throws { try event.acknowledgement?.send(Ack(raw: event.arguments)) }
private func rawSynchronous(_ event: SocketEvent) throws { try event.acknowledgement?.send(Ack(raw: event.arguments)) }
@MainActor private func rawOnMain(_ event: SocketEvent) throws { try event.acknowledgement?.send(Ack(raw: event.arguments)) }
private func withSocketRaw(_ socket: Socket, _ event: SocketEvent) async throws { try withSocketRawSynchronous(socket, event) }
private func withSocketRawSynchronous(_ socket: Socket, _ event: SocketEvent) throws {
    try event.acknowledgement?.send(Ack(raw: event.arguments))
}
@MainActor private func withSocketRawOnMain(_ socket: Socket, _ event: SocketEvent) throws {
    MainActor.assertIsolated()
    try withSocketRawSynchronous(socket, event)
}

private struct Box: Sendable {
    func asynchronous(_ text: String) async throws -> String { text }
    func synchronous(_ text: String, times n: Int) throws -> String { text }
    func withSocket(_ socket: Socket, _ text: String) async throws -> String { text }
    func withSocketRaw(_ socket: Socket, _ event: SocketEvent) async throws { try await SwiftSocketIOTests.withSocketRaw(socket, event) }
    static func shared(_ text: String) async -> String { text }
}

@MainActor private final class MainHandlers {
    private var counter = 0

    func echo(_ text: String) -> String { text }

    func count() -> Int {
        counter += 1
        return counter
    }

    func raw(_ event: SocketEvent) throws {
        counter += 1
        try event.acknowledgement?(counter)
    }
}
