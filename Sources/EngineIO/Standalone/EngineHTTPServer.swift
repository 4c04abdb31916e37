// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import NIOHTTPTypesHTTP1
public import NIOPosix
import NIOSSL
import SocketIOConcurrency
import Synchronization

/// An HTTP server for an ``EngineServer`` in a process that has no other.
public final class EngineHTTPServer: Sendable {
    private let listener: any Channel
    private let connections: OpenConnections
    private let engine: EngineServer
    private let configuration: EngineHTTPServerConfiguration
    private let isShuttingDown = Atomic(false)
    private let stopped = Gate()
    private let ended = Gate()

    private init(
        listener: any Channel,
        connections: OpenConnections,
        engine: EngineServer,
        configuration: EngineHTTPServerConfiguration
    ) {
        self.listener = listener
        self.connections = connections
        self.engine = engine
        self.configuration = configuration
        listener.closeFuture.whenComplete { [stopped] _ in stopped.open() }
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - configuration: Where and how.
    ///   - engine: Serves its path.
    ///   - eventLoopGroup: The event loops of the connections. Default: those that the process shares.
    ///   - responder: Answers all other requests; 404 by default.
    /// - Throws: ``EngineConfigurationError``, ``EngineListenError`` if it cannot listen on the address, or `NIOSSLError` if the
    ///   certificate or key is not usable.
    public static func start(
        _ configuration: EngineHTTPServerConfiguration,
        engine: EngineServer,
        on eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        responder: @escaping EngineResponder = { _ in .notFound }
    ) async throws -> EngineHTTPServer {
        try configuration.validate()
        try engine.configuration.validate()
        let connections = OpenConnections()
        let tls = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
        let bootstrap = ServerBootstrap(group: eventLoopGroup)
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
        let listener: any Channel
        do { listener = try await bootstrap.bind(host: configuration.host, port: configuration.port).get() } catch {
            throw EngineListenError(configuration, cause: error)
        }
        return EngineHTTPServer(listener: listener, connections: connections, engine: engine, configuration: configuration)
    }

    private static func configure(
        _ channel: any Channel,
        tls: NIOSSLContext?,
        engine: EngineServer,
        configuration: EngineHTTPServerConfiguration,
        responder: @escaping EngineResponder
    ) throws {
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
        let isSecure = tls != nil
        try engine.configure(channel, isSecure: isSecure, ownsPipeline: true) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                HTTP1ToHTTPServerCodec(secure: isSecure),
                EngineResponderHandler(configuration: configuration, proxies: engine.configuration.trustedProxies, responder: responder),
            ])
        }
    }

    /// The port that is listened on; the one that the system chose if the configuration has port 0.
    public var port: Int { listener.localAddress?.port ?? configuration.port }

    /// Returns when the server has stopped listening, because of ``shutdown(drainingOver:)`` or an error.
    public func waitUntilClosed() async {
        await stopped.waitUntilOpen()
    }

    /// Shuts down in order: refuses new sessions, closes the open ones in batches, stops listening and ends the connections.
    ///
    /// Calling it again only waits for the end.
    ///
    /// - Parameter duration: Over how long the sessions are closed, so that their clients do not reconnect all at once.
    public func shutdown(drainingOver duration: Duration = .zero) async { await shutdown(drainingOver: duration, by: nil) }

    /// - Parameter deadline: When connections that are left are cut, also if ``EngineHTTPServerConfiguration/shutdownTimeout`` is not over.
    package func shutdown(drainingOver duration: Duration, by deadline: ContinuousClock.Instant?) async {
        guard !isShuttingDown.exchange(true, ordering: .acquiringAndReleasing) else { return await ended.waitUntilOpen() }
        await engine.shutdown(over: duration, by: deadline)
        listener.close(promise: nil)
        await stopped.waitUntilOpen()
        await endConnections(within: min(configuration.shutdownTimeout, deadline.timeLeft))
        ended.open()
    }

    private func endConnections(within limit: Duration) async {
        // The process's own event loops, which outlive those of this server.
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
