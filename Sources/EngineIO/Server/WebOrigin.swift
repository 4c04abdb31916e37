// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The origin of a page, as far as the same-origin rule looks at it (RFC 6454, section 4).
///
/// Texts are compared as they are written, apart from the case of ASCII letters: browsers write a host in one way only, both in `Origin`
/// and in `Host`. So `example.com.` and `example.com` are two hosts, as they are for browsers, and so are two spellings of an address of
/// version 6.
struct WebOrigin {
    /// Whether the scheme is one over TLS.
    let isSecure: Bool
    private let authority: HostAndPort

    /// Parses the value of `Origin`; nil if it is not an origin of `http`, `https`, `ws` or `wss`. Clients that are not browsers often send
    /// the URL of the WebSocket; no browser has pages of the last two.
    init?(_ text: String) {
        let scheme = text.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard text.utf8[scheme.endIndex...].starts(with: "://".utf8) else { return nil }
        if scheme.isLowercase("https") || scheme.isLowercase("wss") {
            isSecure = true
        } else if scheme.isLowercase("http") || scheme.isLowercase("ws") {
            isSecure = false
        } else {
            return nil
        }
        guard let authority = HostAndPort(text.utf8[scheme.endIndex...].dropFirst(3)) else { return nil }
        self.authority = authority
    }

    /// Whether a request for `host`, which may have a port, goes where the page came from.
    ///
    /// - Parameters:
    ///   - host: The value of `Host`.
    ///   - isSecure: Whether the request is known to have used TLS. If not, a proxy may have ended TLS, so that the page's scheme counts.
    func isOrigin(of host: String, isSecure: Bool) -> Bool {
        guard self.isSecure || !isSecure, let asked = HostAndPort(host.utf8[...]) else { return false }
        let standard = self.isSecure ? 443 : 80
        return authority.hasHost(of: asked) && (authority.port ?? standard) == (asked.port ?? standard)
    }
}

/// A host with or without port, as in `Host` and `Origin`.
private struct HostAndPort {
    private let host: Substring.UTF8View
    /// nil if it is left out.
    let port: Int?

    init?(_ text: Substring.UTF8View) {
        var end = text.endIndex
        if text.first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            end = text.index(after: bracket)
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            end = colon
        }
        host = text[..<end]
        guard !host.isEmpty, host.allSatisfy(\.mayStandInHost) else { return nil }
        let rest = text[end...]
        let digits = rest.dropFirst()
        guard rest.isEmpty || rest.first == UInt8(ascii: ":"), digits.count <= 5 else { return nil }
        guard digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        // `host:` has the scheme's port.
        port = digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        if let port, !(0...65_535).contains(port) { return nil }
    }

    func hasHost(of other: HostAndPort) -> Bool {
        func lowercased(_ byte: UInt8) -> UInt8 { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte }
        return host.count == other.host.count && zip(host, other.host).allSatisfy { lowercased($0) == lowercased($1) }
    }
}
