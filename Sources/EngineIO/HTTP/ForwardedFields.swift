// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// What trusted proxies say about the host and the scheme that a client asked for.
struct ForwardedRequest {
    /// The hosts that the client may have asked for, with their ports, beside `Host`.
    let hosts: [String]
    /// Whether the client uses TLS. false means that no proxy says so: an inner proxy often overwrites what an outer one said.
    let isSecure: Bool

    /// - Parameters:
    ///   - peer: The address that opened the connection.
    ///   - proxies: The trusted proxies. nil is returned if the peer is none of them.
    ///   - fields: Returns the values of the header fields of a name, which is in lower case, in their order.
    init?(from peer: String, trusting proxies: TrustedProxies, _ fields: (String) -> [String]) {
        guard proxies.contains(peer) else { return nil }
        // The proxy that the client sees comes first.
        let elements = fields("forwarded").flatMap { ForwardedElement.parse($0) }
        let schemes = [Self.first(in: fields("x-forwarded-proto")), elements.lazy.compactMap { $0?.scheme }.first]
        hosts = [Self.first(in: fields("x-forwarded-host")), elements.lazy.compactMap { $0?.host }.first].compactMap { $0 }
        isSecure = schemes.contains { scheme in
            guard let scheme else { return false }
            return scheme.utf8.isLowercase("https") || scheme.utf8.isLowercase("wss")
        }
    }

    private static func first(in values: [String]) -> String? {
        guard let element = values.first?.utf8.prefix(while: { $0 != UInt8(ascii: ",") }) else { return nil }
        return element.trimmed.isEmpty ? nil : String(Substring(element.trimmed))
    }
}

/// The hops of a request.
enum ForwardedHop {
    /// Parses an address that may have a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; nil for everything else.
    static func address(_ node: some StringProtocol) -> IPAddress? {
        var text = Substring(node)
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let rest = text.utf8[text.utf8.index(after: end)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { return nil }
            text = Substring(text.utf8[..<end].dropFirst())
            guard text.utf8.contains(UInt8(ascii: ":")) else { return nil }
        } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
            text = Substring(text.utf8.prefix { $0 != UInt8(ascii: ":") })
        }
        return IPAddress(text)
    }

    /// Visits the hops of `X-Forwarded-For` from the right, the last proxy's first; nil for each that is not an address. Empty elements of the
    /// list do not count.
    ///
    /// - Parameters:
    ///   - values: The values of the fields.
    ///   - limit: How many elements are looked at, empty ones as well.
    ///   - wantsMore: Whether the next one is to be visited. What is further left is not looked at.
    static func visit(_ values: [String], atMost limit: Int, while wantsMore: (IPAddress?) -> Bool) {
        var left = limit
        for value in values.reversed() {
            var rest = value.utf8[...]
            while !rest.isEmpty, left > 0 {
                left -= 1
                let start = rest.lastIndex(of: UInt8(ascii: ",")).map { rest.index(after: $0) }
                let element = rest[(start ?? rest.startIndex)...].trimmed
                if !element.isEmpty, !wantsMore(address(Substring(element))) { return }
                rest = start.map { rest[..<rest.index(before: $0)] } ?? rest[..<rest.startIndex]
            }
        }
    }
}

/// An element of `Forwarded` (RFC 7239, section 4), which one proxy has added.
struct ForwardedElement {
    /// The parameter `for`.
    private(set) var client: String?
    private(set) var host: String?
    /// The parameter `proto`.
    private(set) var scheme: String?

    /// The elements of a field, in their order. One that is not valid has a nil: what it says may belong to any proxy or to the client.
    static func parse(_ value: String) -> [ForwardedElement?] {
        var parser = Parser(bytes: Array(value.utf8))
        return parser.elements() ?? [nil]
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        mutating func elements() -> [ForwardedElement]? {
            var elements: [ForwardedElement] = []
            repeat {
                guard let element = element() else { return nil }
                elements.append(element)
            } while skip(UInt8(ascii: ","))
            return position == bytes.count ? elements : nil
        }

        private mutating func element() -> ForwardedElement? {
            var element = ForwardedElement()
            repeat {
                skipBlanks()
                let name = token()
                // Empty pairs and elements are allowed.
                if name.isEmpty { continue }
                guard skip(UInt8(ascii: "=")), let value = next(UInt8(ascii: "\"")) ? quoted() : String(decoding: token(), as: UTF8.self)
                else { return nil }
                if name.isLowercase("for") { element.client = value }
                if name.isLowercase("host") { element.host = value }
                if name.isLowercase("proto") { element.scheme = value }
                skipBlanks()
            } while skip(UInt8(ascii: ";"))
            return element
        }

        /// Proxies write hosts and addresses with ports without quotes, too, although they should not.
        private mutating func token() -> ArraySlice<UInt8> {
            let start = position
            while position < bytes.count, bytes[position].isTokenByte || bytes[position].mayStandInAddress { position += 1 }
            return bytes[start..<position]
        }

        private mutating func quoted() -> String? {
            var text: [UInt8] = []
            position += 1
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                if bytes[position] == UInt8(ascii: "\\") { position += 1 }
                guard position < bytes.count else { return nil }
                text.append(bytes[position])
                position += 1
            }
            return skip(UInt8(ascii: "\"")) ? String(decoding: text, as: UTF8.self) : nil
        }

        private func next(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }

        private mutating func skip(_ byte: UInt8) -> Bool {
            guard next(byte) else { return false }
            position += 1
            return true
        }

        private mutating func skipBlanks() {
            while next(UInt8(ascii: " ")) || next(UInt8(ascii: "\t")) { position += 1 }
        }
    }
}

extension UInt8 {
    fileprivate var mayStandInAddress: Bool {
        self == UInt8(ascii: ":") || self == UInt8(ascii: "[") || self == UInt8(ascii: "]")
    }

    /// Whether tokens are made of this (RFC 9110, section 5.6.2).
    var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
