// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import Testing

@testable import EngineIO

@Suite struct CORSTests {
    private static let target = "/socket.io/?EIO=4&transport=polling"
    private static let evil = "Origin: https://evil.example"

    @Test func `other origins are not allowed by default`() throws {
        let client = try EmbeddedServer().connect()
        let response = try #require(try client.get(Self.target, headers: [Self.evil]))
        #expect(response.headers["access-control-allow-origin"] == nil)
        try client.request("OPTIONS", Self.target, headers: [Self.evil, "Access-Control-Request-Method: POST"])
        let preflight = try #require(try client.response())
        #expect(preflight.status == 204 && !preflight.headers.keys.contains { $0.hasPrefix("access-control") })
    }

    @Test(arguments: [
        "https://example.com.evil.example", "https://evilexample.com", "http://example.com", "https://example.com:8443", "null",
        "https://example.com/", "HTTPS://EXAMPLE.COM", "",
    ])
    func `origins are compared exactly`(origin: String) throws {
        let server = EmbeddedServer(configure: { $0.cors = EngineCORS(origins: .exactly(["https://example.com"])) })
        let response = try #require(try server.connect().get(Self.target, headers: ["Origin: \(origin)"]))
        #expect(response.headers["access-control-allow-origin"] == nil)
        #expect(response.headers["vary"] == "Origin")
        let upgrade = try server.connect().get(
            "/socket.io/?EIO=4&transport=websocket",
            headers: RawClient.upgradeHeaders + ["Origin: \(origin)"]
        )
        #expect(upgrade?.status == 403)
    }

    @Test func `an allowed origin is named`() throws {
        let server = EmbeddedServer(configure: {
            var cors = EngineCORS(origins: .exactly(["https://example.com"]))
            cors.credentials = true
            cors.exposedHeaders = ["X-A"]
            $0.cors = cors
        })
        let client = try server.connect()
        let response = try #require(try client.get(Self.target, headers: ["Origin: https://example.com"]))
        #expect(response.headers["access-control-allow-origin"] == "https://example.com")
        #expect(response.headers["access-control-allow-credentials"] == "true")
        #expect(response.headers["access-control-expose-headers"] == "X-A")
        // Errors can be read as well.
        let error = try client.get("/socket.io/?EIO=4&transport=polling&sid=zzz", headers: ["Origin: https://example.com"])
        #expect(error?.headers["access-control-allow-origin"] == "https://example.com")
        let webSocket = try server.connect()
        let upgrade = try webSocket.get(
            "/socket.io/?EIO=4&transport=websocket",
            headers: RawClient.upgradeHeaders + ["Origin: https://example.com"]
        )
        #expect(upgrade?.status == 101)
    }

    @Test func `any origin is a star only without credentials`() throws {
        let open = EmbeddedServer(configure: { $0.cors = EngineCORS(origins: .any) })
        #expect(try open.connect().get(Self.target)?.headers["access-control-allow-origin"] == "*")
        let credentials = EmbeddedServer(configure: {
            $0.cors = EngineCORS(origins: .any)
            $0.cors?.credentials = true
        })
        let response = try credentials.connect().get(Self.target, headers: [Self.evil])
        #expect(response?.headers["access-control-allow-origin"] == "https://evil.example")
        #expect(response?.headers["vary"] == "Origin")
    }

    @Test func `preflights are answered before the session is looked at`() throws {
        let server = EmbeddedServer(configure: {
            $0.cors = EngineCORS(origins: .matching { $0.hasSuffix("//evil.example") })
            $0.cors?.maxAge = .seconds(600)
        })
        let client = try server.connect()
        let headers = [Self.evil, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-a,x-b"]
        try client.request("OPTIONS", Self.target + "&sid=unknown", headers: headers)
        let response = try #require(try client.response())
        #expect(response.status == 204)
        #expect(response.headers["access-control-allow-methods"] == "GET,POST")
        #expect(response.headers["access-control-allow-headers"] == "x-a,x-b")
        #expect(response.headers["access-control-max-age"] == "600")
    }

    @Test(arguments: [("http://localhost", 101), ("https://localhost", 101), ("http://localhost:81", 403), ("null", 403)])
    func `pages of the same host may open a WebSocket`(origin: String, status: Int) throws {
        let client = try EmbeddedServer().connect()
        let headers = RawClient.upgradeHeaders + ["Origin: \(origin)"]
        #expect(try client.get("/socket.io/?EIO=4&transport=websocket", headers: headers)?.status == status)
    }
}
