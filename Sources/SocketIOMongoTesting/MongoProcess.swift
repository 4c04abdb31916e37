// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import SocketIOMongoClient
import NIOCore
import NIOPosix
import Synchronization
import SocketIOText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// One `mongod` that a test may kill, pause and start again on the same port with the same data.
public final class MongoProcess: Sendable {
    /// Its port on 127.0.0.1.
    public let port: Int
    /// Its folder: data and `mongod.log`.
    public let folder: String

    private let arguments: [String]
    private let state: Mutex<SupervisedProcess?>

    /// `127.0.0.1:port`
    public var address: String { "127.0.0.1:\(port)" }

    /// Connects to this process alone, whatever its role.
    public var directConnectionString: String {
        "mongodb://\(address)/?directConnection=true"
    }

    /// Whether it was started and not ended since; a paused one runs.
    public var isRunning: Bool {
        state.withLock { $0 != nil }
    }

    /// Process id, while it runs.
    public var processID: Int? {
        state.withLock { $0.map { Int($0.processID) } }
    }

    /// Starts a `mongod` on a free port and waits until it takes connections.
    static func start(in parent: String, name: String, arguments: [String]) async throws -> MongoProcess {
        var failure: (any Error)?
        // Another process may take the port between finding it and using it.
        for _ in 0..<5 {
            let process = MongoProcess(port: try FreePort.find(), folder: "\(parent)/\(name)", arguments: arguments)
            do {
                try await process.restart()
                return process
            } catch {
                failure = error
                try? await process.kill()
                try? await removeFolder(process.folder)
            }
        }
        throw MongoHarnessError("mongod does not start", cause: failure)
    }

    private init(port: Int, folder: String, arguments: [String]) {
        self.port = port
        self.folder = folder
        self.arguments = arguments
        state = Mutex(nil)
    }

    /// Starts it, again or for the first time, and waits until it takes connections.
    public func restart() async throws {
        guard !isRunning else { return }
        guard let binary = MongoBinary.path else {
            throw MongoHarnessError(MongoBinary.reasonForAbsence ?? "no mongod here")
        }
        try makeFolder("\(folder)/data")
        let process = try await SupervisedProcess(
            [binary, "--dbpath", "\(folder)/data", "--port", "\(port)"] + arguments,
            log: logPath,
            folder: folder
        )
        state.withLock { $0 = process }
        try await waitForPort()
    }

    /// `kill -9`: what was not yet in the journal is lost.
    public func kill() async throws {
        try await end("KILL")
    }

    /// Asks it to end in an orderly way; a primary steps down first.
    public func terminate() async throws {
        try await end("TERM")
    }

    /// Stops it in its tracks (`SIGSTOP`): connections stay open and nothing answers, as if the network were cut.
    public func pause() throws {
        try state.withLock { try $0?.send("STOP") }
    }

    /// Lets a paused one go on.
    public func resume() throws {
        try state.withLock { try $0?.send("CONT") }
    }

    /// Runs with a client that is connected to this process alone.
    public func withClient<Value>(_ body: (MongoClient) async throws -> Value) async throws -> Value {
        var configuration = MongoClientConfiguration(connectionString: directConnectionString)
        configuration.serverSelectionTimeout = .seconds(2)
        configuration.commandThreads = 1
        configuration.shutdownTimeout = .zero
        return try await withMongoClient(configuration, body)
    }

    /// Turns a fail point on or off; needs `enableTestCommands=1`, which the harness sets.
    /// - Parameters:
    ///   - name: Such as `stopReplProducer` or `failCommand`.
    ///   - times: How often it strikes; 0 turns it off, `nil` leaves it on.
    ///   - data: What that fail point takes, such as `{failCommands: ["getMore"], errorCode: 43}`.
    public func setFailPoint(_ name: String, times: Int? = nil, data: BSONDocument? = nil) async throws {
        let command = BSONDocument { command in
            command.append("configureFailPoint", name)
            switch times {
            case nil: command.append("mode", "alwaysOn")
            case 0: command.append("mode", "off")
            case let times?: command.appendDocument("mode") { $0.append("times", Int32(clamping: times)) }
            }
            if let data { command.append("data", data) }
        }
        _ = try await withClient { try await $0.database("admin").run(command) }
    }

    /// The end of its log, for the message of a test that failed.
    public func logTail(lines: Int = 20) -> String {
        readFile(logPath).split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    private var logPath: String { "\(folder)/mongod.log" }

    private func end(_ signal: String) async throws {
        let process = self.state.withLock { state in
            defer { state = nil }
            return state
        }
        try await process?.end(signal)
    }

    private func waitForPort() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if FreePort.isListening(port) { return }
            let tail = logTail(lines: 5)
            if tail.contains("\"msg\":\"Now exiting\"") || tail.contains("shutting down with code") {
                break
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw MongoHarnessError("mongod on port \(port) takes no connections:\n\(logTail())")
    }
}

/// Runs with a client and closes it afterwards.
func withMongoClient<Value>(
    _ configuration: MongoClientConfiguration,
    _ body: (MongoClient) async throws -> Value
) async throws -> Value {
    let client = try MongoClient(configuration: configuration)
    do {
        let value = try await body(client)
        await client.close()
        return value
    } catch {
        await client.close()
        throw error
    }
}

#endif
