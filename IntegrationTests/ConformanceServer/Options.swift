// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EngineIO
import SocketIOCore
import SwiftSocketIO

/// `json` or `msgpack`.
struct Parser: ExpressibleByArgument {
    var format = PacketFormat.json

    init() {}

    init?(argument: String) {
        switch argument {
        case "json": format = .json
        case "msgpack": format = .messagePack
        default: return nil
        }
    }
}

enum Signal: String, ExpressibleByArgument {
    case hangUp = "SIGHUP"
    case quit = "SIGQUIT"

    var unixSignal: UnixSignal { self == .hangUp ? .sighup : .sigquit }
}

struct Options: ParsableArguments {
    @Option(help: "The port; 0 for any that is free.") var port = 0
    @Option(help: "json or msgpack.") var parser = Parser()
    @Option(help: "Milliseconds between pings.") var pingInterval = 25_000
    @Option(help: "Milliseconds that a pong may take.") var pingTimeout = 20_000
    @Option(help: "Milliseconds until the first namespace must be joined.") var connectTimeout = 45_000
    @Option(help: "Event loops.") var loops = 2
    @Option(help: "A signal that shuts the server down, instead of SIGTERM and SIGINT.") var signal: Signal?
    @Option(parsing: .upToNextOption, help: "Addresses and networks of proxies that are trusted.") var trustedProxies: [String] = []
    @Flag(help: "Keep the sessions of clients whose connection breaks.") var recovery = false

    #if MongoDB
    @OptionGroup var mongo: MongoOptions
    #endif

    var signals: [UnixSignal] { signal.map { [$0.unixSignal] } ?? [.sigterm, .sigint] }

    func configuration() throws -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser.format
        configuration.connectTimeout = .milliseconds(connectTimeout)
        configuration.connectionStateRecovery = recovery ? ConnectionStateRecovery() : nil
        configuration.engine.pingInterval = .milliseconds(pingInterval)
        configuration.engine.pingTimeout = .milliseconds(pingTimeout)
        configuration.engine.trustedProxies = try TrustedProxies(trustedProxies)
        configuration.engine.limits.closeTimeout = .seconds(2)
        configuration.engine.cors = EngineCORS(origins: .exactly(["https://friend.example"]))
        configuration.engine.allowRequest = { request in request.header("x-refuse") == nil ? .allow : .reject() }
        return configuration
    }
}
