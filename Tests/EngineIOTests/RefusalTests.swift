// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import Logging
import MetricsTestKit
import NIOCore
import NIOHTTP1
import Testing

@testable import EngineIO

/// Refusals can be seen: in the log, in the metrics.
@Suite struct RefusalTests {
    private static let polling = "/socket.io/?EIO=4&transport=polling"
    private static let webSocket = "/socket.io/?EIO=4&transport=websocket"

    struct Case: Sendable, CustomStringConvertible {
        var target: String
        var headers: [String] = []
        let reason: String
        /// A part of the cure.
        let cure: String
        var level = Logger.Level.notice
        var metadata: [String: String] = [:]
        var description: String { "\(target) \(headers)" }
    }

    private static let evil = "Origin: https://evil.example"

    static let cases: [Case] = [
        Case(
            target: webSocket,
            headers: RawClient.upgradeHeaders + [evil],
            reason: "origin",
            cure: "proxy_set_header Host $http_host",
            metadata: ["origin": "\"https://evil.example\"", "host": "\"localhost\""]
        ),
        Case(
            target: polling,
            headers: [evil],
            reason: "cors",
            cure: "EngineConfiguration.cors",
            metadata: ["origin": "\"https://evil.example\""]
        ),
        Case(
            target: "/ws/?EIO=4&transport=polling",
            reason: "unknown_path",
            cure: "option `path`",
            metadata: ["path": "\"/ws/\"", "expected": "/socket.io/"]
        ),
        Case(target: "/socket.io/?EIO=4&transport=abc", reason: "unknown_transport", cure: "option `transports`"),
        Case(target: "/socket.io/?EIO=3&transport=polling", reason: "unsupported_protocol_version", cure: "client of Socket.IO 3 or 4"),
        Case(target: polling + "&sid=x", reason: "unknown_sid", cure: "sticky sessions", level: .warning),
        Case(target: webSocket, reason: "websocket_handshake", cure: "proxy_set_header Upgrade"),
        Case(
            target: webSocket,
            headers: Array(RawClient.upgradeHeaders.dropLast()),
            reason: "websocket_handshake",
            cure: "Sec-WebSocket-Key"
        ),
        Case(target: polling, headers: ["Content-Length: 9999999"], reason: "payload_too_large", cure: "maxHTTPBufferSize"),
        Case(target: polling, headers: ["Host: b"], reason: "bad_request", cure: "Host"),
    ]

    private func server(_ recorder: LogRecorder, _ metrics: TestMetrics, level: Logger.Level = .debug) -> EmbeddedServer {
        EmbeddedServer(logger: recorder.logger(level), metrics: EngineMetrics(factory: metrics))
    }

    @Test(arguments: cases)
    func `each cause is logged once with its cure, and every case counted`(test: Case) throws {
        let (recorder, metrics) = (LogRecorder(), TestMetrics())
        let server = server(recorder, metrics)
        for _ in 0..<20 { try server.connect().request("GET", test.target, headers: test.headers) }
        let lines = recorder.lines(test.level)
        #expect(lines.count == 1, "\(lines)")
        #expect(lines.first?.message.contains(test.cure) == true, "\(lines)")
        #expect(lines.first?.metadata["address"] == "\"127.0.0.1\"")
        for (key, value) in test.metadata { #expect(lines.first?.metadata[key] == value) }
        #expect(recorder.lines(.debug).count { $0.message == "request refused" } == 20)
        #expect(try metrics.expectCounter("engineio_requests_refused_total", [("reason", test.reason)]).totalValue == 20)
    }

    @Test func `what an application refuses is logged with it`() async throws {
        let recorder = LogRecorder()
        try await TestServer.with(
            configure: { $0.allowRequest = { _ in .reject("no\nthanks") } },
            logger: recorder.logger()
        ) { server in
            let statuses = try await RawClient.with(server.port) { client in
                [try await client.get(Self.polling).status, try await client.get(Self.polling).status]
            }
            #expect(statuses == [403, 403])
        }
        #expect(recorder.lines(.notice).map { $0.message.contains("EngineConfiguration.allowRequest") } == [true])
        #expect(recorder.lines(.debug).last { $0.message == "request refused" }?.metadata["message"] == "\"no\\nthanks\"")
    }

    @Test func `each origin is a cause, but not without end`() throws {
        let recorder = LogRecorder()
        let server = server(recorder, TestMetrics(), level: .info)
        for index in 0..<200 {
            for _ in 0..<2 { _ = try server.connect().get(Self.polling, headers: ["Origin: https://\(index).example"]) }
        }
        // Eight origins have a line each; all others share one.
        #expect(recorder.lines.count == 9)
        _ = try server.connect().get(Self.polling, headers: ["Origin: https://" + String(repeating: "x", count: 5000)])
        #expect(recorder.lines.allSatisfy { $0.metadata["origin"].map { $0.utf8.count < 200 } ?? false })
    }

    @Test func `no number of origins and paths suppresses other causes`() throws {
        let recorder = LogRecorder()
        let server = server(recorder, TestMetrics(), level: .info)
        for index in 0..<100 {
            try server.connect().request("OPTIONS", Self.polling, headers: ["Origin: https://\(index).example"])
            _ = try server.connect().get("/\(index)?EIO=4")
        }
        #expect(recorder.lines.count == 18)
        _ = try server.connect().get(Self.polling + "&sid=x")
        #expect(recorder.lines(.warning).map { $0.message.contains("sticky sessions") } == [true])
        _ = try server.connect().get("/socket.io/?EIO=4&transport=abc")
        #expect(recorder.lines.last?.message.contains("option `transports`") == true)
    }

    @Test func `a preflight is logged, and only the handshake counted`() throws {
        let (recorder, metrics) = (LogRecorder(), TestMetrics())
        let server = server(recorder, metrics, level: .info)
        for _ in 0..<20 { try server.connect().request("OPTIONS", Self.polling, headers: [Self.evil]) }
        #expect(recorder.lines(.notice).count == 1)
        #expect(try metrics.expectCounter("engineio_requests_refused_total", [("reason", "cors")]).totalValue == 0)
        _ = try server.connect().get(Self.polling, headers: [Self.evil])
        #expect(try metrics.expectCounter("engineio_requests_refused_total", [("reason", "cors")]).totalValue == 1)
    }

    /// Answers every request with one status.
    private final class Application: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let status: HTTPResponseStatus

        init(_ status: HTTPResponseStatus) { self.status = status }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = Self.unwrapInboundIn(data) else { return }
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: ["Content-Length": "0"])
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    @Test(arguments: [(200, 0), (404, 1), (400, 0)])
    func `a request that an application answers has another path only if it does not know it either`(status: Int, refused: Int) throws {
        let (recorder, metrics) = (LogRecorder(), TestMetrics())
        let server = server(recorder, metrics, level: .info)
        let client = try server.connect {
            try $0.pipeline.syncOperations.addHandler(Application(HTTPResponseStatus(statusCode: status)))
        }
        #expect(try client.get("/api?EIO=4")?.status == status)
        #expect(try client.get("/api")?.status == status)
        #expect(recorder.lines.count == refused)
        #expect(try metrics.expectCounter("engineio_requests_refused_total", [("reason", "unknown_path")]).totalValue == Int64(refused))
    }

    @Test func `a client that hides behind a field of its own is seen`() throws {
        let recorder = LogRecorder()
        let proxies = try TrustedProxies(["127.0.0.1"], addressField: .forwarded)
        let server = EmbeddedServer(logger: recorder.logger(.info)) { $0.trustedProxies = proxies }
        for target in [Self.polling, Self.webSocket] {
            let fields = target == Self.polling ? [] : RawClient.upgradeHeaders
            for value in ["for=203.0.113.7", "for=127.0.0.1", "for=unknown"] {
                _ = try server.connect().get(target, headers: fields + ["Forwarded: \(value)"])
            }
            // The proxy has added a field of its own.
            _ = try server.connect().get(target, headers: fields + ["Forwarded: for=\"", "Forwarded: for=203.0.113.7"])
        }
        #expect(recorder.lines.isEmpty, "\(recorder.lines)")
        for target in [Self.polling, Self.webSocket] {
            let fields = target == Self.polling ? [] : RawClient.upgradeHeaders
            _ = try server.connect().get(target, headers: fields + ["Forwarded: for=\", for=203.0.113.7"])
        }
        #expect(recorder.lines(.warning).map { $0.metadata["forwarded"] } == ["\"for=\\\", for=203.0.113.7\""])
        #expect(recorder.lines.first?.metadata["address"] == "\"127.0.0.1\"")
    }

    @Test func `pages of the same origin and allowed ones are no news`() throws {
        let (recorder, metrics) = (LogRecorder(), TestMetrics())
        let server = EmbeddedServer(logger: recorder.logger(.info), metrics: EngineMetrics(factory: metrics)) {
            $0.cors = EngineCORS(origins: .exactly(["https://friend.example"]))
        }
        for origin in ["http://localhost", "https://localhost", "ws://localhost", "https://friend.example"] {
            #expect(try server.connect().get(Self.polling, headers: ["Origin: \(origin)"])?.status == 200)
            try server.connect().request("OPTIONS", Self.polling, headers: ["Origin: \(origin)"])
        }
        _ = try server.connect().get("/other?EIOS=4")
        #expect(recorder.lines.isEmpty)
    }

    @Test func `sessions come and go at debug, without their secret ids`() throws {
        let recorder = LogRecorder()
        let server = EmbeddedServer(logger: recorder.logger(.trace)) { $0.generateID = { _ in "secret" } }
        let client = try server.connect()
        try client.openWebSocket()
        try client.close()
        #expect(recorder.lines.map(\.message) == ["a session opened", "a session closed"])
        #expect(recorder.lines.allSatisfy { $0.level == .debug && !"\($0)".contains("secret") })
        #expect(recorder.lines.first?.metadata == ["transport": "websocket", "address": "\"127.0.0.1\""])
        #expect(recorder.lines.last?.metadata == ["reason": "transport close"])
    }

    @Test func `every cause can be told apart`() {
        #expect(Set(RefusalCause.allCases.map(\.context)).count == RefusalCause.allCases.count)
        #expect(Set(RefusalCause.allCases.map(\.reason)) == Set(RefusalCause.Reason.allCases))
        #expect(Set(RefusalCause.Reason.allCases.map(\.label)).count == RefusalCause.Reason.allCases.count)
    }
}
