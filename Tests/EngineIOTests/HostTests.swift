// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SocketIOText
import Testing

@testable import EngineIO

/// Whom a request is for, where it ends, and what its names are made of.
@Suite struct HostTests {
    private static let polling = "/socket.io/?EIO=4&transport=polling"
    private static let webSocket = "/socket.io/?EIO=4&transport=websocket"

    private func answer(_ target: String, _ fields: [String], version: String = "1.1", body: String = "") throws -> (
        RawClient.Response?, Bool
    ) {
        let client = try EmbeddedServer().connect()
        try client.send(Array(("GET \(target) HTTP/\(version)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body).utf8))
        return (try client.response(), client.isOpen)
    }

    @Test(arguments: [polling, webSocket, "/other"])
    func `a request names one host`(target: String) throws {
        let more = target == Self.webSocket ? RawClient.upgradeHeaders : []
        for hosts in [[], ["Host: a", "Host: b"], ["Host: a", "host: a"], ["Host: a b"], ["Host: a/b"], ["Host: u@a"], ["Host: \u{E9}"]] {
            #expect(try answer(target, hosts + more).0?.status == 400, "\(hosts)")
        }
        let status = target == Self.webSocket ? 101 : target == Self.polling ? 200 : 404
        for host in ["localhost:3000", "[::1]:80", "a_b.example", ""] {
            #expect(try answer(target, ["Host: \(host)"] + more).0?.status == status, "\(host)")
        }
    }

    @Test func `version 1 point 0 has no need of one`() throws {
        #expect(try answer(Self.polling, [], version: "1.0").0?.status == 200)
        #expect(try answer(Self.polling, ["Host: a", "Host: b"], version: "1.0").0?.status == 400)
    }

    @Test(arguments: [["Content-Length: 3"], ["Transfer-Encoding: chunked"], ["Content-Length: 0000003"]])
    func `a handshake with a body is refused`(fields: [String]) throws {
        let body = fields[0].hasPrefix("C") ? "abc" : "0\r\n\r\n"
        let (response, isOpen) = try answer(Self.webSocket, ["Host: a"] + RawClient.upgradeHeaders + fields, body: body)
        #expect(response?.status == 400 && !isOpen)
        #expect(try answer(Self.webSocket, ["Host: a"] + RawClient.upgradeHeaders + ["Content-Length: 0"]).0?.status == 101)
    }

    @Test func `half a request when the server shuts down is not answered`() throws {
        let client = try EmbeddedServer().connect()
        #expect(try client.get("/other")?.status == 404)
        try client.send(Array("GET /other HTTP/1.1\r\nHo".utf8))
        client.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        client.channel.embeddedEventLoop.run()
        #expect(!client.isOpen)
        #expect(try client.response() == nil)
    }

    @Test(arguments: ["A b: c", "\u{E9}: c", "(a): c", "a\u{0}: c", "A: b\u{0}c", "A: b\u{1}c", "A: \u{7F}", ": c", "A\t: c"])
    func `a field that is not one is refused`(field: String) throws {
        #expect(try answer(Self.webSocket, ["Host: a"] + RawClient.upgradeHeaders + [field]).0?.status == 400)
        #expect(try answer(Self.polling, ["Host: a", field]).0?.status == 400)
    }
}

/// What is compared by its bytes.
@Suite struct EngineNameTests {
    /// Quadratic to normalise: the second half is sorted before the first.
    private static let marks = String(repeating: "\u{301}\u{323}", count: 15_000)

    private func percent(_ text: String) -> String { text.utf8.map { "%" + String($0, radix: 16) }.joined() }

    @Test func `a session is found by the bytes of its id`() throws {
        let server = EmbeddedServer(configure: { $0.generateID = { _ in "Jos\u{E9}" } })
        let client = try server.connect()
        #expect(try client.handshake().utf8.count == 5)
        let target = "/socket.io/?EIO=4&transport=polling&sid="
        #expect(try client.post(target + percent("Jose\u{301}"), "4a")?.status == 400)
        #expect(try client.post(target + percent("Jos\u{E9}"), "4a")?.status == 200)
    }

    @Test func `ids that nobody can have are not looked for`() throws {
        let plain = EmbeddedServer()
        let sid = try plain.connect().handshake()
        for id in [sid + "x", String(sid.dropLast()), String(repeating: "x", count: 5000)] {
            #expect(try plain.connect().post("/socket.io/?EIO=4&transport=polling&sid=" + id, "4a")?.status == 400)
        }
        for length in [0, 129] {
            let server = EmbeddedServer(configure: { $0.generateID = { _ in String(repeating: "x", count: length) } })
            #expect(try server.connect().get("/socket.io/?EIO=4&transport=polling")?.status == 400)
            let client = try server.connect()
            try client.request("GET", "/socket.io/?EIO=4&transport=websocket", headers: RawClient.upgradeHeaders)
            #expect(try client.response()?.status == 400 && server.engine.clientsCount == 0)
        }
        let longest = EmbeddedServer(configure: { $0.generateID = { _ in String(repeating: "x", count: 128) } })
        try longest.connect().openWebSocket()
    }

    @Test(arguments: ["transport=", "transport=polling&sid=", "transport=polling&EIO=", "transport=polling&EIO=4&"])
    func `a query made for it costs no more than any other`(before: String) throws {
        func time(_ text: String) throws -> Duration {
            let client = try EmbeddedServer(configure: {
                $0.limits.headerBytes = 1 << 20
                $0.generateID = { _ in "x" }
            }).connect()
            let target = "/socket.io/?" + before + percent(text)
            return try ContinuousClock().measure { _ = try client.get(target) }
        }
        _ = try time("warm")
        let plain = try time(String(repeating: "abcd", count: 15_000))
        #expect(try time(Self.marks) < plain * 4 + .milliseconds(200))
    }

    @Test func `fields made for it cost no more than any other`() throws {
        func time(_ text: String) throws -> Duration {
            let server = EmbeddedServer(configure: {
                $0.limits.headerBytes = 1 << 20
                $0.httpCompressionThreshold = 1
                $0.cors = EngineCORS(origins: .exactly(["https://a.example"]))
            })
            let client = try server.connect()
            let names = ["Origin", "Accept-Encoding", "Expect", "Connection", "If-None-Match", "Cookie", "Content-Type"]
            let upgrading = try server.connect()
            let handshake = RawClient.upgradeHeaders.dropLast() + ["Sec-WebSocket-Key: \(text)"]
            return try ContinuousClock().measure {
                for name in names { _ = try client.get("/socket.io/?EIO=4&transport=polling", headers: ["\(name): \(text)"]) }
                #expect(try upgrading.get("/socket.io/?EIO=4&transport=websocket", headers: Array(handshake)) != nil)
            }
        }
        _ = try time("warm")
        let plain = try time(String(repeating: "abcd", count: 15_000))
        #expect(try time(Self.marks) < plain * 4 + .milliseconds(200))
    }

    @Test func `a file is found by the bytes of its path, and known by those of its tag`() {
        let file = StaticFile(bytes: ByteBuffer(string: "text"), contentType: "text/plain")
        func get(_ tag: String) -> HTTPResponse.Status {
            let fields: HTTPFields = [.ifNoneMatch: tag]
            return file.response(to: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/", headerFields: fields)).head.status
        }
        let tag = file.response(to: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")).head.headerFields[.eTag] ?? ""
        #expect(get(tag) == .notModified && get("\"x\" , W/\(tag)") == .notModified && get("*") == .notModified)
        #expect(get(tag + "\u{301}") == .ok && get("\"x\"") == .ok)
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP;q=1", true), ("br, gzip ; q=0.5", true), ("*", true), ("gzip;q=0", false), ("gzip; q=0.000", false),
        ("br", false), ("", false),
    ])
    func `which coding is accepted`(value: String, isAccepted: Bool) {
        #expect(ContentCoding.acceptsGzip([value]) == isAccepted)
    }
}
