// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import SocketIOCore
import SocketIOEmitter

#if MongoDB
import SocketIOCluster
import SocketIOMongoAdapter
#endif

/// The cluster to write to.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The connection string. Prefer the environment, which other users of the machine cannot read.")
    var uri: String?
    @Option(help: "The database. Default: the one in the connection string, else socketio.") var database: String?
    @Option(help: "The collection.") var collection = "socketio"
    @Option(help: "The name of the cluster, if several share the collection.") var cluster = "default"
    @Option(help: "native, nodejs or socketioxide.") var wireFormat = WireFormatName()
    @Option(help: "How messages expire: ttl, ttl:SECONDS, capped or capped:BYTES.") var expiration = ExpirationName()
    @Option(help: "The parser of the servers: json or msgpack.") var parser = Parser()
    @Flag(help: "The servers have connection state recovery enabled.") var recovery = false
    @Option(help: "Seconds to keep trying before the command fails.") var timeout = 30

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout must be 1 to 86400 seconds.") }
    }

    private var connectionString: String {
        get throws {
            let environment = ProcessInfo.processInfo.environment
            guard let found = uri ?? environment["SOCKETIO_MONGODB_URI"] ?? environment["MONGODB_URI"], !found.isEmpty else {
                throw ValidationError("No connection string: set SOCKETIO_MONGODB_URI or MONGODB_URI, or pass --uri.")
            }
            return found
        }
    }

    /// Connects and performs the action, and exits; on failure, prints a message and exits with a code.
    func perform(
        _ target: (SocketIOEmitter) -> EmitterOperator,
        _ action: (EmitterOperator) async throws -> Void
    ) async throws {
        let string = try connectionString
        do {
            try await action(target(try await connect(string)))
        } catch {
            let failure = Failure(error)
            Self.say(failure.message)
            Self.end(failure.code)
        }
        Self.end(.success)
    }

    private static func say(_ text: String) { FileHandle.standardError.write(Data("socketio-emit: \(text)\n".utf8)) }

    /// Ends the process at once. What was to be written has met its fate, and the threads with which libmongoc watches the servers would
    /// take half a second to end.
    private static func end(_ code: ExitCode) -> Never {
        fflush(nil)
        _exit(code.rawValue)
    }

    #if MongoDB
    private func connect(_ string: String) async throws -> SocketIOEmitter {
        var configuration = MongoAdapterConfiguration(connectionString: string)
        configuration.database = database
        configuration.collection = collection
        configuration.clusterName = cluster
        configuration.expiration = expiration.value
        configuration.wireFormat = wireFormat.value
        configuration.cluster.writeTimeout = .seconds(timeout)
        if let digits = ProcessInfo.processInfo.environment["SOCKETIO_SIGNING_KEY"] {
            guard let key = SigningKey(hexadecimal: digits) else {
                throw ValidationError("SOCKETIO_SIGNING_KEY must be hexadecimal, for example the output of `openssl rand -hex 32`.")
            }
            configuration.signingKeys = [key]
        }
        configuration.logger.logLevel = .critical
        var options = SocketIOEmitter.Options()
        options.parser = parser.format
        options.connectionStateRecovery = recovery
        options.logger.logLevel = .critical
        return try await SocketIOEmitter.mongo(configuration, options: options) { Self.say("warning: \(SocketIOEmitter.silence)") }
    }
    #else
    private func connect(_ string: String) async throws -> SocketIOEmitter {
        throw ValidationError("This command was built without the trait MongoDB; rebuild it with that trait.")
    }
    #endif
}
