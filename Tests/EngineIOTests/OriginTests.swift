// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import Testing

@testable import EngineIO

/// The same-origin rule of WebSockets.
@Suite struct OriginTests {
    private static let webSocket = "/socket.io/?EIO=4&transport=websocket"

    struct Case: Sendable, CustomStringConvertible {
        let origin: String
        let host: String
        /// Whether it is the same origin for a connection without TLS.
        let plain: Bool
        /// The same with TLS.
        let secure: Bool
        var description: String { "\(origin) → \(host)" }

        init(_ origin: String, _ host: String, plain: Bool, secure: Bool) {
            (self.origin, self.host, self.plain, self.secure) = (origin, host, plain, secure)
        }

        init(_ origin: String, _ host: String, _ isSame: Bool) {
            self.init(origin, host, plain: isSame, secure: isSame)
        }
    }

    static let cases: [Case] = [
        // A page over TLS may have come through a proxy; one without TLS never reaches a server with TLS.
        Case("https://a.example", "a.example", true),
        Case("http://a.example", "a.example", plain: true, secure: false),
        Case("http://a.example:3000", "a.example:3000", plain: true, secure: false),
        Case("https://a.example:3000", "a.example:3000", true),
        // Clients that are not browsers send the URL of the WebSocket.
        Case("ws://a.example:3000", "a.example:3000", plain: true, secure: false),
        Case("ws://a.example", "a.example", plain: true, secure: false),
        Case("wss://a.example", "a.example", true),
        Case("wss://a.example:8443", "a.example:8443", true),
        // The scheme's port, on either side.
        Case("http://a.example", "a.example:80", plain: true, secure: false),
        Case("http://a.example:80", "a.example", plain: true, secure: false),
        Case("ws://a.example", "a.example:80", plain: true, secure: false),
        Case("ws://a.example:80", "a.example", plain: true, secure: false),
        Case("https://a.example", "a.example:443", true),
        Case("https://a.example:443", "a.example", true),
        Case("wss://a.example:443", "a.example", true),
        Case("http://a.example:", "a.example", plain: true, secure: false),
        Case("https://a.example", "a.example:", true),
        Case("https://a.example", "a.example:80", false),
        Case("http://a.example", "a.example:443", false),
        Case("http://a.example:443", "a.example", false),
        Case("https://a.example:80", "a.example", false),
        Case("http://a.example:3000", "a.example", false),
        Case("http://a.example", "a.example:3000", false),
        Case("http://a.example:3000", "a.example:3001", false),
        Case("http://a.example:65536", "a.example:65536", false),
        Case("http://a.example:080", "a.example", plain: true, secure: false),
        Case("http://a.example:000080", "a.example", false),
        Case("http://a.example:+80", "a.example", false),
        // Case.
        Case("HTTPS://A.Example", "a.eXample", true),
        // Hosts that look alike.
        Case("https://a.example.evil.example", "a.example", false),
        Case("https://evil-a.example", "a.example", false),
        Case("https://example", "a.example", false),
        Case("https://a.example.", "a.example", false),
        Case("https://a.example", "a.example.", false),
        Case("https://a.example.", "a.example.", true),
        Case("https://a.example@evil.example", "a.example", false),
        Case("https://evil.example@a.example", "a.example", false),
        Case("https://a.example:443@evil.example", "a.example", false),
        Case("https://a.example:@evil.example", "a.example", false),
        Case("https://a.example/", "a.example", false),
        Case("https://a.example#evil.example", "a.example", false),
        Case("https://a.example?", "a.example", false),
        Case("https://a.example\\evil.example", "a.example", false),
        Case("https://a.example evil.example", "a.example", false),
        Case("https://evil.example, https://a.example", "a.example", false),
        Case("https:a.example", "a.example", false),
        Case("https:///a.example", "a.example", false),
        Case("//a.example", "a.example", false),
        Case("a.example", "a.example", false),
        Case("", "a.example", false),
        // Browsers write names of other scripts in ASCII.
        Case("https://xn--bcher-kva.example", "xn--bcher-kva.example", true),
        Case("https://b\u{FC}cher.example", "xn--bcher-kva.example", false),
        Case("https://\u{430}.example", "a.example", false),
        Case("https://%61.example", "a.example", false),
        // Addresses.
        Case("https://127.0.0.1:3000", "127.0.0.1:3000", true),
        Case("https://127.0.0.1", "localhost", false),
        Case("https://2130706433", "127.0.0.1", false),
        Case("https://[::1]:3000", "[::1]:3000", true),
        Case("https://[::1]", "[::1]:443", true),
        Case("https://[::1]:3000", "[::1]", false),
        Case("https://[::A]", "[::a]", true),
        Case("https://[0:0:0:0:0:0:0:1]", "[::1]", false),
        Case("https://[::1", "[::1", false),
        Case("https://[::1]3000", "[::1]", false),
        Case("https://::1", "::1", false),
        // No host.
        Case("https://", "", false),
        Case("https://:443", ":443", false),
        Case("https://a.example", "", false),
        // Pages that are nowhere, and other schemes.
        Case("null", "a.example", false),
        Case("file://", "a.example", false),
        Case("file://a.example", "a.example", false),
        Case("*", "a.example", false),
        Case("ftp://a.example", "a.example", false),
        Case("httpss://a.example", "a.example", false),
        Case("capacitor://a.example", "a.example", false),
    ]

    @Test(arguments: cases) func `the same origin`(test: Case) {
        let page = WebOrigin(test.origin)
        #expect((page?.isOrigin(of: test.host, isSecure: false) ?? false) == test.plain)
        #expect((page?.isOrigin(of: test.host, isSecure: true) ?? false) == test.secure)
    }

    @Test(arguments: cases.filter { $0.host.utf8.allSatisfy(\.mayStandInHost) && $0.origin.utf8.allSatisfy { $0 < 0x80 } })
    func `a WebSocket of a new session`(test: Case) throws {
        // By itself, and as a second request of its connection, which the HTTP parser reads.
        for requests in [1, 2] {
            let client = try EmbeddedServer().connect()
            if requests == 2 { #expect(try client.get("/other")?.status == 404) }
            let fields = ["Host: \(test.host)", "Origin: \(test.origin)"] + RawClient.upgradeHeaders
            #expect(try client.get(Self.webSocket, fields: fields)?.status == (test.plain ? 101 : 403), "request \(requests)")
        }
    }

    @Test(arguments: ["null", "file://", "*", "capacitor://localhost"])
    func `an origin that is named may connect`(origin: String) throws {
        let server = EmbeddedServer(configure: { $0.cors = EngineCORS(origins: .exactly([origin])) })
        let client = try server.connect()
        #expect(try client.get(Self.webSocket, headers: RawClient.upgradeHeaders + ["Origin: \(origin)"])?.status == 101)
        let polling = try server.connect().get("/socket.io/?EIO=4&transport=polling", headers: ["Origin: \(origin)"])
        #expect(polling?.headers["access-control-allow-origin"] == origin)
    }

    @Test func `two origins are none`() throws {
        let origins = ["Origin: http://localhost", "Origin: https://evil.example"]
        for origins in [origins, origins.reversed()] {
            let client = try EmbeddedServer().connect()
            #expect(try client.get(Self.webSocket, headers: RawClient.upgradeHeaders + origins)?.status == 403)
        }
    }

    @Test func `the origin of an upgrade is checked as well`() throws {
        let server = EmbeddedServer()
        let sid = try server.connect().handshake()
        let target = Self.webSocket + "&sid=" + sid
        #expect(try server.connect().get(target, headers: RawClient.upgradeHeaders + ["Origin: http://evil.example"])?.status == 403)
        #expect(try server.connect().get(target, headers: RawClient.upgradeHeaders + ["Origin: ws://localhost"])?.status == 101)
    }

    // MARK: Behind a proxy

    private func status(_ fields: [String], trusted: Bool = true) throws -> Int? {
        var proxies = TrustedProxies.none
        if trusted { proxies = try TrustedProxies(["127.0.0.0/8"]) }
        let statuses = try [1, 2].map { requests in
            let client = try EmbeddedServer(configure: { $0.trustedProxies = proxies }).connect()
            if requests == 2 { #expect(try client.get("/other")?.status == 404) }
            return try client.get(Self.webSocket, fields: ["Host: backend:3000"] + fields + RawClient.upgradeHeaders)?.status
        }
        #expect(statuses[0] == statuses[1])
        return statuses[0]
    }

    @Test(arguments: [
        ["X-Forwarded-Host: a.example", "X-Forwarded-Proto: https"], ["X-Forwarded-Host: a.example"],
        ["X-Forwarded-Host: a.example, backend"], ["Forwarded: for=192.0.2.1;host=a.example;proto=https"],
        ["Forwarded: host=\"a.example:443\""], ["forwarded: For=\"[2001:db8::1]:47011\";Proto=https;Host=a.example, for=10.0.0.1"],
        ["X-Forwarded-Host: other.example", "Forwarded: host=a.example"],
    ])
    func `the host that a trusted proxy names is one of the server's`(fields: [String]) throws {
        #expect(try status(fields + ["Origin: https://a.example"]) == 101)
        #expect(try status(fields + ["Origin: https://a.example"], trusted: false) == 403)
        #expect(try status(fields + ["Origin: https://evil.example"]) == 403)
        #expect(try status(fields + ["Origin: https://a.example.evil.example"]) == 403)
        // What the client asked this server for remains one.
        #expect(try status(fields + ["Origin: https://backend:3000"]) == 101)
    }

    @Test func `a page without TLS is another one if the client uses TLS`() throws {
        let host = "X-Forwarded-Host: a.example"
        #expect(try status([host, "Origin: http://a.example"]) == 101)
        #expect(try status([host, "X-Forwarded-Proto: https", "Origin: http://a.example"]) == 403)
        #expect(try status([host, "Forwarded: proto=https", "Origin: http://a.example"]) == 403)
        // An inner proxy says http, as TLS ended before.
        #expect(try status([host, "X-Forwarded-Proto: http", "Origin: https://a.example"]) == 101)
    }
}
