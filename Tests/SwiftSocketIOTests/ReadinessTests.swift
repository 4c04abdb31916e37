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

/// The states of a server, and what it answers to probes.
@Suite(.timeLimit(.minutes(1))) struct ReadinessTests {
    private struct NoDatabase: Error {}

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `a server goes through its states in order, and tells each`() async throws {
        let io = SocketIOServer(logger: logger)
        #expect(io.state == .starting && !io.readiness.isReady)
        let seen = Reports<SocketIOServer.State>()
        async let watching: Void = {
            for await state in io.states { seen.report(state) }
        }()
        #expect(await seen.next() == .starting)
        try await io.start()
        #expect(io.state == .serving && io.readiness.isReady)
        #expect(await seen.next() == .serving)
        await io.close()
        #expect(io.state == .closed)
        #expect(await seen.next() == .draining)
        #expect(await seen.next() == .closed)
        // The sequence ends with the server.
        await watching
        var late = io.states.makeAsyncIterator()
        #expect(await late.next() == .closed)
        #expect(await late.next() == nil)
    }

    @Test func `a server whose start has failed is not ready`() async {
        let io = SocketIOServer(adapter: StubAdapterFactory(onStart: { throw NoDatabase() }), logger: logger)
        await #expect(throws: NoDatabase.self) { try await io.start() }
        #expect(io.state == .draining)
        await io.close()
        #expect(io.state == .closed)
    }

    @Test func `who waits for a state gets it, and who gives up is forgotten`() async throws {
        let io = SocketIOServer(logger: logger)
        let waiting = Task { await io.states.contains(.closed) }
        let givingUp = Task { for await _ in io.states {} }
        givingUp.cancel()
        await givingUp.value
        try await io.start()
        await io.close()
        #expect(await waiting.value)
    }

    @Test func `readiness includes the adapter's problem`() async throws {
        let problem = Shared<String?>(nil)
        let io = SocketIOServer(adapter: StubAdapterFactory(adapterProblem: { problem.value }), logger: logger)
        try await io.start()
        #expect(io.readiness.description == "serving")
        problem.value = "the database cannot be reached"
        #expect(!io.readiness.isReady)
        #expect(String(buffer: io.readiness.response.body) == "the database cannot be reached\n")
        await io.close()
        #expect(io.readiness.description == "closed")
    }

    @Test func `a probe is answered while the server drains`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.drainDuration = .zero
        let (port, draining, release) = (Reports<Int>(), Reports<Void>(), Reports<Void>())
        let adapter = StubAdapterFactory(onDrain: {
            draining.report(())
            _ = await release.next()
        })
        let io = SocketIOServer(configuration: configuration, adapter: adapter, logger: logger)
        let responder: EngineResponder = { request in request.path == "/ready" ? io.readiness.response : .notFound }
        let service = io.service(.init(port: 0), responder: responder, onListening: { port.report($0) })
        let run = Task { try await ServiceGroup(services: [service], logger: logger).run() }
        try await RawClient.with(try #require(await port.next())) { client in
            let ready = try await client.get("/ready")
            #expect(ready.status == 200 && ready.body == "serving\n")
            run.cancel()
            _ = await draining.next()
            let closing = try await client.get("/ready")
            #expect(closing.status == 503 && closing.body == "draining\n")
            #expect(try await client.get("/other").status == 404)
            release.report(())
        }
        _ = await run.result
    }

    // MARK: What the adapter is given

    @Test func `the adapter gets the server's logger`() {
        let label = Shared("")
        let adapter = StubAdapterFactory(onLogger: { label.value = $0.label })
        _ = SocketIOServer(adapter: adapter, logger: logger)
        #expect(label.value == logger.label)
    }

    @Test func `an adapter that is nil means that the server is alone`() async throws {
        let adapter: (any AdapterFactory)? = nil
        let io = SocketIOServer(adapter: adapter, logger: logger)
        try await io.start()
        #expect(try await io.serverCount() == 1)
        await io.close()
    }

    // MARK: Where it listens

    @Test(arguments: [-1, 65_536, 99_999]) func `a port that does not exist is refused before anything is started`(port: Int) async {
        let isStarted = Shared(false)
        let io = SocketIOServer(adapter: StubAdapterFactory(onStart: { isStarted.value = true }), logger: logger)
        let error = await #expect(throws: SocketIOError.self) { try await io.run(port: port) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message == "port must be between 0 and 65535, not \(port)")
        #expect(!isStarted.value && io.state == .closed)
    }

    @Test func `a port that is taken is named, with what to do`() async throws {
        try await withTestServer { other in
            let port = try #require(other.port)
            let io = SocketIOServer(logger: logger)
            let error = await #expect(throws: EngineListenError.self) { try await io.run(port: port) }
            #expect(error?.host == "127.0.0.1" && error?.port == port)
            #expect(error.map { "\($0)" }?.hasPrefix("cannot listen on 127.0.0.1:\(port): the port is in use; stop the process") == true)
            #expect(io.state == .closed)
        }
    }

    @Test(arguments: [("no-such-host.invalid", "cannot be resolved"), ("192.0.2.1", "no such address")])
    func `an address that is not this machine's is named`(host: String, reason: String) async {
        let io = SocketIOServer(logger: logger)
        let error = await #expect(throws: EngineListenError.self) { try await io.run(host: host, port: 0) }
        #expect(error.map { "\($0)" }?.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
    }
}
