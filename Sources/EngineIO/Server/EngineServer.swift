// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import NIOCore
import NIOHTTP1
import SocketIOConcurrency
import Synchronization

/// An Engine.IO v4 server: sessions over long-polling and WebSocket, on channels that another part of the process accepts.
public final class EngineServer: Sendable {
    let context: EngineContext
    private let loops = Mutex<[ObjectIdentifier: EngineLoopHandle]>([:])

    /// Makes a server. It does nothing until ``configure(_:isSecure:fallback:)`` is called for a channel.
    ///
    /// - Parameters:
    ///   - configuration: The options.
    ///   - delegate: Gets every new session.
    ///   - logger: Where to log. Nothing is logged per packet above `trace`.
    ///   - metrics: The metrics. Default: those of the process's metrics backend.
    public init(
        configuration: EngineConfiguration = .init(),
        delegate: any EngineServerDelegate,
        logger: Logger,
        metrics: EngineMetrics = EngineMetrics()
    ) {
        self.context = EngineContext(configuration: configuration, delegate: delegate, logger: logger, metrics: metrics)
    }

    /// The configuration the server was made with.
    public var configuration: EngineConfiguration { context.configuration }

    /// The number of open sessions.
    public var clientsCount: Int { context.registry.count }

    /// Installs the HTTP pipeline on an accepted channel.
    ///
    /// Requests for ``EngineConfiguration/path`` are served by this server; at the first other request `fallback` is called, once,
    /// to add the handlers that get `HTTPServerRequestPart`s and write `HTTPServerResponsePart`s.
    ///
    /// - Parameters:
    ///   - channel: A channel on whose event loop this is called.
    ///   - isSecure: Whether TLS handlers are in front.
    ///   - fallback: Adds the handlers for all other requests to the end of the pipeline. Without it they are answered 404.
    /// - Throws: NIO's error if the channel's pipeline cannot be changed.
    public func configure(
        _ channel: any Channel,
        isSecure: Bool = false,
        fallback: (@Sendable (any Channel) throws -> Void)? = nil
    ) throws {
        try configure(channel, isSecure: isSecure, ownsPipeline: false, fallback: fallback)
    }

    /// - Parameter ownsPipeline: Whether no other code adds handlers to the front of the pipeline.
    package func configure(
        _ channel: any Channel,
        isSecure: Bool,
        ownsPipeline: Bool,
        fallback: (@Sendable (any Channel) throws -> Void)?
    ) throws {
        let loop = loop(for: channel.eventLoop)
        try channel.syncOptions?.setOption(.recvAllocator, value: ReceiveAllocator.first(loop: loop, isShared: !isSecure))
        // A channel that reads several times in a row keeps a buffer for each.
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        let configuration = context.configuration
        let allowsDirectSocket = ownsPipeline && !isSecure && configuration.usesDirectWrites
        let handshake = EngineHandshakeHandler(loop: loop.local, isSecure: isSecure, socket: DirectSocket(isAllowed: allowsDirectSocket)) {
            channel,
            handler in
            let http = EngineHTTPHandler(
                loop: loop.local,
                isSecure: isSecure,
                allowsDirectSocket: allowsDirectSocket,
                headerDeadline: handler.deadline,
                firstRefusal: handler.refusal,
                fallback: fallback
            )
            // A client may close its side of the connection after a request and still wait for the answer. WebSockets end with it.
            if ownsPipeline { try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true) }
            try Self.add(http, to: channel, loop, after: handler)
        }
        try channel.pipeline.syncOperations.addHandler(handshake)
    }

    private static func add(
        _ http: EngineHTTPHandler,
        to channel: any Channel,
        _ loop: EngineLoopHandle,
        after handshake: EngineHandshakeHandler
    ) throws {
        let configuration = loop.local.context.configuration
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = configuration.limits.headerBytes
        limits.maxHeaderListSize = configuration.limits.headerBytes
        limits.maxHeaderFieldCount = configuration.limits.headerFields
        try channel.syncOptions?.setOption(.recvAllocator, value: ReceiveAllocator.own(loop: loop))
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
        let encoder = HTTPResponseEncoder()
        let connection = EngineConnectionHandler(http: http)
        let pipelining = HTTPServerPipelineHandler()
        http.httpHandlers = [pipelining, connection, encoder, decoder]
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder, connection, pipelining, http], position: .after(handshake))
    }

    private func loop(for eventLoop: any EventLoop) -> EngineLoopHandle {
        loops.withLock { loops in
            let id = ObjectIdentifier(eventLoop)
            if let loop = loops[id] { return loop }
            let loop = EngineLoop.make(on: eventLoop, context: context)
            loops[id] = loop
            return loop
        }
    }
}

// MARK: - Shutdown

extension EngineServer {
    /// The time between two batches of closed sessions.
    private static let batchInterval = Duration.milliseconds(100)
    /// How long the last sessions may take: a polling client that is still connected polls for its close at once.
    private static let lastWait = Duration.seconds(5)

    /// Refuses new sessions from now on and closes the open ones in random batches spread over `duration`.
    ///
    /// Returns when none is left. Sessions that are left 5 s after the last batch, or after ``EngineConfiguration/Limits/closeTimeout`` if
    /// that is shorter, are discarded. Cancelling the task closes all at once.
    public func shutdown(over duration: Duration = .zero) async { await shutdown(over: duration, by: nil) }

    /// - Parameter deadline: When sessions that are left are discarded in any case.
    func shutdown(over duration: Duration, by deadline: ContinuousClock.Instant?) async {
        let sessions = context.registry.drain().shuffled()
        let batches = max(1, Int(duration / Self.batchInterval))
        let size = max(1, (sessions.count + batches - 1) / batches)
        for start in stride(from: 0, to: sessions.count, by: size) {
            Self.onEach(sessions[start..<min(start + size, sessions.count)]) { $0.close(.serverShuttingDown) }
            if start + size < sessions.count { try? await Task.sleep(for: Self.batchInterval) }
        }
        // Also if the task is cancelled: messages that were sent before are to arrive. The wait has a limit of its own.
        await Task { await waitForSessions(by: deadline) }.value
        Self.onEach(context.registry.drain()[...]) { $0.discard(.serverShuttingDown) }
        await context.registry.drained.waitUntilOpen()
    }

    private static func onEach(_ handles: ArraySlice<SessionHandle>, _ work: @escaping @Sendable (EngineSession) -> Void) {
        for (_, handles) in Dictionary(grouping: handles, by: { ObjectIdentifier($0.home) }) {
            guard let home = handles.first?.home else { continue }
            home.execute { _ in
                for handle in handles { work(handle.session.value) }
            }
        }
    }

    private func waitForSessions(by deadline: ContinuousClock.Instant?) async {
        let limit = min(context.configuration.limits.closeTimeout, Self.lastWait, deadline.timeLeft)
        await withTimeLimit(limit) { await self.context.registry.drained.wait() }
    }
}

extension ContinuousClock.Instant? {
    /// The time from now, if there is a deadline at all; not negative.
    var timeLeft: Duration { map { max(ContinuousClock.now.duration(to: $0), .zero) } ?? .seconds(1 << 40) }
}
