import ArgumentParser
import EngineIO
import Logging
import NIOPosix
import SocketIO

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A server with a fixed set of events, for load generators. Its README.md lists the events.
@main
struct LoadTarget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the events that load generators use.")

    @OptionGroup var options: Options

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
        var logger = Logger(label: "load-target") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let io = SocketIOServer(
            configuration: options.serverConfiguration,
            adapter: options.cluster.adapter,
            eventLoopGroup: group,
            logger: logger
        )
        addHandlers(to: io)
        var http = HTTPServerConfiguration(host: options.host, port: options.port)
        http.backlog = 4096
        try await io.run(http, onListening: { say("listening \($0)\n") })
    }
}

/// Written at once, unlike what is printed into a pipe.
private func say(_ line: String) { _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) } }
