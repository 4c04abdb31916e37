// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
import EngineIOCore
import EngineIO
import EngineIOTestSupport
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SocketIOCore
import SocketIOHummingbird
import Testing

/// An engine inside a Hummingbird application, on one port.
@Suite(.timeLimit(.minutes(1))) struct HummingbirdTests {
    private static let webSocket = "/socket.io/?EIO=4&transport=websocket"

    @Test(arguments: [1, 4]) func `serves both on one connection`(loops: Int) async throws {
        try await withApplication(loops: loops) { port, _ in
            try await RawClient.with(port) { client in
                #expect(try await client.get("/hello").body == "hello")
                let sid = try await client.handshake()
                #expect(try await client.post("/socket.io/?EIO=4&transport=polling&sid=\(sid)", "4a").body == "ok")
                #expect(try await client.get("/hello").body == "hello")
                #expect(try await client.get("/socket.io/?EIO=4&transport=polling&sid=\(sid)").body == "4a")
                #expect(try await client.post("/echo", "some body").body == "some body")
            }
        }
    }

    @Test func `targets in absolute form reach both`() async throws {
        try await withApplication(loops: 1) { port, _ in
            try await RawClient.with(port) { client in
                let hello = try await client.get("http://a.example/hello")
                #expect(hello.body == "hello" && hello.headers["date"]?.hasSuffix("GMT") == true)
                let session = try await client.get("ws://a.example/socket.io/?EIO=4&transport=polling")
                #expect(session.body.hasPrefix("0{") && session.headers["date"]?.hasSuffix("GMT") == true)
                #expect(try await client.get("/socket.io/below?EIO=4&transport=polling").body.hasPrefix("0{"))
                #expect(try await client.get("/socket.iox").status == 404)
            }
        }
    }

    @Test(arguments: [1, 4]) func `a later request of the connection may upgrade`(loops: Int) async throws {
        try await withApplication(loops: loops) { port, _ in
            try await RawClient.with(port) { client in
                #expect(try await client.get("/hello").body == "hello")
                let sid = try await client.handshake()
                #expect(!sid.isEmpty)
                try await client.upgrade(Self.webSocket)
                guard case .text(let open) = try await client.frame() else { throw RawClient.Failure.malformed("no open packet") }
                #expect(open.hasPrefix("0{"))
                for index in 0..<100 {
                    try await client.sendText("4\(index)")
                    #expect(try await client.frame() == .text("4\(index)"))
                }
            }
        }
    }

    @Test func `the first request may upgrade with frames right behind it`() async throws {
        try await withApplication(loops: 1) { port, _ in
            try await RawClient.with(port) { client in
                let head = "GET \(Self.webSocket) HTTP/1.1\r\nHost: x\r\n" + RawClient.upgradeHeaders.joined(separator: "\r\n") + "\r\n\r\n"
                try await client.send(bytes: Array(head.utf8) + RawClient.encodeFrame(0x81, Array("4early".utf8)))
                #expect(try await client.response().status == 101)
                _ = try await client.frame()
                #expect(try await client.frame() == .text("4early"))
            }
        }
    }

    @Test(arguments: [1, 4]) func `graceful shutdown ends polls and WebSocket s`(loops: Int) async throws {
        try await withApplication(loops: loops) { port, shutdown in
            try await RawClient.with(port) { poller in
                let sid = try await poller.handshake()
                try await poller.request("GET", "/socket.io/?EIO=4&transport=polling&sid=\(sid)")
                try await RawClient.with(port) { client in
                    try await client.upgrade(Self.webSocket)
                    _ = try await client.frame()
                    shutdown()
                    #expect(try await client.frame() == .close(1000))
                    try await client.sendFrame(0x88, [3, 232])
                    await client.waitForClose()
                }
                #expect(try await poller.response().body == "1")
                await poller.waitForClose()
            }
        }
    }

    @Test(arguments: ["", "G"]) func `a half closed client gets its answer from both`(more: String) async throws {
        try await withApplication(loops: 1) { port, _ in
            try await RawClient.with(port, halfClosure: true) { client in
                try await client.send(RawClient.encodeRequest("GET", "/slow") + more)
                try await client.channel.close(mode: .output)
                // Sent after the half-close, so it arrives after it.
                let released = try await RawClient.with(port) { try await $0.get("/release").body }
                #expect(released == "released")
                #expect(try await client.response().body == "late")
                await client.waitForClose()
            }
            // The poll waits for two seconds, in which a busy machine may not get the POST through.
            var polled = ""
            for _ in 0..<5 where polled != "4hello" { polled = try await self.poll(port, halfClosing: more) }
            #expect(polled == "4hello")
            // Nothing waits for a client that has asked for nothing.
            try await RawClient.with(port, halfClosure: true) { client in
                #expect(try await client.get("/hello").body == "hello")
                try await client.channel.close(mode: .output)
                await client.waitForClose()
            }
        }
    }

    /// What a client that has half-closed its connection behind a poll and some bytes receives.
    private func poll(_ port: Int, halfClosing more: String) async throws -> String {
        try await RawClient.with(port, halfClosure: true) { client in
            let sid = try await client.handshake()
            let polling = "/socket.io/?EIO=4&transport=polling&sid=\(sid)"
            try await client.send(RawClient.encodeRequest("GET", polling) + more)
            try await client.channel.close(mode: .output)
            let posted = try await RawClient.with(port) { try await $0.post(polling, "4hello") }
            #expect(posted.body == "ok" || posted.status == 400)
            let body = try await client.response().body
            await client.waitForClose()
            return body
        }
    }

    private func withApplication(
        loops: Int,
        _ body: @escaping @Sendable (Int, @escaping @Sendable () -> Void) async throws -> Void
    ) async throws {
        let engine = EngineServer(delegate: Echo(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let router = Router()
        router.get("/hello") { _, _ in "hello" }
        let (releases, release) = AsyncStream.makeStream(of: Void.self)
        router.get("/slow") { _, _ in
            for await _ in releases { break }
            return "late"
        }
        router.get("/release") { _, _ in
            release.yield()
            return "released"
        }
        router.post("/echo") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            return String(buffer: body)
        }
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let application = Application(
            router: router,
            server: .engineIO(engine),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await serve(application, ports, body)
        try await group.shutdownGracefully()
    }
}

private final class Echo: EngineServerDelegate {
    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate { Receiver() }

    private final class Receiver: EngineSessionDelegate {
        func session(_ session: EngineSession, didReceiveText message: ByteBuffer) {
            session.send(EncodedPacket(message: message, isBinary: false))
        }
        func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) {}
        func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) {}
    }
}
#endif
