// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import SocketIOConcurrency
import SocketIOText

/// The HTTP request that opened a session.
///
/// An idle connection keeps it as one block of bytes; headers and query are parsed when they are asked for.
public struct EngineHandshake: Sendable {
    /// The request line and the header lines, each ended by a line feed, then the client's address. A line starts with the byte that
    /// ``HeaderNames`` has for its name, or with the name and a colon.
    private var bytes: [UInt8]
    /// Where the client's address starts in `bytes`.
    private let addressStart: Int32
    /// Whether the request came over TLS.
    public let isSecure: Bool
    /// When the request arrived, in seconds since 1970.
    public let issued: Double

    /// - Parameters:
    ///   - head: The request.
    ///   - address: The address that opened the connection.
    ///   - isSecure: Whether the connection is one over TLS.
    ///   - proxies: The proxies whose header fields are believed.
    init(head: HTTPRequestHead, from address: String, isSecure: Bool, trusting proxies: TrustedProxies) {
        var bytes: [UInt8] = []
        let address = Self.address(of: head, from: address, trusting: proxies)
        let codes = head.headers.map { HeaderNames.code(of: $0.name) }
        let size = zip(head.headers, codes).reduce(head.uri.utf8.count + address.utf8.count + 16) { size, field in
            size + (field.1 == nil ? field.0.name.utf8.count + 1 : 1) + field.0.value.utf8.count + 1
        }
        bytes.reserveCapacity(min(size, 1 << 16))
        bytes.append(contentsOf: head.method.rawValue.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: head.uri.utf8)
        bytes.append(UInt8(ascii: "\n"))
        for ((name, value), code) in zip(head.headers, codes) {
            if let code {
                bytes.append(code)
            } else {
                bytes.append(contentsOf: name.utf8)
                bytes.append(UInt8(ascii: ":"))
            }
            bytes.append(contentsOf: value.utf8)
            bytes.append(UInt8(ascii: "\n"))
        }
        self.addressStart = Int32(clamping: bytes.count)
        bytes.append(contentsOf: address.utf8)
        self.bytes = bytes
        self.isSecure = isSecure
        self.issued = WallClock.now()
    }

    /// - Parameters:
    ///   - lines: The request line and the header lines in the form of `bytes`.
    ///   - address: The address that opened the connection.
    ///   - isSecure: Whether the connection is one over TLS.
    ///   - proxies: The proxies whose header fields are believed.
    init(lines: [UInt8], from address: String, isSecure: Bool, trusting proxies: TrustedProxies) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.count + address.utf8.count)
        bytes.append(contentsOf: lines)
        self.addressStart = Int32(clamping: bytes.count)
        bytes.append(contentsOf: address.utf8)
        self.bytes = bytes
        self.isSecure = isSecure
        self.issued = WallClock.now()
        if !proxies.isEmpty, let client = proxies.client(of: address, values) {
            self.bytes.removeSubrange(Int(addressStart)...)
            self.bytes.append(contentsOf: client.utf8)
        }
    }

    /// The address of a request's client.
    static func address(of head: HTTPRequestHead, from peer: String, trusting proxies: TrustedProxies) -> String {
        proxies.isEmpty ? peer : proxies.client(of: peer) { head.headers[$0] } ?? peer
    }

    /// The client's IP address, or an empty string if the connection has none. Behind a proxy this is the proxy's, unless
    /// ``EngineConfiguration/trustedProxies`` has it: then it is the address that the proxy names.
    ///
    /// One address has one text, so that texts can be compared: addresses of version 6 are written as RFC 5952 says (`2001:db8::1`), and those
    /// of version 4 as such, also if they came in the form `::ffff:192.0.2.1`.
    public var remoteAddress: String { String(decoding: bytes[Int(addressStart)...], as: UTF8.self) }

    /// The method of the request; Engine.IO handshakes are GET.
    public var method: String { String(decoding: requestLine.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self) }

    /// The path and query of the request, as the client sent them; without scheme and host if it sent those too.
    public var url: String { String(decoding: requestLine.drop { $0 != UInt8(ascii: " ") }.dropFirst(), as: UTF8.self) }

    /// The query parameters, percent-decoded, in the order of the request.
    public var query: [(name: String, value: String)] { QueryString.parse(url) }

    /// The value of the first query parameter of that name.
    public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// All header fields, in the order of the request.
    public var headers: [(name: String, value: String)] {
        lines.map { line in
            if let name = line.first.flatMap(HeaderNames.name) { return (name, String(decoding: line.dropFirst(), as: UTF8.self)) }
            let name = line.prefix { $0 != UInt8(ascii: ":") }
            return (String(decoding: name, as: UTF8.self), String(decoding: line.dropFirst(name.count + 1), as: UTF8.self))
        }
    }

    /// The header lines.
    private var lines: some Sequence<ArraySlice<UInt8>> {
        bytes[..<Int(addressStart)].split(separator: UInt8(ascii: "\n")).dropFirst()
    }

    /// The value of the header field of that name, whatever its case.
    ///
    /// Several fields of one name are joined: cookies by `; ` and all others by `, ` (RFC 9110, section 5.3). So a field that must not be
    /// repeated, such as `Authorization`, has a value then that no check accepts.
    public func header(_ name: String) -> String? {
        let values = values(name.lowercased())
        return values.count > 1 ? values.joined(separator: Self.separator(name)) : values.first
    }

    /// The values of the header fields of a name, which is in lower case.
    func values(_ name: String) -> [String] {
        lines.compactMap { line in
            let value: ArraySlice<UInt8>
            if let known = line.first.flatMap(HeaderNames.name) {
                guard known.utf8.isLowercase(name) else { return nil }
                value = line.dropFirst()
            } else {
                guard line.prefix(while: { $0 != UInt8(ascii: ":") }).isLowercase(name) else { return nil }
                value = line.dropFirst(name.utf8.count + 1)
            }
            return String(decoding: value, as: UTF8.self)
        }
    }

    /// What several header fields of a name are joined by.
    package static func separator(_ name: String) -> String { name.utf8.isLowercase("cookie") ? "; " : ", " }

    private var requestLine: ArraySlice<UInt8> { bytes.prefix { $0 != UInt8(ascii: "\n") } }
}
