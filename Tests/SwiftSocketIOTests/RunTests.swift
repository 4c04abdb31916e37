// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import EngineIOTestSupport
import Logging
import ServiceLifecycle
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// The server with a port of its own, and the service without one.
@Suite(.timeLimit(.minutes(1))) struct RunTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `closing ends run and frees the port`() async throws {
        let io = SocketIOServer(logger: logger)
        let ports = Reports<Int>()
        let run = Task { try await io.run(port: 0, signals: [], onListening: { ports.report($0) }) }
        let port = try #require(await ports.next())
        let client = try await TestClient.connect(port: port)
        try await client.join()
        await io.close()
        await #expect(throws: (any Error).self) { _ = try await TestClient.connect(port: port) }
        try await run.value
        await client.waitUntilClosed()
    }

    @Test func `a response that waits for the closing is sent`() async throws {
        let io = SocketIOServer(logger: logger)
        let ports = Reports<Int>()
        let responder: EngineResponder = { _ in
            await io.close()
            return EngineHTTPResponse(text: "closed\n")
        }
        let run = Task { try await io.run(port: 0, signals: [], responder: responder, onListening: { ports.report($0) }) }
        try await RawClient.with(try #require(await ports.next())) { client in
            let response = try await client.get("/quit")
            #expect(response.body == "closed\n")
        }
        try await run.value
    }

    @Test func `closing ends a service of a group`() async throws {
        let io = SocketIOServer(logger: logger)
        let ports = Reports<Int>()
        let service = ServiceGroupConfiguration.ServiceConfiguration(
            service: io.service(.init(port: 0), onListening: { ports.report($0) }),
            successTerminationBehavior: .gracefullyShutdownGroup
        )
        let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
        let run = Task { try await group.run() }
        _ = await ports.next()
        await io.close()
        try await run.value
    }

    @Test func `the service's name is its address`() {
        let service = SocketIOServer(logger: logger).service(.init(host: "::1", port: 3000))
        #expect("\(service)" == "Socket.IO server (host ::1, port 3000)")
    }

    @Test(arguments: [false, true]) func `a service without a port says so unless it is mounted`(isMounted: Bool) async throws {
        let log = RecordedLog()
        let io = SocketIOServer(logger: log.logger)
        io.isMounted = isMounted
        let group = ServiceGroup(services: [io], logger: logger)
        let run = Task { try await group.run() }
        for await state in io.states where state == .serving { break }
        await group.triggerGracefulShutdown()
        try await run.value
        let notices = log.lines.value.filter { $0.level == .notice }
        #expect(notices.count == (isMounted ? 0 : 1))
        #expect(notices.allSatisfy { $0.text.contains("run(port: 3000)") })
    }
}
