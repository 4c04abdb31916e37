// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import EngineIOTestSupport
import Logging
import NIOPosix
import ServiceLifecycle
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

@Suite(.timeLimit(.minutes(1))) struct ClosingTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Ends with the error that many services throw when they are asked to end.
    private struct Neighbour: Service {
        let mayFail: Reports<Void>
        func run() async throws {
            _ = await mayFail.next()
            throw CancellationError()
        }
    }

    @Test func `a neighbour's failure does not cancel the closing`() async throws {
        let (closing, port, mayFail) = (Reports<Bool>(), Reports<Int>(), Reports<Void>())
        let adapter = StubAdapterFactory(onAdapterClose: { namespace in
            // As an adapter that writes to a database, which a cancelled task may not.
            let wasCancelled = (try? await Task.sleep(for: .milliseconds(50))) == nil
            if namespace == "/" { closing.report(wasCancelled || Task.isCancelled) }
        })
        let io = SocketIOServer(adapter: adapter, logger: logger)
        let hookEnded = Reports<Bool>()
        io.onConnect { socket in
            // Sleeping is what a cancelled task cannot do.
            socket.onDisconnect { _ in hookEnded.report((try? await Task.sleep(for: .milliseconds(50))) != nil) }
        }
        let service = io.service(.init(host: "127.0.0.1", port: 0), onListening: { port.report($0) })
        let group = ServiceGroup(services: [service, Neighbour(mayFail: mayFail)], logger: logger)
        let run = Task { try await group.run() }
        let client = try await TestClient.connect(port: try #require(await port.next()))
        try await client.join()
        mayFail.report(())
        let outcome = await run.result
        #expect(throws: (any Error).self) { try outcome.get() }
        #expect(await hookEnded.next() == true)
        #expect(await closing.next() == false)
        await client.waitUntilClosed()
    }

    @Test func `closing has one deadline, whatever hangs`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.closeTimeout = .seconds(1)
        let release = Reports<Void>()
        let adapter = StubAdapterFactory(onAdapterClose: { _ in
            // Heeds nothing.
            await Task { _ = await release.next() }.value
        })
        let io = SocketIOServer(configuration: configuration, adapter: adapter, logger: logger)
        try await io.start()
        let time = await ContinuousClock().measure { await io.close() }
        #expect(time >= .seconds(1) && time < .seconds(10))
        release.report(())
        #expect(io.namespaces.all.isEmpty)
    }

    @Test func `who waits for the end waits for all of it`() async throws {
        let ended = Shared(false)
        let adapter = StubAdapterFactory(onAdapterClose: { _ in
            // Long enough for who does not wait to be noticed.
            try? await Task.sleep(for: .milliseconds(100))
            ended.value = true
        })
        let io = SocketIOServer(adapter: adapter, logger: logger)
        try await io.start()
        let first = Task { await io.close() }
        first.cancel()
        let second = Task { await io.close() }
        second.cancel()
        await second.value
        #expect(ended.value)
        await first.value
    }

    @Test func `connections that do not end do not outlast the deadline either`() async throws {
        var configuration = SocketIOConfiguration()
        (configuration.drainDuration, configuration.closeTimeout) = (.zero, .seconds(2))
        var listening = EngineHTTPServerConfiguration(host: "127.0.0.1", port: 0)
        listening.shutdownTimeout = .seconds(600)
        let (port, asked, release) = (Reports<Int>(), Reports<Bool>(), Reports<Void>())
        let io = SocketIOServer(configuration: configuration, logger: logger)
        let responder: EngineResponder = { _ in
            asked.report(true)
            // Heeds nothing.
            await Task { _ = await release.next() }.value
            return .notFound
        }
        let service = io.service(listening, responder: responder, onListening: { port.report($0) })
        let run = Task { try await ServiceGroup(services: [service], logger: logger).run() }
        try await RawClient.with(try #require(await port.next())) { client in
            try await client.request("GET", "/slow")
            #expect(await asked.next() == true)
            let time = await ContinuousClock().measure {
                run.cancel()
                _ = await run.result
            }
            #expect(time >= .seconds(1) && time < .seconds(20), "\(time)")
            release.report(())
            await client.waitForClose()
        }
    }
}
