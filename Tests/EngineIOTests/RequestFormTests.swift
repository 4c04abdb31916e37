// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SocketIOText
import Testing

@testable import EngineIO

/// The forms in which a request may name the engine's path, and the header fields that may be repeated or have one form only.
@Suite struct RequestFormTests {
    private static let query = "?EIO=4&transport=polling"
    private static let webSocket = "/socket.io/?EIO=4&transport=websocket"

    // MARK: Targets

    @Test(arguments: ["http://a.example", "HTTPS://a.example:3000", "ws://a.example", "wss://[::1]:3000", "http://localhost"])
    func `a target in absolute form is the engine's too`(base: String) throws {
        let server = EmbeddedServer(configure: { $0.generateID = { _ in "id" } })
        let client = try server.connect()
        #expect(try client.get("\(base)/socket.io/\(Self.query)&a=b")?.status == 200)
        let handshake = try server.delegate.session("id").handshake
        #expect(handshake.url == "/socket.io/\(Self.query)&a=b" && handshake.query("a") == "b")
        #expect(handshake.header("host") == String(base.drop { $0 != ":" }.dropFirst(3)))
        #expect(try client.post("\(base)/socket.io/?EIO=4&transport=polling&sid=id", "4a")?.status == 200)
        #expect(try server.connect().get("\(base)\(Self.webSocket)&sid=id", headers: RawClient.upgradeHeaders)?.status == 101)
        #expect(try EmbeddedServer().connect().get("\(base)\(Self.webSocket)", headers: RawClient.upgradeHeaders)?.status == 101)
    }

    @Test func `the targets host is the one that counts`() throws {
        let target = "http://a.example\(Self.webSocket)"
        for (origin, status) in [("http://a.example", 101), ("http://localhost", 403)] {
            let client = try EmbeddedServer().connect()
            #expect(try client.get(target, headers: RawClient.upgradeHeaders + ["Origin: \(origin)"])?.status == status)
        }
    }

    @Test(arguments: ["http://", "http:///socket.io/", "http://u@a.example/socket.io/", "ws://a b/socket.io/", "http://a\\b/socket.io/"])
    func `an absolute target without a valid host is refused`(target: String) throws {
        #expect(try EmbeddedServer().connect().get(target + Self.query)?.status == 400)
    }

    @Test func `a request in absolute form still has a Host`() throws {
        #expect(try EmbeddedServer().connect().get("http://a.example/socket.io/\(Self.query)", fields: [])?.status == 400)
    }

    @Test func `other handlers get targets in origin form`() throws {
        final class Fallback: ChannelInboundHandler {
            typealias InboundIn = HTTPServerRequestPart
            typealias OutboundOut = HTTPServerResponsePart
            private var text = ""

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                switch Self.unwrapInboundIn(data) {
                case .head(let head): text = "\(head.uri) \(head.headers["host"])"
                case .body: break
                case .end:
                    let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "\(text.utf8.count)"])
                    context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
                    context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
                    context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
                }
            }
        }
        let client = try EmbeddedServer().connect(fallback: { try $0.pipeline.syncOperations.addHandler(Fallback()) })
        for (target, seen) in [
            ("http://a.example/other?x", "/other?x [\"a.example\"]"), ("http://a.example?x", "/?x [\"a.example\"]"),
            ("http://a.example", "/ [\"a.example\"]"), ("/other", "/other [\"localhost\"]"), ("ftp://a/b", "ftp://a/b [\"localhost\"]"),
        ] {
            let response = try #require(try client.get(target))
            #expect(response.body == seen)
            #expect(response.headers["date"]?.hasSuffix(" GMT") == true)
        }
    }

    // MARK: Paths

    @Test(arguments: [
        ("/socket.io/", true, ["/socket.io/", "/socket.io/a", "/socket.io/a/b"], ["/socket.io", "/socket.iox", "/", "/socket.ix/"]),
        ("/socket.io", false, ["/socket.io", "/socket.io/", "/socket.io/a"], ["/socket.iox", "/socket.i", "/"]),
        ("/a/b", true, ["/a/b/", "/a/b/c"], ["/a/b", "/a/", "/a/bc"]),
        ("/", true, ["/"], ["/a", "/socket.io/"]),
    ])
    func `the path and what is below it are the engine's`(path: String, slash: Bool, served: [String], others: [String]) throws {
        let server = EmbeddedServer(configure: {
            $0.path = path
            $0.addTrailingSlash = slash
        })
        for target in served {
            let client = try server.connect()
            #expect(try client.get(target + Self.query)?.status == 200, "\(target)")
            try server.connect().upgrade("\(target)?EIO=4&transport=websocket")
        }
        for target in others { #expect(try server.connect().get(target + Self.query)?.status == 404, "\(target)") }
    }

    // MARK: Fields

    @Test(arguments: ["/socket.io/" + query, webSocket])
    func `fields that are repeated are joined`(target: String) throws {
        let server = EmbeddedServer(configure: { $0.generateID = { _ in "id" } })
        let client = try server.connect()
        let fields = ["Cookie: a=1; b=2", "Authorization: Basic x", "X-A: 1", "cookie: c=3", "authorization: Basic y", "x-a: 2"]
        _ = try client.get(target, headers: fields + (target == Self.webSocket ? RawClient.upgradeHeaders : []))
        let handshake = try server.delegate.session("id").handshake
        #expect(handshake.header("Cookie") == "a=1; b=2; c=3")
        #expect(handshake.header("Authorization") == "Basic x, Basic y")
        #expect(handshake.header("x-a") == "1, 2")
        #expect(handshake.headers.count { $0.name.utf8.isLowercase("cookie") } == 2)
    }

    @Test func `every answer has the time`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        let answers = try [
            client.get("/socket.io/" + Self.query), client.get("/socket.io/?EIO=4"), client.get("/other"),
            server.connect().get(Self.webSocket, headers: RawClient.upgradeHeaders),
            server.connect().get(Self.webSocket + "&x=%41", headers: RawClient.upgradeHeaders + ["Content-Length: 0"]),
            server.connect().get("/socket.io/", fields: ["no field"]),
        ]
        for answer in answers {
            let date = try #require(answer?.headers["date"], "\(String(describing: answer))")
            #expect(date.wholeMatch(of: /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/) != nil, "\(date)")
        }
    }

    @Test func `a hooks time is the only one`() throws {
        let server = EmbeddedServer(configure: { $0.headers = { _ in [("date", "mine")] } })
        for upgrade in [false, true] {
            let client = try server.connect()
            let target = upgrade ? Self.webSocket : "/socket.io/" + Self.query
            try client.request("GET", target, headers: upgrade ? RawClient.upgradeHeaders : [])
            let text = try #require(try client.channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) })
            #expect(text.lowercased().ranges(of: "date:").count == 1, "\(text)")
        }
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
        (1_796_001_149, "Mon, 30 Nov 2026 01:12:29 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ])
    func `times are written as HTTP wants them`(seconds: Int64, text: String) {
        #expect(HTTPDate.text(seconds) == text)
        var date = HTTPDate()
        date.update(Double(seconds) + 0.9)
        #expect(date.text == text && String(decoding: date.line, as: UTF8.self) == "Date: \(text)\r\n")
    }

    @Test func `a clock that is not set is no harm`() {
        var date = HTTPDate()
        date.update(-86_400)
        #expect(date.text == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
