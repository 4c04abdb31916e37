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
    private let bytes: [UInt8]
    /// Where the client's address starts in `bytes`.
    private let addressStart: Int32
    /// Whether the request came over TLS.
    public let isSecure: Bool
    /// When the request arrived, in seconds since 1970.
    public let issued: Double

    init(head: HTTPRequestHead, remoteAddress: SocketAddress?, isSecure: Bool) {
        var bytes: [UInt8] = []
        let address = remoteAddress?.ipAddress ?? remoteAddress?.pathname ?? ""
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

    /// - Parameter lines: The request line and the header lines in the form of `bytes`.
    init(lines: [UInt8], remoteAddress: SocketAddress?, isSecure: Bool) {
        let address = remoteAddress?.ipAddress ?? remoteAddress?.pathname ?? ""
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.count + address.utf8.count)
        bytes.append(contentsOf: lines)
        self.addressStart = Int32(clamping: bytes.count)
        bytes.append(contentsOf: address.utf8)
        self.bytes = bytes
        self.isSecure = isSecure
        self.issued = WallClock.now()
    }

    /// The client's IP address, or an empty string if the connection has none. Behind a proxy this is the proxy's.
    public var remoteAddress: String { String(decoding: bytes[Int(addressStart)...], as: UTF8.self) }

    /// The method of the request; Engine.IO handshakes are GET.
    public var method: String { String(decoding: requestLine.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self) }

    /// The path and query of the request, as the client sent them.
    public var url: String { String(decoding: requestLine.drop { $0 != UInt8(ascii: " ") }.dropFirst(), as: UTF8.self) }

    /// The query parameters, percent-decoded, in the order of the request.
    public var query: [(name: String, value: String)] { QueryString.parse(url) }

    /// The value of the first query parameter of that name.
    public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// All header fields, in the order of the request.
    public var headers: [(name: String, value: String)] {
        bytes[..<Int(addressStart)].split(separator: UInt8(ascii: "\n")).dropFirst().map { line in
            if let name = line.first.flatMap(HeaderNames.name) { return (name, String(decoding: line.dropFirst(), as: UTF8.self)) }
            let name = line.prefix { $0 != UInt8(ascii: ":") }
            return (String(decoding: name, as: UTF8.self), String(decoding: line.dropFirst(name.count + 1), as: UTF8.self))
        }
    }

    /// The value of the first header field of that name, whatever its case.
    public func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.utf8.isLowercase(wanted) }?.value
    }

    private var requestLine: ArraySlice<UInt8> { bytes.prefix { $0 != UInt8(ascii: "\n") } }
}
