// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import Testing

@testable import EngineIO

@Suite struct TrustedProxiesTests {
    private static let polling = "/socket.io/?EIO=4&transport=polling"

    // MARK: Addresses

    @Test(arguments: [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::a00:1", ""]),
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.4"]),
        ("10.1.2.3/32", ["10.1.2.3"], ["10.1.2.2"]),
        ("192.168.128.0/17", ["192.168.128.1", "192.168.255.255"], ["192.168.127.255"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::1"]),
        ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]),
        ("fd00::/8", ["fd00::", "fdff:ffff::1"], ["fe00::", "fc00::1"]),
        ("2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::"]),
        ("2001:db8:0:8000::/49", ["2001:db8:0:ffff::"], ["2001:db8:0:7fff::"]),
        ("2001:db8::8000:0:0:0/65", ["2001:db8:0:0:ffff::"], ["2001:db8:0:0:7fff::"]),
        ("::ffff:10.0.0.0/104", ["10.9.9.9", "::ffff:10.9.9.9"], ["11.0.0.0"]),
        ("::/0", ["::", "ffff::"], ["10.0.0.1"]),
    ])
    func `networks have their addresses`(network: String, inside: [String], outside: [String]) throws {
        let proxies = try TrustedProxies([network])
        for address in inside { #expect(proxies.contains(address), "\(address)") }
        for address in outside { #expect(!proxies.contains(address), "\(address)") }
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/+8", "10.0.0/8", "10.0.0.256", "10.0.0.1/8",
        "localhost", "10.0.0.1:80", "[::1]", "::1/129", "fd00::1/8", "::ffff:10.0.0.0/95", "fe80::1%eth0", "10.0.0.0/8 ", " 10.0.0.1",
        "10.0.0.1\u{0}", "1\u{660}.0.0.1", "0x0a.0.0.1", "012.0.0.1",
    ])
    func `what is not an address or a network is refused`(text: String) {
        #expect {
            try TrustedProxies(["10.0.0.1", text])
        } throws: { error in
            (error as? EngineConfigurationError)?.property == "trustedProxies"
        }
    }

    @Test func `none is trusted by default`() throws {
        #expect(EngineConfiguration().trustedProxies == .none && TrustedProxies.none.isEmpty && !TrustedProxies.none.contains("127.0.0.1"))
        #expect(try TrustedProxies([]).isEmpty && !TrustedProxies(["::1"]).isEmpty)
    }

    // MARK: The client's address

    /// A client behind two proxies, 10.0.0.2 in front of 10.0.0.1, which opened the connection.
    private func client(_ field: TrustedProxies.AddressField, peer: String = "10.0.0.1", _ values: String...) throws -> String? {
        let name = field == .forwarded ? "forwarded" : "x-forwarded-for"
        let proxies = try TrustedProxies(["10.0.0.0/24", "fd00::/8"], addressField: field)
        return proxies.client(of: peer) { $0 == name ? values : ["203.0.113.66"] }
    }

    @Test func `the rightmost address that is not a proxy's is the client's`() throws {
        #expect(try client(.xForwardedFor, "192.0.2.1") == "192.0.2.1")
        #expect(try client(.xForwardedFor, "192.0.2.1, 10.0.0.2") == "192.0.2.1")
        #expect(try client(.xForwardedFor, "192.0.2.1", "10.0.0.2") == "192.0.2.1")
        #expect(try client(.xForwardedFor, "192.0.2.1:4711,10.0.0.2:80") == "192.0.2.1")
        #expect(try client(.xForwardedFor, "[2001:db8::1]:4711, fd00::2") == "2001:db8::1")
        #expect(try client(.xForwardedFor, "2001:db8::1") == "2001:db8::1")
        #expect(try client(.xForwardedFor, ", ,192.0.2.1,") == "192.0.2.1")
        // The client is in the proxies' network.
        #expect(try client(.xForwardedFor, "10.0.0.9, 10.0.0.2") == "10.0.0.9")
    }

    @Test func `what a client sends by itself is not believed`() throws {
        #expect(try client(.xForwardedFor, "203.0.113.66, 192.0.2.1, 10.0.0.2") == "192.0.2.1")
        #expect(try client(.xForwardedFor, "10.0.0.9, 192.0.2.1") == "192.0.2.1")
        for address in ["unknown", "_hidden", "192.0.2.1 10.0.0.1", "<script>", "192.0.2", "[192.0.2.1]", "[::1", "192.0.2.1\u{301}"] {
            #expect(try client(.xForwardedFor, "203.0.113.66, \(address)") == nil, "\(address)")
            #expect(try client(.xForwardedFor, "203.0.113.66, \(address), 10.0.0.2") == "10.0.0.2", "\(address)")
        }
        #expect(try client(.xForwardedFor, peer: "192.0.2.9", "203.0.113.66") == nil)
        #expect(try client(.xForwardedFor, peer: "", "203.0.113.66") == nil)
        #expect(try client(.xForwardedFor) == nil)
        #expect(TrustedProxies.none.client(of: "10.0.0.1") { _ in ["203.0.113.66"] } == nil)
    }

    @Test func `the standard field names the client's address`() throws {
        #expect(try client(.forwarded, "for=192.0.2.1") == "192.0.2.1")
        #expect(try client(.forwarded, "For=203.0.113.66, for=192.0.2.1;proto=https , for=10.0.0.2;by=10.0.0.1") == "192.0.2.1")
        #expect(try client(.forwarded, "for=\"[2001:db8::1]:4711\";host=a.example", "for=10.0.0.2") == "2001:db8::1")
        #expect(try client(.forwarded, "for=\"192.0.2.1:80\"") == "192.0.2.1" && client(.forwarded, "for=192.0.2.1:80") == "192.0.2.1")
        #expect(try client(.forwarded, "for=unknown, for=10.0.0.2") == "10.0.0.2")
        #expect(try client(.forwarded, "for=203.0.113.66, proto=https") == nil)
        // A quote that the client opens must not swallow what the proxy adds.
        #expect(try client(.forwarded, "for=203.0.113.66;by=\", for=192.0.2.1") == nil)
        #expect(try client(.forwarded, "for=\"203.0.113.66", "for=192.0.2.1") == "192.0.2.1")
        for value in ["for", "for=\"", "for=\"a\\", "=a", "for=192.0.2.1 x", "for=(192.0.2.1)"] {
            #expect(try client(.forwarded, "for=203.0.113.66, \(value)") == nil, "\(value)")
        }
    }

    @Test(arguments: [TrustedProxies.AddressField.xForwardedFor, .forwarded])
    func `of a long list only the right end is looked at`(field: TrustedProxies.AddressField) throws {
        func list(_ proxies: Int) -> String {
            let elements = ["192.0.2.1"] + Array(repeating: "10.0.0.2", count: proxies)
            return elements.map { field == .forwarded ? "for=\($0)" : $0 }.joined(separator: ",")
        }
        #expect(try client(field, list(31)) == "192.0.2.1")
        #expect(try client(field, list(32)) == "10.0.0.2")
        let fields = list(20)
        #expect(try client(field, list(10), String(fields.dropFirst(list(0).utf8.count + 1))) == "192.0.2.1")
        #expect(try client(field, fields, fields) == "192.0.2.1")
        // Commas alone are not free either.
        #expect(try client(.xForwardedFor, "192.0.2.1" + String(repeating: ",", count: 100)) == nil)
    }

    @Test(arguments: [
        ("::ffff:203.0.113.7", "203.0.113.7"), ("::FFFF:cb00:7107", "203.0.113.7"), ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0::1", "2001:db8::1"), ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("::192.0.2.1", "::c000:201"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("255.255.255.255", "255.255.255.255"),
    ])
    func `an address has one text`(written: String, text: String) throws {
        #expect(try client(.xForwardedFor, written) == text)
        #expect(IPAddress(text)?.description == text)
    }

    @Test func `so has the address of the connection`() throws {
        for (written, text) in [("::ffff:203.0.113.7", "203.0.113.7"), ("2001:DB8:0::1", "2001:db8::1"), ("192.0.2.1", "192.0.2.1")] {
            let address: SocketAddress? = try SocketAddress(ipAddress: written, port: 1)
            #expect(address.host == text)
        }
        let path: SocketAddress? = try SocketAddress(unixDomainSocketPath: "/tmp/a")
        #expect(path.host == "/tmp/a" && SocketAddress?.none.host == "")
    }

    // MARK: In a server

    @Test(arguments: [polling, "/socket.io/?EIO=4&transport=websocket"])
    func `the handshake has the client's address`(target: String) throws {
        let fields = ["X-Forwarded-For: 203.0.113.66, 192.0.2.1"] + (target == Self.polling ? [] : RawClient.upgradeHeaders)
        for (trusted, address) in [(["127.0.0.1"], "192.0.2.1"), ([], "127.0.0.1"), (["10.0.0.0/8"], "127.0.0.1")] {
            let proxies = try TrustedProxies(trusted)
            let server = EmbeddedServer(configure: {
                $0.trustedProxies = proxies
                $0.generateID = { _ in "id" }
            })
            let client = try server.connect()
            _ = try client.get(target, headers: fields)
            let handshake = try server.delegate.session("id").handshake
            #expect(handshake.remoteAddress == address)
            #expect(handshake.header("x-forwarded-for") == "203.0.113.66, 192.0.2.1")
        }
    }
}
