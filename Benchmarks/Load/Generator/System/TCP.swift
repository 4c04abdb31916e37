// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An address to connect to or to listen on.
struct Address {
    let host: String
    let port: UInt16
    private var storage = sockaddr_in()

    init(host: String, port: UInt16) throws {
        self.host = host
        self.port = port
        var hints = addrinfo()
        hints.ai_family = AF_INET
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &found)
        defer { freeaddrinfo(found) }
        guard code == 0, let address = found?.pointee.ai_addr else { throw LoadError("\(host): \(String(cString: gai_strerror(code)))") }
        storage = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
        storage.sin_port = port.bigEndian
    }

    fileprivate func with<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// Non-blocking TCP sockets.
enum TCP {
    private static func set(_ file: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(file, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func open() throws -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let file = socket(AF_INET, type, 0)
        guard file >= 0 else { throw LoadError.system("socket") }
        return file
    }

    /// Starts to connect.
    ///
    /// - Parameter receiveBuffer: The size of the kernel's receive buffer; nil lets the kernel choose.
    static func connect(to address: Address, receiveBuffer: Int32? = nil) throws -> Int32 {
        let file = try open()
        noDelay(file)
        if let receiveBuffer { set(file, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        guard address.with({ Glibc.connect(file, $0, $1) }) == 0 || errno == EINPROGRESS else {
            let code = errno
            Glibc.close(file)
            throw LoadError.system("connect to \(address.host):\(address.port)", code)
        }
        return file
    }

    static func listen(on address: Address) throws -> Int32 {
        let file = try open()
        set(file, SOL_SOCKET, SO_REUSEADDR, 1)
        guard address.with({ bind(file, $0, $1) }) == 0 else { throw LoadError.system("bind to \(address.host):\(address.port)") }
        guard Glibc.listen(file, 4096) == 0 else { throw LoadError.system("listen") }
        return file
    }

    static func port(of file: Int32) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    static func accept(_ file: Int32) -> Int32? {
        let new = Glibc.accept(file, nil, nil)
        guard new >= 0 else { return nil }
        _ = fcntl(new, F_SETFL, O_NONBLOCK)
        noDelay(new)
        return new
    }

    static func noDelay(_ file: Int32) { set(file, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// Makes `close` cut the connection instead of ending it in order.
    static func cutOnClose(_ file: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(file, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }
}

/// The limit of open files.
enum Descriptors {
    /// Raises the limit so that `count` connections can be open, or says that it cannot.
    static func allow(_ count: Int) throws {
        let needed = rlim_t(count + 64)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < needed else { return }
        var wanted = rlimit(rlim_cur: max(needed, limit.rlim_max), rlim_max: max(needed, limit.rlim_max))
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 { return }
        throw LoadError(
            "\(count) connections need \(needed) open files, but the limit is \(limit.rlim_cur) and the system does not let this process "
                + "raise it beyond \(limit.rlim_max); ask for fewer clients, or raise the hard limit (ulimit -Hn)"
        )
    }
}
