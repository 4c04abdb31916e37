// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SocketIOCore
import Synchronization
import Testing

@testable import EngineIO

/// Requests to the engine's path that are wrong, and the options that decide which are right.
@Suite struct RequestTests {
    struct Case: Sendable, CustomStringConvertible {
        var method = "GET"
        var target: String
        var headers: [String] = []
        var status = 400
        var body: String
        var description: String { "\(method) \(target) \(headers)" }
    }

    private static let unknownTransport = "{\"code\":0,\"message\":\"Transport unknown\"}"
    private static let unknownSID = "{\"code\":1,\"message\":\"Session ID unknown\"}"
    private static let badMethod = "{\"code\":2,\"message\":\"Bad handshake method\"}"
    private static let badRequest = "{\"code\":3,\"message\":\"Bad request\"}"
    private static let unsupported = "{\"code\":5,\"message\":\"Unsupported protocol version\"}"

    static let cases: [Case] = [
        Case(target: "/socket.io/?transport=polling", body: unsupported),
        Case(target: "/socket.io/?EIO=abc&transport=polling", body: unsupported),
        Case(target: "/socket.io/?EIO=3&transport=polling", body: unsupported),
        Case(target: "/socket.io/?EIO=4&transport=polling&j=0", body: unsupported),
        Case(target: "/socket.io/?EIO=4", body: unknownTransport),
        Case(target: "/socket.io/", body: unknownTransport),
        Case(target: "/socket.io/?EIO=4&transport=abc", body: unknownTransport),
        Case(target: "/socket.io/?EIO=4&transport=__proto__", body: unknownTransport),
        Case(target: "/socket.io/?EIO=4&transport=webtransport", body: unknownTransport),
        Case(method: "POST", target: "/socket.io/?EIO=4&transport=polling", body: badMethod),
        Case(method: "PUT", target: "/socket.io/?EIO=4&transport=polling", body: badMethod),
        Case(method: "PUT", target: "/socket.io/?EIO=4&transport=polling&sid=x", body: badMethod),
        Case(method: "DELETE", target: "/socket.io/?EIO=4&transport=polling", body: badMethod),
        Case(target: "/socket.io/?EIO=4&transport=polling&sid=zzz", body: unknownSID),
        Case(target: "/socket.io/?EIO=4&transport=polling&sid=%00%ff", body: unknownSID),
        Case(target: "/socket.io/?EIO=4&transport=polling&sid=__proto__", body: unknownSID),
        Case(method: "POST", target: "/socket.io/?EIO=4&transport=polling&sid=zzz", body: unknownSID),
        Case(target: "/socket.io/?EIO=4&transport=websocket", body: badRequest),
        Case(target: "/socket.io/?EIO=4&transport=websocket&sid=zzz", body: badRequest),
        Case(target: "/socket.io/?EIO=4&transport=polling", headers: RawClient.upgradeHeaders, body: badRequest),
        Case(target: "/socket.io/?EIO=5&transport=websocket", headers: RawClient.upgradeHeaders, body: unsupported),
        Case(target: "/socket.io/?EIO=4&transport=abc", headers: RawClient.upgradeHeaders, body: unknownTransport),
        Case(target: "/socket.io/?EIO=4&transport=websocket&sid=zzz", headers: RawClient.upgradeHeaders, body: unknownSID),
        Case(
            target: "/socket.io/?EIO=4&transport=websocket",
            headers: ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
            body: badRequest
        ),
        Case(
            target: "/socket.io/?EIO=4&transport=websocket",
            headers: [
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ],
            body: badRequest
        ),
        Case(
            target: "/socket.io/?EIO=4&transport=websocket",
            headers: RawClient.upgradeHeaders + ["Origin: https://evil.example"],
            status: 403,
            body: "{\"code\":4,\"message\":\"Forbidden\"}"
        ),
        Case(target: "/other", status: 404, body: "Not found\n"),
        Case(target: "/socket.io", status: 404, body: "Not found\n"),
        Case(target: "/socket.io/socket.io.js", body: unknownTransport),
    ]

    @Test(arguments: cases) func `wrong requests are answered as the reference does`(test: Case) throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.request(test.method, test.target, headers: test.headers)
        let response = try #require(try client.response())
        #expect(response.status == test.status)
        #expect(response.body == test.body)
        #expect(response.headers["content-type"]?.hasPrefix(test.status == 404 ? "text/plain" : "application/json") == true)
        #expect(server.engine.clientsCount == 0 && server.events.isEmpty)
        // The decoder reads nothing after a request for an upgrade; all other connections go on.
        #expect(client.isOpen == test.headers.isEmpty)
    }

    @Test func `head is refused without a body`() throws {
        let client = try EmbeddedServer().connect()
        try client.request("HEAD", "/socket.io/?EIO=4&transport=polling")
        // A client knows that nothing follows the answer to HEAD; this one is told the length as well.
        #expect(try client.channel.readAllOutbound().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    // MARK: Options

    @Test(arguments: [("/chat", true, "/chat/"), ("chat/", false, "/chat"), ("/", true, "/"), ("/a/b/", true, "/a/b/")])
    func `the path is normalised`(path: String, slash: Bool, served: String) throws {
        let server = EmbeddedServer(configure: {
            $0.path = path
            $0.addTrailingSlash = slash
        })
        #expect(try server.connect().get("\(served)?EIO=4&transport=polling")?.status == 200)
    }

    @Test func `transports that are not offered are unknown`() throws {
        let server = EmbeddedServer(configure: { $0.transports = [.websocket] })
        #expect(try server.connect().get("/socket.io/?EIO=4&transport=polling")?.body == Self.unknownTransport)
        try server.connect().openWebSocket()
        let pollingOnly = EmbeddedServer(configure: { $0.transports = [.polling] })
        #expect(try pollingOnly.connect().get("/socket.io/?EIO=4&transport=polling")?.body.contains("\"upgrades\":[]") == true)
    }

    @Test func `the cookie is set once and as configured`() throws {
        var cookie = EngineCookie()
        cookie.maxAge = .seconds(60)
        cookie.secure = true
        let server = EmbeddedServer(configure: {
            $0.cookie = cookie
            $0.generateID = { _ in "id" }
        })
        let client = try server.connect()
        let response = try client.get("/socket.io/?EIO=4&transport=polling")
        #expect(response?.headers["set-cookie"] == "io=id; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax")
        #expect(try client.post("/socket.io/?EIO=4&transport=polling&sid=id", "4a")?.headers["set-cookie"] == nil)
    }

    @Test func `header hooks see what they should`() throws {
        let server = EmbeddedServer(configure: {
            $0.initialHeaders = { [("X-Initial", $0.header("User-Agent") ?? "")] }
            $0.headers = { [("X-Method", $0.method)] }
        })
        let client = try server.connect()
        let first = try #require(try client.get("/socket.io/?EIO=4&transport=polling", headers: ["User-Agent: test"]))
        #expect(first.headers["x-initial"] == "test" && first.headers["x-method"] == "GET")
        let sid = try client.handshake()
        let second = try #require(try client.post("/socket.io/?EIO=4&transport=polling&sid=\(sid)", "4a"))
        #expect(second.headers["x-initial"] == nil && second.headers["x-method"] == "POST")
        let webSocket = try server.connect()
        let upgrade = try webSocket.get("/socket.io/?EIO=4&transport=websocket", headers: RawClient.upgradeHeaders + ["User-Agent: ws"])
        #expect(upgrade?.headers["x-initial"] == "ws")
    }

    @Test func `every refusal is reported`() throws {
        let seen = Mutex<[EngineConnectionError]>([])
        let server = EmbeddedServer(configure: { $0.connectionError = { error in seen.withLock { $0.append(error) } } })
        let client = try server.connect()
        _ = try client.get("/socket.io/?EIO=4&transport=abc", headers: ["X-A: b"])
        _ = try client.get("/socket.io/?EIO=4&transport=polling&sid=zzz")
        let errors = seen.withLock { $0 }
        #expect(errors.map(\.code) == [.unknownTransport, .unknownSID])
        #expect(errors.first?.request.header("x-a") == "b")
        #expect(errors.last?.request.query("sid") == "zzz")
    }

    @Test func `an ID that is in use is refused`() throws {
        let server = EmbeddedServer(configure: { $0.generateID = { _ in "same" } })
        #expect(try server.connect().get("/socket.io/?EIO=4&transport=polling")?.status == 200)
        #expect(try server.connect().get("/socket.io/?EIO=4&transport=polling")?.body == Self.badRequest)
        #expect(server.engine.clientsCount == 1)
    }

    @Test func `more sessions than allowed are refused`() throws {
        let server = EmbeddedServer(configure: { $0.limits.sessions = 2 })
        for status in [200, 200, 503] {
            #expect(try server.connect().get("/socket.io/?EIO=4&transport=polling")?.status == status)
        }
    }

    @Test func `a storm of unknown sessions is logged once`() throws {
        let recorder = LogRecorder()
        let server = EmbeddedServer(logger: recorder.logger(.warning))
        let client = try server.connect()
        for index in 0..<50 { _ = try client.get("/socket.io/?EIO=4&transport=polling&sid=\(index)") }
        #expect(recorder.lines.map { $0.message.contains("sticky sessions") } == [true])
    }

    @Test func `other paths below the engines have a responder`() throws {
        let server = EmbeddedServer(configure: {
            let file = StaticFile(bytes: ByteBuffer(string: String(repeating: "x", count: 2000)), contentType: "text/javascript")
            $0.responder = { $0.path == "/socket.io/socket.io.js" ? file.response(to: $0) : nil }
        })
        let client = try server.connect()
        let first = try #require(try client.get("/socket.io/socket.io.js"))
        #expect(first.status == 200 && first.body.count == 2000)
        let tag = try #require(first.headers["etag"])
        #expect(try client.get("/socket.io/socket.io.js", headers: ["If-None-Match: W/\(tag)"])?.status == 304)
        let compressed = try client.get("/socket.io/socket.io.js", headers: ["Accept-Encoding: br, gzip"])
        #expect(compressed?.headers["content-encoding"] == "gzip")
        #expect(try client.get("/socket.io/other.js")?.body == Self.unknownTransport)
    }

    // MARK: The handshake as the application sees it

    @Test func `the handshake is parsed on demand`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let target = "/socket.io/?EIO=4&transport=polling&a=b%20c&d=%zz+e&f&a=second"
        let body = try #require(try client.get(target, headers: ["Cookie: x=1", "X-Empty:", "cookie: y=2"])).body
        let sid = String(try #require(body.split(separator: "\"").dropFirst(3).first))
        let handshake = try server.delegate.session(sid).handshake
        #expect(handshake.url == target && handshake.method == "GET" && !handshake.isSecure)
        #expect(handshake.query("a") == "b c" && handshake.query("d") == "%zz e" && handshake.query("f") == "")
        #expect(handshake.header("COOKIE") == "x=1; y=2" && handshake.header("x-empty") == "" && handshake.header("none") == nil)
        #expect(handshake.headers.filter { $0.name.lowercased() == "cookie" }.map(\.value) == ["x=1", "y=2"])
        #expect(handshake.issued > 1_700_000_000)
    }
}

extension EmbeddedChannel {
    fileprivate func readAllOutbound() throws -> String {
        var text = ""
        while let buffer = try readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }
}
