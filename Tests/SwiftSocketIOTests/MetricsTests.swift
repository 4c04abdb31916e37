// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Metrics
import MetricsTestKit
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import Testing

@testable import SwiftSocketIO

/// The dimensions of the metrics.
@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
    /// Runs a server whose metrics only this test sees.
    private func withMeasuredServer(setUp: (SocketIOServer) -> Void = { _ in }, _ body: (TestServer) async throws -> Void) async throws
        -> TestMetrics
    {
        let metrics = TestMetrics()
        try await withMetricsFactory(metrics) {
            try await withTestServer(setUp: setUp) { server in try await body(server) }
        }
        return metrics
    }

    private func total(_ metrics: TestMetrics, _ label: String, _ dimensions: [(String, String)]) throws -> Int64 {
        try metrics.expectCounter(label, dimensions).totalValue
    }

    @Test func `sockets are counted by namespace, and children of dynamic ones together`() async throws {
        let metrics = try await withMeasuredServer { io in
            _ = io.of("/admin")
            _ = io.of(matching: { name, _ in name.hasPrefix("/room-") })
        } _: { server in
            let client = try await server.connect()
            for namespace in ["/", "/admin", "/room-1", "/room-2"] { try await client.join(namespace) }
        }
        #expect(try total(metrics, "socketio_connects_total", [("namespace", "/")]) == 1)
        #expect(try total(metrics, "socketio_connects_total", [("namespace", "/admin")]) == 1)
        #expect(try total(metrics, "socketio_connects_total", [("namespace", "dynamic")]) == 2)
        #expect(throws: (any Error).self) { try metrics.expectCounter("socketio_connects_total", [("namespace", "/room-1")]) }
        let left = [("namespace", "dynamic"), ("reason", "server_shutting_down")]
        #expect(try total(metrics, "socketio_disconnects_total", left) == 2)
        #expect(try metrics.expectMeter("socketio_sockets", [("namespace", "/admin")]).values.last == 0)
    }

    @Test func `an event that is discarded has been received`() async throws {
        let metrics = try await withMeasuredServer { io in
            io.onConnect { socket in socket.on("end") { true } }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.send(text: "42[\"deep\",\(String(repeating: "[", count: 65) + String(repeating: "]", count: 65))]")
            _ = try await client.emitWithAck("end", id: 1)
        }
        #expect(try total(metrics, "socketio_events_received_total", []) == 2)
    }

    @Test func `disconnects are counted by reason`() async throws {
        let metrics = try await withMeasuredServer { io in
            io.onConnect { socket in socket.on("leave") { socket.disconnect() } }
        } _: { server in
            let leaving = try await server.connect()
            try await leaving.join()
            try await leaving.send(text: "41")
            let sent = try await server.connect()
            try await sent.join()
            try await sent.emit("leave")
            _ = try await sent.receivePacket()
            let cut = try await server.connect()
            try await cut.join()
            await cut.cut()
            try await eventually { try await server.io.fetchSockets().isEmpty }
        }
        for reason in ["client_namespace_disconnect", "server_namespace_disconnect", "transport_close"] {
            #expect(try total(metrics, "socketio_disconnects_total", [("namespace", "/"), ("reason", reason)]) == 1, "\(reason)")
        }
    }

    @Test func `sessions are counted by transport`() async throws {
        let metrics = try await withMeasuredServer { server in
            _ = try await server.connect()
            _ = try await server.connect(transport: .polling)
            _ = try await server.connect(transport: .upgrade)
        }
        #expect(try total(metrics, "engineio_sessions_opened_total", [("transport", "websocket")]) == 1)
        #expect(try total(metrics, "engineio_sessions_opened_total", [("transport", "polling")]) == 2)
        #expect(try total(metrics, "engineio_upgrades_total", []) == 1)
    }
}
