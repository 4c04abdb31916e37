// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import EngineIO

/// Handshakes that are answered without an HTTP parser, and those that must not be.
@Suite struct PlainHandshakeTests {
    private static let target = "/socket.io/?EIO=4&transport=websocket"
    private static let fields = ["Host: 127.0.0.1", "User-Agent: test"] + RawClient.upgradeHeaders

    private static func request(_ target: String = target, _ fields: [String] = fields, ending: String = "\r\n") -> String {
        "GET \(target) HTTP/1.1\r\n" + fields.map { "\($0)\r\n" }.joined() + ending
    }

    private func isPlain(_ request: String, maximumFields: Int = 100) -> Bool {
        var lines: [UInt8] = []
        return Array(request.utf8).withUnsafeBytes { bytes in
            PlainHandshake(bytes, path: Array("/socket.io/".utf8), maximumFields: maximumFields, lines: &lines) != nil
        }
    }

    @Test(arguments: [
        request(),
        request("/socket.io/?transport=websocket&EIO=4"),
        request("/socket.io/?EIO=4&transport=websocket&token=a%20b+c&t=&x"),
        request(
            target,
            [
                "host:localhost", "upgrade: WebSocket", "CONNECTION: keep-alive, Upgrade", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: a, b",
                "Origin: http://localhost", "Cookie: a=b; c=d", "X-Empty:",
            ]
        ),
    ]
    )
    func `Usual handshakes are plain`(request: String) {
        #expect(isPlain(request))
        #expect(!isPlain(String(request.dropLast(2))))
        #expect(!isPlain(request + "x"))
    }

    @Test(arguments: [
        request("/socket.io/?EIO=4&transport=polling"),
        request("/socket.io/?EIO=3&transport=websocket"),
        request("/socket.io/?EIO=4&transport=websocket&transport=polling"),
        request("/socket.io/?EIO=4&EIO=4&transport=websocket"),
        request("/socket.io/?EIO=4&transport=websocket&sid=x"),
        request("/socket.io/?EIO=4&transport=websocket&s%69d=x"),
        request("/socket.io/?EIO=4&transport=websocket&j=0"),
        request("/socket.io/?EIO=4&transport=websocket#x"),
        request("/socket.io/?EIO=4"), request("/socket.io/"), request("/socket.io?EIO=4&transport=websocket"), request("/"),
        request(target, []), request(target, Array(fields.dropLast())), request(target, ["Upgrade: websocket"] + fields),
        request(target, fields + ["Host: other"]), request(target, fields + ["Sec-WebSocket-Key: other"]),
        request(target, fields + ["Content-Length: 0"]), request(target, fields + ["Transfer-Encoding: chunked"]),
        request(target, fields + ["Expect: 100-continue"]), request(target, fields + [" folded"]), request(target, fields + ["A : b"]),
        request(target, fields + ["A: b "]), request(target, fields + ["A:  b"]), request(target, fields + ["A: \u{e4}"]),
        request(target, fields + ["A: \u{1}"]), request(target, fields + ["A"]), request(target, fields + [": b"]),
        request(target, fields + ["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"]),
        request(target, fields + ["Sec-WebSocket-Protocol: a/b"]), request(target, Array(fields.dropLast()) + ["Sec-WebSocket-Key: x"]),
        request("http://127.0.0.1/socket.io/?EIO=4&transport=websocket"), request("/socket.io/x?EIO=4&transport=websocket"),
        request(target, fields + ["A: b\nC: d"]), request().replacing("HTTP/1.1", with: "HTTP/1.0"),
        request().replacing("GET", with: "PUT"), request().replacing("Version: 13", with: "Version: 8"), "", "GET",
    ]
    )
    func `What is in doubt is left to the HTTP pipeline`(request: String) {
        #expect(!isPlain(request))
    }

    @Test
    func `Fields are counted`() {
        #expect(isPlain(Self.request(), maximumFields: 6))
        #expect(!isPlain(Self.request(), maximumFields: 5))
    }

    @Test
    func `The handshake that is kept is the same as that of the HTTP pipeline`() {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: Self.target)
        let fields = Self.fields + ["x-own: 1", "cookie: a=b"]
        for field in fields {
            let parts = field.split(separator: ": ", maxSplits: 1)
            head.headers.add(name: String(parts[0]), value: String(parts[1]))
        }
        let address = "10.0.0.1"
        let parsed = EngineHandshake(head: head, from: address, isSecure: false, trusting: .none)
        var lines: [UInt8] = []
        let request = Array(Self.request(Self.target, fields).utf8)
        _ = request.withUnsafeBytes { PlainHandshake($0, path: Array("/socket.io/".utf8), maximumFields: 100, lines: &lines) }
        let plain = EngineHandshake(lines: lines, from: address, isSecure: false, trusting: .none)
        #expect(plain.method == parsed.method && plain.url == parsed.url && plain.remoteAddress == parsed.remoteAddress)
        #expect(plain.headers.map(\.name) == parsed.headers.map(\.name))
        #expect(plain.headers.map(\.value) == parsed.headers.map(\.value))
    }

    @Test
    func `A handshake in two pieces gets the same answer, wherever it is cut`() throws {
        let request = Array(Self.request().utf8)
        for cut in 1..<request.count {
            let client = try EmbeddedServer().connect()
            try client.send(Array(request[..<cut]))
            try client.send(Array(request[cut...]))
            let response = try #require(try client.response())
            #expect(response.status == 101 && response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "\(cut)")
            guard case .text(let open)? = try client.frame() else { return #expect(Bool(false), "no open packet, cut at \(cut)") }
            #expect(open.hasPrefix("0{"))
            try client.sendText("2")
            #expect(client.isOpen)
        }
    }

    @Test
    func `Hooks, cookie and CORS add their fields to the answer, and other origins are refused`() throws {
        let server = EmbeddedServer { configuration in
            configuration.cookie = EngineCookie(name: "io")
            configuration.cors = EngineCORS(origins: .exactly(["https://a.example"]))
            configuration.headers = { _ in [("X-All", "1")] }
            configuration.initialHeaders = { [("X-First", $0.header("user-agent") ?? "")] }
        }
        let client = try server.connect()
        try client.send(Array(Self.request(Self.target, Self.fields + ["Origin: https://a.example"]).utf8))
        let response = try #require(try client.response())
        #expect(response.status == 101)
        #expect(response.headers["x-all"] == "1" && response.headers["x-first"] == "test")
        #expect(response.headers["access-control-allow-origin"] == "https://a.example")
        #expect(response.headers["set-cookie"]?.hasPrefix("io=") == true)
        let other = try server.connect()
        try other.send(Array(Self.request(Self.target, Self.fields + ["Origin: https://b.example"]).utf8))
        #expect(try other.response()?.status == 403)
    }

    @Test(arguments: ["", "GET /socket.io/?", "GE"]
    )
    func `A connection that sends nothing, or only the beginning of a request, ends after the header timeout`(beginning: String) throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        if !beginning.isEmpty { try client.send(Array(beginning.utf8)) }
        server.advance(9)
        #expect(client.isOpen)
        server.advance(2)
        #expect(!client.isOpen)
    }

    @Test
    func `Sessions beyond the limit and after the beginning of the shutdown are refused as ever`() throws {
        let server = EmbeddedServer { $0.limits.sessions = 1 }
        try server.connect().openWebSocket()
        let client = try server.connect()
        try client.send(Array(Self.request().utf8))
        #expect(try client.response()?.status == 503)
    }

    @Test
    func `generateID is asked once for each handshake, also if its id is in use or the server is full`() throws {
        let calls = Mutex(0)
        let server = EmbeddedServer {
            $0.generateID = { _ in
                calls.withLock { $0 += 1 }
                return "the same"
            }
        }
        try server.connect().openWebSocket()
        #expect(calls.withLock { $0 } == 1)
        let client = try server.connect()
        try client.send(Array(Self.request().utf8))
        let refused = try #require(try client.response())
        #expect(refused.status == 400 && refused.body.contains("Bad request"))
        #expect(calls.withLock { $0 } == 2)
        #expect(try server.connect().get("/socket.io/?EIO=4&transport=polling")?.status == 400)
        #expect(calls.withLock { $0 } == 3)
    }
}
