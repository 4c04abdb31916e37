// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOEmbedded
import SocketIOConcurrency
import SocketIOTesting
import Synchronization
import Testing

@testable import SwiftSocketIO

/// Events that wait behind a handler that does not return.
@Suite("Standstills", .timeLimit(.minutes(1)))
struct StandstillTests {
    private final class Backlog: EventBacklog {
        var progress: UInt64?
        var reports = 0
        var hasEnded = false

        init(_ progress: UInt64?) { self.progress = progress }
        func stoodStill() { reports += 1 }
        func watchEnded() { hasEnded = true }
    }

    @Test
    func `Each standstill is reported once, and the timer ends with the last backlog`() {
        let loop = EmbeddedEventLoop()
        let timers = LoopTimers(loop: loop)
        let watch = StandstillWatch(loop: loop, timers: timers)
        let (stuck, busy) = (Backlog(1), Backlog(1))
        for backlog in [stuck, busy] { watch.add(backlog) }
        #expect(timers.count == 1)
        for _ in 0..<40 {
            loop.advanceTime(by: .seconds(1))
            busy.progress? += 1
        }
        #expect(stuck.reports == 1 && busy.reports == 0)
        stuck.progress = 2
        loop.advanceTime(by: .seconds(9))
        #expect(stuck.reports == 1)
        loop.advanceTime(by: .seconds(3))
        #expect(stuck.reports == 2)
        (stuck.progress, busy.progress) = (nil, nil)
        loop.advanceTime(by: .seconds(1))
        #expect(stuck.hasEnded && busy.hasEnded)
        #expect(timers.count == 0)
    }

    private struct Lines: LogHandler {
        typealias Storage = Mutex<[(level: Logger.Level, message: String, metadata: Logger.Metadata)]>
        static let storage = Storage([])
        static let concurrent = Storage([])
        var isConcurrent = false
        var logLevel = Logger.Level.notice
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let line = (event.level, "\(event.message)", event.metadata ?? [:])
            if isConcurrent { Self.concurrent.withLock { $0.append(line) } } else { Self.storage.withLock { $0.append(line) } }
        }
    }

    @Test
    func `Concurrent handlers that never return are reported, also after other events have waited`() async throws {
        let clock = await ManualClock()
        let (gate, hanging) = (Gate(), Gate())
        var configuration = SocketIOConfiguration()
        configuration.limits.eventQueue = EventQueueLimits(events: 6)
        let logger = Logger(label: "test") { _ in Lines(isConcurrent: true) }
        let setUp: (SocketIOServer) -> Void = { io in
            io.onConnect { socket in
                socket.on("hang", .concurrent) { await hanging.wait() }
                socket.on("block") { await gate.wait() }
                socket.on("next") { try socket.emit("handled") }
            }
        }
        try await withTestServer(configuration: configuration, clock: clock, logger: logger, setUp: setUp) { server in
            let client = try await server.connect()
            try await client.join()
            for event in ["hang", "hang", "hang", "block", "next", "hang", "hang"] { try await client.emit(event) }
            // The watch looks while an event waits in the queue.
            for _ in 0..<3 { await clock.advance(by: .seconds(1)) }
            gate.open()
            #expect(try await client.receiveEvent().name == "handled")
            for _ in 0..<15 { await clock.advance(by: .seconds(1)) }
            try await eventually { Lines.concurrent.withLock { $0.count } == 1 }
            hanging.open()
        }
    }

    @Test
    func `A silent client's own events wait for a minute at most, and the log says so after ten seconds`() async throws {
        let clock = await ManualClock()
        let failures = Mutex<[SocketIOError.Code]>([])
        let setUp: (SocketIOServer) -> Void = { io in
            io.onError { failure in
                if let error = failure.error as? SocketIOError { failures.withLock { $0.append(error.code) } }
            }
            io.onConnect { socket in
                socket.on("ask") { _ = try await socket.emitWithAck("question", as: Bool.self) }
                socket.on("next") { try socket.emit("handled") }
            }
        }
        try await withTestServer(clock: clock, logger: Logger(label: "test") { _ in Lines() }, setUp: setUp) { server in
            let client = try await server.connect()
            let sid = try await client.join().sid
            try await client.emit("ask")
            #expect(try await client.receiveEvent().name == "question")
            try await client.emit("next")
            await clock.advance(by: .seconds(5))
            #expect(Lines.storage.withLock(\.count) == 0)
            for _ in 0..<30 { await clock.advance(by: .seconds(1)) }
            let lines = Lines.storage.withLock { $0 }
            #expect(lines.count == 1)
            let line = try #require(lines.first)
            #expect(line.level == .notice)
            #expect(line.metadata["event"] == "\"ask\"" && line.metadata["nsp"] == "\"/\"" && line.metadata["sid"] == "\"\(sid)\"")
            let name = try await clock.letTimePass { try await client.receiveEvent().name }
            #expect(name == "handled")
            #expect(failures.withLock { $0 } == [.acknowledgementTimeout])
        }
    }
}
