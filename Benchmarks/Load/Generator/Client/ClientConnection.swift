// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// One client of a server.
final class ClientConnection {
    enum Phase { case idle, connecting, upgrading, opening, joining, ready, closed }

    /// The position among the swarm's clients.
    let index: Int
    let server: ServerURL
    var file: Int32 = -1
    var phase = Phase.idle
    /// What has been received of a message that is not complete yet.
    var leftover = Bytes()
    /// What waits to be written.
    var output = Bytes()
    /// Whether the last connection was in the namespace when it ended.
    var wasReady = false
    /// Whether ``output`` waits for the end of this round of the loop.
    var isDirty = false
    var waitsToWrite = false
    var isReading = true
    var began: UInt64 = 0
    /// The size of the kernel's receive buffer; nil lets the kernel choose.
    var receiveBuffer: Int32?
    /// For connection state recovery; nil if the client does not want it.
    var recovery: RecoveryPosition?

    init(index: Int, server: ServerURL) {
        self.index = index
        self.server = server
    }

    deinit {
        leftover.deallocate()
        output.deallocate()
    }
}

/// Where a server is.
struct ServerURL {
    let address: Address
    let path: String

    /// - Parameter text: `http://HOST:PORT` or `ws://HOST:PORT`, with Engine.IO's path if it is not `/socket.io/`.
    init(_ text: String) throws {
        var rest = Substring(text)
        guard let scheme = rest.firstRange(of: "://") else { throw LoadError("\(text): not a URL; write http://HOST:PORT") }
        guard ["http", "ws"].contains(rest[..<scheme.lowerBound]) else { throw LoadError("\(text): only http and ws are supported") }
        rest = rest[scheme.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash].split(separator: ":", maxSplits: 1)
        guard let host = authority.first else { throw LoadError("\(text): no host") }
        guard let port = authority.count == 2 ? UInt16(authority[1]) : 80 else { throw LoadError("\(text): no port") }
        address = try Address(host: String(host), port: port)
        path = slash == rest.endIndex || rest[slash...] == "/" ? "/socket.io/" : String(rest[slash...])
    }

    /// A handshake as a browser sends it: ten header fields.
    var upgradeRequest: String {
        """
        GET \(path)?EIO=4&transport=websocket HTTP/1.1\r
        Host: \(address.host):\(address.port)\r
        Connection: Upgrade\r
        Pragma: no-cache\r
        Cache-Control: no-cache\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r
        Upgrade: websocket\r
        Sec-WebSocket-Version: 13\r
        Accept-Encoding: gzip, deflate, br, zstd\r
        Accept-Language: en-GB,en;q=0.9\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        \r

        """
    }
}
