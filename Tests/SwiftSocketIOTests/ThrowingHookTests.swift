// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

/// Hooks and tasks of a connection may throw: the error goes to the error hook, with where it is from.
@Suite(.timeLimit(.minutes(1))) struct ThrowingHookTests {
    private struct Failure: Error {}

    private struct Report: Equatable {
        var source: HandlerFailure.Source
        var socket: String?
        var namespace: String?
        var event: String?
    }

    @Test(arguments: [false, true])
    func `errors of hooks and tasks say where they are from`(isAsync: Bool) async throws {
        let (failures, calls) = (Reports<Report>(), Reports<String>())
        try await withTestServer(eventLoops: 1) { io in
            io.onError { failures.report(Report(source: $0.source, socket: $0.socket?.id, namespace: $0.namespace, event: $0.event)) }
            let chat = io.of("/chat")
            if isAsync {
                chat.onConnect { _ in
                    await Task.yield()
                    throw Failure()
                }
            } else {
                chat.onConnect { _ in throw Failure() }
            }
            chat.onConnect { socket in
                socket.onDisconnecting { _ in throw Failure() }
                socket.onDisconnecting { _ in calls.report("disconnecting") }
                socket.onDisconnect { _ in throw Failure() }
                socket.onDisconnect { _ in calls.report("disconnect") }
                socket.on("work") { socket.addTask { throw Failure() } }
                socket.on("fail") { (_: Int) in throw Failure() }
            }
        } _: { server in
            let (client, sid, _) = try await server.joined("/chat")
            func expect(_ source: HandlerFailure.Source, event: String? = nil) async {
                #expect(await failures.next() == Report(source: source, socket: sid, namespace: "/chat", event: event))
            }
            await expect(.connect)
            // The client is connected all the same.
            try await client.emit("work", namespace: "/chat")
            await expect(.task)
            try await client.emit("fail", 1, namespace: "/chat")
            await expect(.event, event: "fail")
            await client.cut()
            await expect(.disconnecting)
            #expect(await calls.next() == "disconnecting")
            await expect(.disconnect)
            #expect(await calls.next() == "disconnect")
        }
    }

    @Test func `work that ends with its client has not failed`() async throws {
        let (failures, ends) = (Shared(0), Reports<Bool>())
        try await withTestServer(eventLoops: 1) { io in
            io.onError { _ in failures.value += 1 }
            io.onConnect { socket in
                socket.addTask {
                    defer { ends.report(true) }
                    try await Task.sleep(for: .seconds(60))
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            await client.cut()
            #expect(await ends.next() == true)
            // Its task has ended with the server.
            await server.io.close()
            #expect(failures.value == 0)
        }
    }

    @Test func `errors of middleware and of dynamic namespaces have their namespace`() async throws {
        let failures = Reports<Report>()
        try await withTestServer(eventLoops: 1) { io in
            io.onError { failures.report(Report(source: $0.source, socket: $0.socket?.id, namespace: $0.namespace, event: $0.event)) }
            io.of("/guarded").use { _ in throw Failure() }
            io.of(/\/tenant-[0-9]+/).onConnect { _ in throw Failure() }
        } _: { server in
            let client = try await server.connect()
            try await client.requestJoin("/guarded")
            #expect(await failures.next() == Report(source: .middleware, socket: nil, namespace: "/guarded", event: nil))
            let (_, sid, _) = try await server.joined("/tenant-7")
            #expect(await failures.next() == Report(source: .connect, socket: sid, namespace: "/tenant-7", event: nil))
        }
    }
}
