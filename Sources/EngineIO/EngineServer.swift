public import Logging
public import NIOCore

/// An Engine.IO v4 server: sessions over long-polling and WebSocket, on channels that somebody else accepts.
public final class EngineServer: Sendable {
    /// The configuration the server was made with.
    public let configuration: EngineConfiguration
    private let delegate: any EngineServerDelegate
    private let logger: Logger

    /// Makes a server. It does nothing until ``configure(_:isSecure:fallback:)`` is called for a channel.
    ///
    /// - Parameters:
    ///   - configuration: The options.
    ///   - delegate: Gets every new session.
    ///   - logger: Gets what an operator should know; nothing is logged per packet above `trace`.
    public init(configuration: EngineConfiguration = .init(), delegate: any EngineServerDelegate, logger: Logger) {
        self.configuration = configuration
        self.delegate = delegate
        self.logger = logger
    }

    /// Installs the HTTP pipeline on an accepted channel.
    ///
    /// Requests for ``EngineConfiguration/path`` are served by this server; at the first other request `fallback` is called, once,
    /// to add the handlers that get `HTTPServerRequestPart`s and write `HTTPServerResponsePart`s.
    ///
    /// - Parameters:
    ///   - channel: A channel on whose event loop this is called.
    ///   - isSecure: Whether TLS handlers are in front.
    ///   - fallback: Adds the handlers for all other requests to the end of the pipeline. Without it they are answered 404.
    public func configure(
        _ channel: any Channel,
        isSecure: Bool = false,
        fallback: (@Sendable (any Channel) throws -> Void)? = nil
    ) throws {}

    /// The number of open sessions.
    public var clientsCount: Int { 0 }

    /// Refuses new sessions from now on and closes the open ones in random batches spread over `duration`.
    ///
    /// Returns when none is left, at the latest ``EngineConfiguration/Limits/closeTimeout`` after the last batch.
    public func shutdown(over duration: Duration = .zero) async {}
}
