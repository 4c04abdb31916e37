// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The proxies whose forwarding headers are trusted: who the client is, and for which host and over which scheme it asked.
///
/// ```swift
/// configuration.engine.trustedProxies = try TrustedProxies(["10.0.0.0/8", "fd00::/8"])
/// ```
///
/// Any client can send these fields, so they count only on connections that one of these addresses opened:
///
/// - **The client's address**, from the field that ``addressField`` names: the rightmost address that is not one of these proxies, since
///   each proxy appends the address that it saw. Everything to the left of it was supplied by the client and is ignored.
/// - **Host and scheme**, for the same-origin rule of WebSockets: `Forwarded` (`host`, `proto`), `X-Forwarded-Host` and
///   `X-Forwarded-Proto`, beside `Host`. No browser lets a page set these on a WebSocket, so it does not matter which of them the proxy
///   sets.
///
/// Without a proxy, leave it empty. List only the proxies themselves, never networks that clients connect from.
public struct TrustedProxies: Sendable, Hashable {
    /// The header field that names the client's address.
    public struct AddressField: Sendable, Hashable {
        fileprivate enum Kind { case xForwardedFor, forwarded }
        fileprivate let kind: Kind

        /// `X-Forwarded-For`, which most proxies and load balancers send.
        public static let xForwardedFor = AddressField(kind: .xForwardedFor)
        /// `Forwarded` (RFC 7239), with its parameter `for`.
        ///
        /// The first proxy must replace the field that the client sends, or add a field of its own. If it adds to the client's field, a client
        /// can make that invalid, with a quote that it does not close, and its address is then not known: that of the proxy stands for it. A
        /// warning in the log says so, once an hour.
        public static let forwarded = AddressField(kind: .forwarded)
    }

    private let networks: [IPNetwork]
    /// The header field that names the client's address. The other one is not read for that: a proxy that sets one of them passes the other
    /// on as the client sent it.
    public let addressField: AddressField

    /// No proxy is trusted.
    public static let none = TrustedProxies()

    /// No proxy is trusted.
    public init() {
        networks = []
        addressField = .xForwardedFor
    }

    /// Trusts the proxies with these addresses.
    ///
    /// - Parameters:
    ///   - addresses: IP addresses of version 4 and 6, and networks in CIDR notation, such as `10.0.0.0/8`. `0.0.0.0/0` and `::/0`
    ///     trust every peer; use them only if nothing but the proxies can reach the server.
    ///   - addressField: The field in which these proxies send the client's address. They must set it or add to it. Default
    ///     `X-Forwarded-For`.
    /// - Throws: ``EngineConfigurationError``, which names the first address that is invalid.
    public init(_ addresses: [String], addressField: AddressField = .xForwardedFor) throws(EngineConfigurationError) {
        var networks: [IPNetwork] = []
        for address in addresses {
            do throws(IPNetwork.Problem) {
                networks.append(try IPNetwork(address))
            } catch {
                throw EngineConfigurationError(property: "trustedProxies", problem: "names \(QuotedText(address)), which \(error.text)")
            }
        }
        self.networks = networks
        self.addressField = addressField
    }

    /// Whether no proxy is trusted.
    public var isEmpty: Bool { networks.isEmpty }

    /// Whether this is the IP address of a trusted proxy.
    public func contains(_ address: String) -> Bool {
        guard !networks.isEmpty, let address = IPAddress(address) else { return false }
        return contains(address)
    }

    func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    /// How many hops are looked at, from the right. A client can send any number of them, which must not cost more than those of proxies.
    static let mostHops = 32

    /// The address of the client of a request, as ``IPAddress`` writes it.
    ///
    /// - Parameters:
    ///   - peer: The address that opened the connection.
    ///   - fields: Returns the values of the header fields of a name, which is in lower case, in their order.
    /// - Returns: nil if that is the peer's, as far as is known.
    func client(of peer: String, _ fields: (String) -> [String]) -> String? {
        guard !networks.isEmpty, contains(peer) else { return nil }
        var client: IPAddress?
        func isProxy(_ hop: IPAddress?) -> Bool {
            // The address is hidden or invalid, so the sender of everything before it is unknown too.
            guard let hop else { return false }
            client = hop
            return contains(hop)
        }
        switch addressField.kind {
        case .xForwardedFor: ForwardedHop.visit(fields("x-forwarded-for"), atMost: Self.mostHops, while: isProxy)
        case .forwarded:
            var left = Self.mostHops
            for field in fields("forwarded").reversed() where left > 0 {
                let elements = ForwardedElement.parse(field).suffix(left)
                left -= elements.count
                guard elements.reversed().allSatisfy({ isProxy($0?.client.flatMap { ForwardedHop.address($0) }) }) else { break }
            }
        }
        return client?.description
    }

    /// Whether the address of a client is not known because of a field `Forwarded` that is not valid.
    ///
    /// - Parameters:
    ///   - client: What ``client(of:_:)`` has returned, or the peer's address.
    ///   - fields: Returns the values of the field.
    func isHidden(_ client: String, byInvalid fields: () -> [String]) -> Bool {
        guard !networks.isEmpty, case .forwarded = addressField.kind, contains(client) else { return false }
        return fields().contains { ForwardedElement.parse($0).contains { $0 == nil } }
    }
}
