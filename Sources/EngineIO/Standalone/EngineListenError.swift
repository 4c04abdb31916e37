// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The server could not listen on the address of an ``EngineHTTPServerConfiguration``.
public struct EngineListenError: Error, Sendable, CustomStringConvertible {
    /// The host of the configuration.
    public let host: String
    /// The port of the configuration.
    public let port: Int
    /// The system's error.
    public let cause: any Error

    init(_ configuration: EngineHTTPServerConfiguration, cause: any Error) {
        self.host = configuration.host
        self.port = configuration.port
        self.cause = cause
    }

    /// The address, the reason, and what to do.
    public var description: String { "cannot listen on \(address): \(reason) (\(cause))" }

    /// `host:port`, with IPv6 addresses in brackets.
    private var address: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private var reason: String {
        if cause is SocketAddressError || cause is SocketAddressError.UnknownHost {
            return "the host cannot be resolved; use a name or an IP address of this machine"
        }
        return switch (cause as? IOError)?.errnoCode {
        case EADDRINUSE:
            "the port is in use; stop the process that uses it, choose another port, or use port 0 to let the system choose one"
        case EACCES, EPERM: "the process may not use this port; use port 1024 or higher, or allow the process to use privileged ports"
        case EADDRNOTAVAIL: "the machine has no such address; use one of its own, or 0.0.0.0 for all"
        default: "the system refused it"
        }
    }
}
