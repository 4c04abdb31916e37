// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOSSL

/// Where and how an ``EngineHTTPServer`` listens.
public struct EngineHTTPServerConfiguration: Sendable {
    /// The address to listen on: a name or an IP address. Default `127.0.0.1`; `0.0.0.0` and `::` mean all of the machine's addresses.
    public var host: String = "127.0.0.1"

    /// The port to listen on; 0 lets the system choose. Default 3000.
    public var port: Int = 3000

    /// How many connections may wait to be accepted. Default 1024; the system may allow less.
    public var backlog: Int = 1024

    /// TLS, with its certificate and key. Default none. HTTP/2 is not offered.
    public var tls: TLSConfiguration?

    /// The size limit of the body of a request that the responder answers, in bytes. Default 1 000 000, at most 1 GiB. Larger bodies are
    /// answered 413.
    public var maxBodySize: Int = 1_000_000

    /// How long the body of a request that the responder answers may take. Default 30 s.
    public var bodyTimeout: Duration = .seconds(30)

    /// How long connections may take to end after their sessions were closed, before they are cut. Default 10 s. It is less if the server's
    /// owner has an earlier deadline, as a Socket.IO server has.
    public var shutdownTimeout: Duration = .seconds(10)

    /// Makes the default configuration.
    public init(host: String = "127.0.0.1", port: Int = 3000) {
        self.host = host
        self.port = port
    }

    /// Checks the values that can be checked without the system. ``EngineHTTPServer/start(_:engine:on:responder:)`` calls it.
    ///
    /// - Throws: The first value that cannot be used.
    public func validate() throws(EngineConfigurationError) {
        let rules = [
            ((0...65_535).contains(port), "port", "must be between 0 and 65535, not \(port)"),
            (backlog > 0, "backlog", "must be positive"),
            (maxBodySize >= 0, "maxBodySize", "must not be negative"),
            (bodyTimeout > .zero, "bodyTimeout", "must be positive"),
            (shutdownTimeout >= .zero, "shutdownTimeout", "must not be negative"),
        ]
        for (holds, property, problem) in rules where !holds { throw EngineConfigurationError(property: property, problem: problem) }
    }
}
