// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Ports on 127.0.0.1 below the range that the system gives to outgoing connections, so that a member that is down for a while finds
/// its port free again.
enum FreePort {
    static func find() throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: 20_000..<32_000)
            if isFree(port) { return port }
        }
        throw MongoHarnessError("no free port on 127.0.0.1 between 20000 and 32000")
    }

    static func isListening(_ port: Int) -> Bool {
        withSocket(port) { file, address, length in connect(file, address, length) == 0 }
    }

    private static func isFree(_ port: Int) -> Bool {
        withSocket(port) { file, address, length in bind(file, address, length) == 0 }
    }

    private static func withSocket(_ port: Int, _ body: (CInt, UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        #if canImport(Darwin)
        let stream = SOCK_STREAM
        #else
        let stream = CInt(SOCK_STREAM.rawValue)
        #endif
        let file = socket(AF_INET, stream, 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

#endif
