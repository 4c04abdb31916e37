// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
public import EngineIO
public import HummingbirdCore
public import Logging
public import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Serves Engine.IO on the connections of a Hummingbird application; its router gets all other requests.
///
/// ```swift
/// let app = Application(router: router, server: .engineIO(engine))
/// ```
///
/// Hummingbird's part of a connection's pipeline is made with the first request that is for it, so a WebSocket costs nothing of it.
public struct EngineChannel: HTTPChannelHandler {
    /// A connection, and Hummingbird's part of it once there is one.
    public struct Value: ServerChildChannelValue {
        /// The connection.
        public let channel: any Channel
        /// nil if the connection ended without a request for Hummingbird.
        fileprivate let http: EventLoopFuture<NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>?>
    }

    private let engine: EngineServer
    private let configuration: HTTP1Channel.Configuration
    private let isSecure: Bool
    /// Hummingbird's responder.
    public let responder: HTTPChannelHandler.Responder

    /// Makes the channel's set-up.
    ///
    /// - Parameters:
    ///   - engine: Serves its path on every connection.
    ///   - configuration: Hummingbird's options for all other requests. Its limits of header fields do not count; those of the engine do.
    ///   - isSecure: Whether TLS is in front of it.
    ///   - responder: Hummingbird's responder.
    public init(
        engine: EngineServer,
        configuration: HTTP1Channel.Configuration = .init(),
        isSecure: Bool = false,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.engine = engine
        self.configuration = configuration
        self.isSecure = isSecure
        self.responder = responder
    }

    /// Installs the engine's pipeline.
    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let promise = channel.eventLoop.makePromise(of: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>?.self)
        channel.closeFuture.whenComplete { _ in promise.succeed(nil) }
        return channel.eventLoop.makeCompletedFuture {
            try engine.configure(channel, isSecure: isSecure) { channel in
                promise.succeed(try addHummingbird(to: channel, logger: logger))
            }
            return Value(channel: channel, http: promise.futureResult)
        }
    }

    private func addHummingbird(
        to channel: any Channel,
        logger: Logger
    ) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
        try pipeline.addHandlers(configuration.additionalChannelHandlers())
        let idleTimeout = configuration.idleTimeout.map { Duration.nanoseconds($0.nanoseconds) }
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
        return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }

    /// Answers the connection's requests for Hummingbird, until it ends.
    public func handle(value: Value, logger: Logger) async {
        guard let http = try? await value.http.get() else { return }
        await handleHTTP(asyncChannel: http, logger: logger)
    }
}

extension HTTPServerBuilder {
    /// A server that serves Engine.IO on the application's port.
    ///
    /// - Parameters:
    ///   - engine: Serves its path on every connection.
    ///   - configuration: Hummingbird's options for all other requests.
    public static func engineIO(_ engine: EngineServer, configuration: HTTP1Channel.Configuration = .init()) -> HTTPServerBuilder {
        HTTPServerBuilder { EngineChannel(engine: engine, configuration: configuration, responder: $0) }
    }
}
#endif
