// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIO
import HTTPTypes
import Logging
public import ServiceLifecycle
import SocketIOText
import Synchronization
public import UnixSignals

/// Running the server with an HTTP server of its own.
extension SocketIOServer {
    /// Serves until the process receives one of the signals, or until ``close(over:)``. Then it disconnects the clients, closes the port and
    /// returns.
    ///
    /// - Parameters:
    ///   - host: The address to listen on. Default: only this machine.
    ///   - port: The port to listen on, at most 65 535; 0 lets the system choose. It has no default, because ``run()`` opens no port.
    ///   - signals: The signals that shut the server down, such as `.sighup`. Default: SIGTERM and SIGINT.
    ///   - responder: Answers all requests that are not for the server's path. Default: 404.
    ///   - onListening: Called with the port once connections are accepted.
    /// - Throws: ``SocketIOError`` with `invalidConfiguration`, before anything is started; `EngineListenError` if it cannot listen on the
    ///   address; errors of the adapter when it starts.
    public func run(
        host: String = "127.0.0.1",
        port: Int,
        signals: [UnixSignal] = [.sigterm, .sigint],
        responder: @escaping EngineResponder = { _ in .notFound },
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let configuration = EngineHTTPServerConfiguration(host: host, port: port)
        try await run(configuration, signals: signals, responder: responder, onListening: onListening)
    }

    /// Serves until the process receives one of the signals, or until ``close(over:)``. Then it disconnects the clients, closes the port and
    /// returns.
    ///
    /// - Parameters:
    ///   - configuration: Where and how to listen.
    ///   - signals: The signals that shut the server down, such as `.sighup`. Default: SIGTERM and SIGINT.
    ///   - responder: Answers all requests that are not for the server's path. Default: 404.
    ///   - onListening: Called with the port once connections are accepted.
    /// - Throws: As ``run(host:port:signals:responder:onListening:)``.
    public func run(
        _ configuration: EngineHTTPServerConfiguration,
        signals: [UnixSignal] = [.sigterm, .sigint],
        responder: @escaping EngineResponder = { _ in .notFound },
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let service = StandaloneService(io: self, configuration: configuration, responder: responder, onListening: onListening)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: signals,
                logger: logger
            )
        )
        try await group.run()
    }

    /// The server with an HTTP server of its own, as a service for your `ServiceGroup`. It ends with the group, or with ``close(over:)``; if
    /// your code makes that call, state the service's `successTerminationBehavior`, because by default a group fails when a service ends.
    ///
    /// - Parameters:
    ///   - configuration: Where and how to listen.
    ///   - responder: Answers all requests that are not for the server's path. Default: 404.
    ///   - onListening: Called with the port once connections are accepted.
    public func service(
        _ configuration: EngineHTTPServerConfiguration,
        responder: @escaping EngineResponder = { _ in .notFound },
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> some Service {
        StandaloneService(io: self, configuration: configuration, responder: responder, onListening: onListening)
    }
}

/// Runs a server with an HTTP server of its own.
private struct StandaloneService: Service, CustomStringConvertible {
    let io: SocketIOServer
    let configuration: EngineHTTPServerConfiguration
    let responder: EngineResponder
    let onListening: @Sendable (Int) -> Void

    /// The name that a `ServiceGroup` logs.
    var description: String { "Socket.IO server (host \(configuration.host), port \(configuration.port))" }

    func run() async throws {
        do {
            // Before the adapter connects to anything.
            do { try configuration.validate() } catch { throw SocketIOError(.invalidConfiguration, "\(error)") }
            try await io.start()
            let http = try await EngineHTTPServer.start(configuration, engine: io.engine, on: io.eventLoopGroup, responder: responder)
            io.httpServers.withLock { $0.append(http) }
            onListening(http.port)
            io.logger.info("listening", metadata: [LogKey.host: "\(configuration.host)", LogKey.port: "\(http.port)"])
            await untilEnd()
            let deadline = await io.closeAsService()
            // In a task that is not cancelled with the service: pending responses are sent, in the time that is left.
            await Task { await http.shutdown(drainingOver: .zero, by: deadline) }.value
            io.httpServers.withLock { servers in servers.removeAll { $0 === http } }
        } catch {
            await io.close()
            throw error
        }
    }

    /// Returns when the group shuts down, the task is cancelled or the server is being closed.
    private func untilEnd() async {
        await withTaskGroup(of: Void.self) { group in
            // Throws if the task is cancelled, which ends the server in the same way.
            group.addTask { _ = try? await gracefulShutdown() }
            group.addTask { for await state in io.states where state > .serving { break } }
            await group.next()
            group.cancelAll()
        }
    }
}

/// The server as a service, mounted in another HTTP server.
extension SocketIOServer: Service {
    /// Starts the adapters, waits for the graceful shutdown and closes the server. **It opens no port:** to listen on one, name it, as in
    /// `run(port: 3000)`.
    ///
    /// It is for servers that are mounted in a Hummingbird application: `app.addServices(io)`. If the application asks its connections to close
    /// before that, as Hummingbird does, closing begins then, in the same order and over the same time. A server that has not been mounted with
    /// `.socketIO(io)` logs at `notice` that it has no port of its own.
    ///
    /// - Throws: Errors of the adapter when it starts.
    public func run() async throws {
        if !isMounted {
            logger.notice("run() opens no port of its own; to listen on one, name it: run(port: 3000)")
        }
        do { try await start() } catch {
            await close()
            throw error
        }
        // Ends with an error if the task is cancelled, which means the same.
        try? await gracefulShutdown()
        await closeAsService()
    }
}
