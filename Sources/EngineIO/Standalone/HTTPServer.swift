// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import NIOHTTPTypesHTTP1
public import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP server for an ``EngineServer`` in a process that has no other.
public final class HTTPServer: Sendable {
    private let listener: any Channel
    private let connections: OpenConnections
    private let ownedGroup: MultiThreadedEventLoopGroup?
    private let engine: EngineServer
    private let configuration: HTTPServerConfiguration
    private let isShuttingDown = Atomic(false)
    private let stopped = Latch()
    private let ended = Latch()

    private init(
        listener: any Channel,
        connections: OpenConnections,
        ownedGroup: MultiThreadedEventLoopGroup?,
        engine: EngineServer,
        configuration: HTTPServerConfiguration
    ) {
        self.listener = listener
        self.connections = connections
        self.ownedGroup = ownedGroup
        self.engine = engine
        self.configuration = configuration
        listener.closeFuture.whenComplete { [stopped] _ in stopped.open() }
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - configuration: Where and how.
    ///   - engine: Serves its path.
    ///   - eventLoopGroup: The event loops of the connections, if ``HTTPServerConfiguration/loops`` asks for none of its own.
    ///     Default: those that the process shares.
    ///   - responder: Answers all other requests; 404 by default.
    /// - Throws: What the system says if the address cannot be listened on, or `NIOSSLError` if the certificate or key is not usable.
    public static func start(
        _ configuration: HTTPServerConfiguration,
        engine: EngineServer,
        on eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        responder: @escaping HTTPResponder = { _ in .notFound }
    ) async throws -> HTTPServer {
        let ownedGroup = configuration.loops.map { MultiThreadedEventLoopGroup(numberOfThreads: max(1, $0)) }
        let group: any EventLoopGroup = ownedGroup ?? eventLoopGroup
        let connections = OpenConnections()
        do {
            let tls = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: Int32(clamping: configuration.backlog))
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.maxMessagesPerRead, value: 16)
                .withoutDelay()
                .serverChannelInitializer { listener in
                    listener.eventLoop.makeCompletedFuture {
                        try listener.pipeline.syncOperations.addHandler(AcceptBackoff(engine: engine.context))
                    }
                }
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard connections.add(channel) else { throw ChannelError.ioOnClosedChannel }
                        try configure(channel, tls: tls, engine: engine, configuration: configuration, responder: responder)
                    }
                }
                .bind(host: configuration.host, port: configuration.port).get()
            return HTTPServer(
                listener: listener,
                connections: connections,
                ownedGroup: ownedGroup,
                engine: engine,
                configuration: configuration
            )
        } catch {
            try? await ownedGroup?.shutdownGracefully()
            throw error
        }
    }

    private static func configure(
        _ channel: any Channel,
        tls: NIOSSLContext?,
        engine: EngineServer,
        configuration: HTTPServerConfiguration,
        responder: @escaping HTTPResponder
    ) throws {
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
        let isSecure = tls != nil
        try engine.configure(channel, isSecure: isSecure, ownsPipeline: true) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                HTTP1ToHTTPServerCodec(secure: isSecure),
                HTTPResponderHandler(configuration: configuration, responder: responder),
            ])
        }
    }

    /// The port that is listened on, which tells what the system chose for port 0.
    public var port: Int { listener.localAddress?.port ?? configuration.port }

    /// Returns when the server has stopped listening, because of ``shutdown(drainingOver:)`` or an error.
    public func waitUntilClosed() async {
        await stopped.wait()
    }

    /// Shuts down in order: refuses new sessions, closes the open ones in batches, stops listening and ends the connections.
    ///
    /// Calling it again only waits for the end.
    ///
    /// - Parameter duration: Over how long the sessions are closed, so that their clients do not reconnect all at once.
    public func shutdown(drainingOver duration: Duration = .zero) async { await shutdown(drainingOver: duration, by: nil) }

    /// - Parameter deadline: When whatever is left is cut off, also if ``HTTPServerConfiguration/shutdownTimeout`` is not over.
    package func shutdown(drainingOver duration: Duration, by deadline: ContinuousClock.Instant?) async {
        guard !isShuttingDown.exchange(true, ordering: .acquiringAndReleasing) else { return await ended.wait() }
        await engine.shutdown(over: duration, by: deadline)
        listener.close(promise: nil)
        await stopped.wait()
        await endConnections(within: min(configuration.shutdownTimeout, deadline.timeLeft))
        try? await ownedGroup?.shutdownGracefully()
        ended.open()
    }

    private func endConnections(within limit: Duration) async {
        // Event loops of this process, which outlive those of this server.
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let ended = eventLoop.makePromise(of: Void.self)
        let connections = connections
        connections.beginClosing(ended)
        let cut = eventLoop.scheduleTask(in: TimeAmount(limit)) { connections.closeAll() }
        try? await ended.futureResult.get()
        cut.cancel()
    }
}

extension ServerBootstrap {
    /// Lets small packets leave at once.
    fileprivate func withoutDelay() -> ServerBootstrap {
        #if os(Linux)
        // Connections take it over from the listener, which saves a system call for each.
        serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        #else
        childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        #endif
    }
}
