// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1

extension HTTPRequestHead {
    /// Turns a target in absolute form, such as `http://host/path`, into one in origin form. The target's host replaces the field `Host`
    /// (RFC 9112, section 3.2.2).
    ///
    /// Such requests are sent to proxies, but a server has to accept them as well. Targets of other forms and schemes stay as they are.
    ///
    /// - Returns: Whether the target, if it is absolute, names a host.
    mutating func resolveAbsoluteForm() -> Bool {
        guard uri.utf8.first != UInt8(ascii: "/"), method != .CONNECT, let start = Self.authorityStart(in: uri) else { return true }
        let rest = uri.utf8[start...]
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        // Names of users are an error here (RFC 9110, section 4.2.4).
        guard !authority.isEmpty, authority.allSatisfy(\.mayStandInHost) else { return false }
        let path = String(Substring(rest[authority.endIndex...]))
        headers.replaceOrAdd(name: "Host", value: String(Substring(authority)))
        uri = path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
        return true
    }

    /// Where the authority begins in a URL of the schemes that requests for this server may have; nil if it is not one.
    private static func authorityStart(in uri: String) -> String.UTF8View.Index? {
        let scheme = uri.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard ["http", "https", "ws", "wss"].contains(where: { scheme.isLowercase($0) }) else { return nil }
        let rest = uri.utf8[scheme.endIndex...]
        return rest.starts(with: "://".utf8) ? uri.utf8.index(scheme.endIndex, offsetBy: 3) : nil
    }

    /// The path without the query.
    var path: Substring {
        Substring(uri.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
    }

    /// Whether the query has the parameter that all clients of Engine.IO send.
    var looksLikeEngineIO: Bool {
        guard let start = uri.utf8.firstIndex(of: UInt8(ascii: "?")) else { return false }
        let query = uri.utf8[start...].dropFirst()
        return query.starts(with: "EIO=".utf8) || query.split(separator: UInt8(ascii: "&")).contains { $0.starts(with: "EIO=".utf8) }
    }
}
