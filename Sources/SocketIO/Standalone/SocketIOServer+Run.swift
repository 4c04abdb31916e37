public import EngineIO
import HTTPTypes
import Logging
public import ServiceLifecycle
import UnixSignals

/// Serving without another HTTP server.
extension SocketIOServer {
    /// Serves until the process is asked to end (SIGTERM or SIGINT), then lets the clients go and returns.
    ///
    /// - Parameters:
    ///   - host: The address to listen on. Default: this machine only.
    ///   - port: The port to listen on; 0 lets the system choose. Default 3000.
    ///   - onListening: Gets the port, once connections are accepted.
    ///   - responder: Answers all requests that are not for the server's path. Default: 404.
    /// - Throws: What the system says if the address cannot be listened on; what the adapter throws when it starts; ``SocketIOError`` with
    ///   `invalidConfiguration`.
    public func run(
        host: String = "127.0.0.1",
        port: Int = 3000,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        responder: @escaping HTTPResponder = { _ in .notFound }
    ) async throws {
        try await run(HTTPServerConfiguration(host: host, port: port), onListening: onListening, responder: responder)
    }

    /// Serves until the process is asked to end (SIGTERM or SIGINT), then lets the clients go and returns.
    ///
    /// - Parameters:
    ///   - configuration: Where and how to listen.
    ///   - onListening: Gets the port, once connections are accepted.
    ///   - responder: Answers all requests that are not for the server's path. Default: 404.
    /// - Throws: As ``run(host:port:onListening:responder:)``.
    public func run(
        _ configuration: HTTPServerConfiguration,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        responder: @escaping HTTPResponder = { _ in .notFound }
    ) async throws {
        let service = StandaloneService(io: self, configuration: configuration, onListening: onListening, responder: responder)
        let group = ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
    }

    /// The server with an HTTP server of its own, for a `ServiceGroup` of yours.
    ///
    /// - Parameters:
    ///   - configuration: Where and how to listen.
    ///   - onListening: Gets the port, once connections are accepted.
    ///   - responder: Answers all requests that are not for the server's path. Default: 404.
    public func service(
        _ configuration: HTTPServerConfiguration,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        responder: @escaping HTTPResponder = { _ in .notFound }
    ) -> some Service {
        StandaloneService(io: self, configuration: configuration, onListening: onListening, responder: responder)
    }
}

/// Runs a server with an HTTP server of its own.
private struct StandaloneService: Service {
    let io: SocketIOServer
    let configuration: HTTPServerConfiguration
    let onListening: @Sendable (Int) -> Void
    let responder: HTTPResponder

    func run() async throws {
        guard configuration.loops == nil else {
            let message = "HTTPServerConfiguration.loops must be nil: give SocketIOServer an eventLoopGroup of that many threads instead"
            throw SocketIOError(.invalidConfiguration, message)
        }
        try await io.start()
        do {
            let client = try await ClientFile(io.configuration)
            let http = try await HTTPServer.start(configuration, engine: io.engine, on: io.eventLoopGroup) { [responder] request in
                if let response = client?.response(to: request) { return response }
                return await responder(request)
            }
            onListening(http.port)
            io.logger.info("listening", metadata: ["host": "\(configuration.host)", "port": "\(http.port)"])
            await untilShutdown(http)
        } catch {
            await io.close()
            throw error
        }
    }

    private func untilShutdown(_ http: HTTPServer) async {
        await gracefulShutdownOrCancellation()
        await io.close(over: io.configuration.drainDuration)
        await http.shutdown()
    }
}

/// The server in somebody else's HTTP server: starts the adapters, and lets the clients go at the end.
extension SocketIOServer: Service {
    /// Starts the adapters, waits for the graceful shutdown and closes the server. For servers that are mounted in a Hummingbird
    /// application: `app.addServices(io)`.
    ///
    /// - Throws: What the adapter throws when it starts.
    public func run() async throws {
        try await start()
        await gracefulShutdownOrCancellation()
        await close(over: configuration.drainDuration)
    }
}

/// Returns when the service is asked to end.
private func gracefulShutdownOrCancellation() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    await withTaskCancellationOrGracefulShutdownHandler {
        for await _ in stream {}
    } onCancelOrGracefulShutdown: {
        continuation.finish()
    }
}

/// The JavaScript client, served below the server's path.
struct ClientFile: Sendable {
    private let path: String
    private let file: StaticFile

    /// nil if none is configured.
    ///
    /// - Throws: If the file cannot be read.
    init?(_ configuration: SocketIOConfiguration) async throws {
        guard let source = configuration.serveClient else { return nil }
        self.file = try await StaticFile(path: source, contentType: "application/javascript; charset=utf-8")
        let base = configuration.engine.path
        self.path = (base.hasSuffix("/") ? base : base + "/") + "socket.io.js"
    }

    func response(to request: HTTPServerRequest) -> HTTPServerResponse? {
        request.path == path ? file.response(to: request.head) : nil
    }
}
