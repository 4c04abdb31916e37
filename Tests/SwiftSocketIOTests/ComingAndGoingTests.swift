// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// Clients that join and leave namespaces over and over.
@Suite(.timeLimit(.minutes(1))) struct ComingAndGoingTests {
    /// What a client leaves behind when it leaves a namespace.
    enum Remains: CaseIterable { case hooks, handler }

    @Test(arguments: Remains.allCases)
    func `what a client leaves running is bounded`(_ remains: Remains) async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.eventQueue = EventQueueLimits(events: 4, bytes: 1 << 20, hardEvents: 4_096, hardBytes: 16 << 20)
        let (running, most, ended, release) = (Shared(0), Shared(0), Shared(0), Shared(false))
        @Sendable func linger() async {
            running.value += 1
            most.value = max(most.value, running.value)
            // Takes no notice of its cancellation.
            await Task { try? await eventually { release.value } }.value
            running.value -= 1
            ended.value += 1
        }
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.of("/others").onConnect { socket in socket.on("ping") { "pong" } }
            io.onConnect { socket in
                switch remains {
                case .hooks: socket.onDisconnect { _ in await linger() }
                case .handler: socket.on("linger") { () async in await linger() }
                }
            }
        } _: { server in
            let client = try await server.connect()
            let rounds = Task {
                for _ in 0..<20 {
                    try await client.join()
                    if remains == .handler { try await client.emit("linger") }
                    try await client.send(text: "41")
                }
            }
            try await eventually { running.value == 4 }
            // Others are served, and the client is not read meanwhile.
            let (other, _, _) = try await server.joined("/others")
            for id in 0..<20 { _ = try await other.emitWithAck("ping", namespace: "/others", id: UInt64(id)) }
            #expect(most.value <= 5)
            release.value = true
            try await rounds.value
            try await eventually { running.value == 0 }
            #expect(ended.value > 5)
            #expect(client.isOpen)
        }
    }
}
