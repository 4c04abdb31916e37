// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOSSL

/// Where and how an ``HTTPServer`` listens.
public struct HTTPServerConfiguration: Sendable {
    /// The address to listen on: a name or an IP address. Default `127.0.0.1`; `0.0.0.0` and `::` mean all of the machine's addresses.
    public var host: String = "127.0.0.1"

    /// The port to listen on; 0 lets the system choose. Default 3000.
    public var port: Int = 3000

    /// How many connections may wait to be accepted. Default 1024; the system may allow less.
    public var backlog: Int = 1024

    /// The number of event loops, each with a thread of its own. Default nil: those that the process shares, one per core.
    public var loops: Int?

    /// TLS, with its certificate and key. Default none. HTTP/2 is not offered.
    public var tls: TLSConfiguration?

    /// The size limit of the body of a request that the responder answers, in bytes. Default 1 000 000, at most 1 GiB; more is answered
    /// 413.
    public var maxBodySize: Int = 1_000_000

    /// How long the body of such a request may take. Default 30 s.
    public var bodyTimeout: Duration = .seconds(30)

    /// How long connections may take to end, after their sessions were closed, before they are cut. Default 10 s; less if whoever runs the
    /// server has a deadline that comes sooner, as a Socket.IO server has.
    public var shutdownTimeout: Duration = .seconds(10)

    /// Makes the default configuration.
    public init(host: String = "127.0.0.1", port: Int = 3000) {
        self.host = host
        self.port = port
    }
}
