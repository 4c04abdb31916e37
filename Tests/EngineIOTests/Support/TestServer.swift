// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import EngineIOTestSupport
import Logging
import NIOCore
import NIOPosix
import SocketIOCore
import Synchronization
import Testing

@testable import EngineIO

/// A server on a loopback port whose sessions echo.
final class TestServer: Sendable {
    let engine: EngineServer
    let port: Int
    let delegate: EchoDelegate

    private init(engine: EngineServer, port: Int, delegate: EchoDelegate) {
        self.engine = engine
        self.port = port
        self.delegate = delegate
    }

    /// Runs a server on `loops` event loops for the time of `body`.
    ///
    /// - Parameter ownsPipeline: Whether as in the standalone server or as in somebody else's. Default: the first with several loops.
    static func with<T: Sendable>(
        loops: Int = 1,
        ownsPipeline: Bool? = nil,
        allowHalfClosure: Bool = false,
        configure: (inout EngineConfiguration) -> Void = { _ in },
        delegate: EchoDelegate = EchoDelegate(),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        fallback: (@Sendable (any Channel) throws -> Void)? = nil,
        _ body: (TestServer) async throws -> T
    ) async throws -> T {
        var configuration = EngineConfiguration()
        configure(&configuration)
        let engine = EngineServer(configuration: configuration, delegate: delegate, logger: logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: allowHalfClosure)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try engine.configure(channel, isSecure: false, ownsPipeline: ownsPipeline ?? (loops > 1), fallback: fallback)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let result: Result<T, any Error>
        do {
            result = .success(try await body(TestServer(engine: engine, port: port, delegate: delegate)))
        } catch {
            result = .failure(error)
        }
        try await listener.close()
        try await group.shutdownGracefully()
        return try result.get()
    }
}

/// What happened in the sessions of a server; every session echoes what it gets.
final class EchoDelegate: EngineServerDelegate {
    enum Event: Equatable, Sendable {
        case opened(String)
        case text(String)
        case binary([UInt8])
        case pong(Int)
        case drained
        case closed(EngineCloseReason)
    }

    private let echoes: Bool
    fileprivate let pausesAfter: String?
    private let onOpen: (@Sendable (EngineSession) -> Void)?
    private let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let sessions = Mutex<[String: NIOLoopBound<EngineSession>]>([:])
    let log = Mutex<[Event]>([])

    /// - Parameter pausesAfter: The text after which the session stops reading.
    init(echoes: Bool = true, pausesAfter: String? = nil, onOpen: (@Sendable (EngineSession) -> Void)? = nil) {
        self.echoes = echoes
        self.pausesAfter = pausesAfter
        self.onOpen = onOpen
        (events, continuation) = AsyncStream.makeStream()
    }

    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate {
        let bound = NIOLoopBound(session, eventLoop: session.eventLoop)
        let id = session.id
        sessions.withLock { $0[id] = bound }
        record(.opened(id))
        onOpen?(session)
        return Receiver(owner: self, echoes: echoes)
    }

    fileprivate func record(_ event: Event) {
        log.withLock { $0.append(event) }
        continuation.yield(event)
    }

    fileprivate func forget(_ id: String) {
        sessions.withLock { $0[id] = nil }
    }

    /// Waits for an event that `isWanted`; those before it are skipped.
    func wait(_ isWanted: (Event) -> Bool) async throws -> Event {
        for await event in events where isWanted(event) { return event }
        throw RawClient.Failure.closed
    }

    func waitForClose() async throws -> EngineCloseReason? {
        let event = try await wait { if case .closed = $0 { true } else { false } }
        guard case .closed(let reason) = event else { return nil }
        return reason
    }

    /// The session with this id, for tests that are on its event loop.
    func session(_ id: String) throws -> EngineSession {
        try #require(sessions.withLock { $0[id] }).value
    }

    /// Runs `work` on the event loop of a session.
    func on<T: Sendable>(_ id: String, _ work: @escaping @Sendable (EngineSession) -> T) async throws -> T {
        let bound = try #require(sessions.withLock { $0[id] })
        return try await bound.eventLoop.submit { work(bound.value) }.get()
    }
}

private final class Receiver: EngineSessionDelegate {
    let owner: EchoDelegate
    let echoes: Bool

    init(owner: EchoDelegate, echoes: Bool) {
        self.owner = owner
        self.echoes = echoes
    }

    func session(_ session: EngineSession, didReceiveText message: ByteBuffer) {
        owner.record(.text(String(buffer: message)))
        if owner.pausesAfter == String(buffer: message) { session.pauseReading() }
        if echoes { session.send(EncodedPacket(message: message, isBinary: false)) }
    }

    func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) {
        owner.record(.binary(Array(message.readableBytesView)))
        if echoes { session.send(EncodedPacket(message: message, isBinary: true)) }
    }

    func session(_ session: EngineSession, didReceivePongFor pingNumber: Int) { owner.record(.pong(pingNumber)) }
    func sessionDidDrain(_ session: EngineSession) { owner.record(.drained) }

    func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) {
        owner.forget(session.id)
        owner.record(.closed(reason))
    }
}

extension EngineSession {
    func send(text: String) {
        send(EncodedPacket(message: ByteBuffer(string: text), isBinary: false))
    }
}
