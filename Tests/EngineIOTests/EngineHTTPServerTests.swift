// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SocketIOConcurrency
import SocketIOCore
import Testing
import _NIOFileSystem

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling"
private let webSocket = "/socket.io/?EIO=4&transport=websocket"

/// The standalone server.
@Suite(.timeLimit(.minutes(1))) struct EngineHTTPServerTests {
    private func withServer(
        loops: Int = 1,
        configure: (inout EngineHTTPServerConfiguration) throws -> Void = { _ in },
        responder: @escaping EngineResponder = { _ in .notFound },
        _ body: (EngineHTTPServer, EngineServer) async throws -> Void
    ) async throws {
        let delegate = EchoDelegate()
        var options = EngineConfiguration()
        options.limits.closeTimeout = .milliseconds(200)
        let engine = EngineServer(
            configuration: options,
            delegate: delegate,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        var configuration = EngineHTTPServerConfiguration(port: 0)
        configuration.shutdownTimeout = .milliseconds(500)
        try configure(&configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let server = try await EngineHTTPServer.start(configuration, engine: engine, on: group, responder: responder)
        do {
            try await body(server, engine)
        } catch {
            await server.shutdown()
            try await group.shutdownGracefully()
            throw error
        }
        await server.shutdown()
        await server.waitUntilClosed()
        try await group.shutdownGracefully()
    }

    @Test func `waiting for the end does not end because the task is cancelled`() async throws {
        try await withServer { server, _ in
            let isShutDown = Gate()
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    await server.waitUntilClosed()
                    return isShutDown.isOpen
                }
                group.cancelAll()
                for _ in 0..<100 { await Task.yield() }
                isShutDown.open()
                await server.shutdown()
                let wasShutDown = await group.next()
                #expect(wasShutDown == true)
            }
        }
    }

    @Test(arguments: [1, 4]) func `serves the engine and routes`(loops: Int) async throws {
        try await withServer(
            loops: loops,
            responder: { request in
                switch (request.head.method, request.path) {
                case (.get, "/hello"): EngineHTTPResponse(text: "hello from \(request.remoteAddress)")
                case (.post, "/echo"): EngineHTTPResponse(body: request.body)
                default: .notFound
                }
            }
        ) { server, _ in
            try await RawClient.with(server.port) { client in
                #expect(try await client.get("/hello?a=b").body == "hello from 127.0.0.1")
                #expect(try await client.handshake().count == 15)
                #expect(try await client.post("/echo", "abc").body == "abc")
                #expect(try await client.get("/nothing").status == 404)
                try await client.upgrade(webSocket)
            }
        }
    }

    @Test func `a body that is too large is refused`() async throws {
        try await withServer(configure: { $0.maxBodySize = 10 }, responder: { EngineHTTPResponse(body: $0.body) }) { server, _ in
            try await RawClient.with(server.port) { client in
                let allowed = try await client.post("/", "0123456789")
                #expect(allowed.body == "0123456789")
                let refused = try await client.post("/", "0123456789a")
                #expect(refused.status == 413)
                await client.waitForClose()
            }
            try await RawClient.with(server.port) { client in
                try await client.request("POST", "/", headers: ["Transfer-Encoding: chunked"])
                try await client.send("8\r\n01234567\r\n8\r\n01234567\r\n")
                #expect(try await client.response().status == 413)
            }
        }
    }

    @Test func `a slow answer reaches a client that has half closed`() async throws {
        try await withServer(
            responder: { _ in
                // Long enough for the half-close to arrive first.
                try? await Task.sleep(for: .milliseconds(200))
                return EngineHTTPResponse(status: .ok, text: "late")
            }
        ) { server, _ in
            try await RawClient.with(server.port, halfClosure: true) { client in
                try await client.request("GET", "/slow")
                try await client.channel.close(mode: .output)
                #expect(try await client.response().body == "late")
                await client.waitForClose()
            }
            // A connection without a request ends at once.
            try await RawClient.with(server.port, halfClosure: true) { client in
                try await client.channel.close(mode: .output)
                await client.waitForClose()
            }
        }
    }

    @Test(arguments: ["", "G", RawClient.encodeRequest("GET", "/second")])
    func `a responder works only for some time for a client that has half closed, whatever follows its request`(more: String) async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Bool.self)
        try await withServer(
            responder: { request in
                continuation.yield(request.path == "/first")
                // Work that ends only by being cancelled, which the test waits for.
                try? await Task.sleep(for: .seconds(3600))
                continuation.yield(Task.isCancelled)
                return .notFound
            }
        ) { server, _ in
            var iterator = events.makeAsyncIterator()
            try await RawClient.with(server.port, halfClosure: true) { client in
                try await client.send(RawClient.encodeRequest("GET", "/first") + more)
                try await client.channel.close(mode: .output)
                await client.waitForClose()
            }
            #expect(await iterator.next() == true)
            #expect(await iterator.next() == true)
            continuation.finish()
            #expect(await iterator.next() == nil)
        }
    }

    @Test func `a responder is cancelled with its connection`() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Bool.self)
        try await withServer(
            responder: { _ in
                continuation.yield(false)
                try? await Task.sleep(for: .seconds(3600))
                continuation.yield(Task.isCancelled)
                return .notFound
            }
        ) { server, _ in
            var iterator = events.makeAsyncIterator()
            try await RawClient.with(server.port) { try await $0.request("GET", "/") }
            #expect(await iterator.next() == false)
            #expect(await iterator.next() == true)
        }
    }

    @Test func `a file is served from memory`() async throws {
        let directory = FilePath("/tmp/swift-socketio-\(UInt64.random(in: 0 ... .max))")
        let path = directory.appending("app.js")
        try await FileSystem.shared.createDirectory(at: directory, withIntermediateDirectories: true)
        try await FileSystem.shared.withFileHandle(forWritingAt: path, options: .newFile(replaceExisting: false)) {
            _ = try await $0.write(contentsOf: String(repeating: "x", count: 5000).utf8, toAbsoluteOffset: 0)
        }
        let file = try await StaticFile(path: path.string)
        await #expect(throws: FileSystemError.self) { try await StaticFile(path: path.string, maxSize: 100) }
        try await FileSystem.shared.removeItem(at: directory)
        await #expect(throws: FileSystemError.self) { try await StaticFile(path: path.string) }
        try await withServer(responder: { file.response(to: $0.head) }) { server, _ in
            try await RawClient.with(server.port) { client in
                let script = try await client.get("/", headers: ["Accept-Encoding: gzip"])
                #expect(script.headers["content-encoding"] == "gzip" && script.headers["content-type"] == "text/javascript; charset=utf-8")
                let tag = try #require(script.headers["etag"])
                #expect(try await client.get("/", headers: ["If-None-Match: \(tag)"]).status == 304)
                #expect(try await client.post("/", "x").status == 405)
            }
        }
    }

    @Test(arguments: [1, 4]) func `shutdown ends sessions and connections`(loops: Int) async throws {
        try await withServer(loops: loops) { server, engine in
            try await RawClient.with(server.port) { client in
                try await client.upgrade(webSocket)
                _ = try await client.frame()
                try await RawClient.with(server.port) { poller in
                    let sid = try await poller.handshake()
                    try await poller.request("GET", polling + "&sid=" + sid)
                    async let stopped: Void = server.shutdown(drainingOver: .milliseconds(200))
                    #expect(try await client.frame() == .close(1000))
                    #expect(try await poller.response().body == "1")
                    await stopped
                    // A client that does not answer the close frame does not hold it up for ever.
                    await client.waitForClose()
                    await poller.waitForClose()
                }
            }
            #expect(engine.clientsCount == 0)
            await #expect(throws: (any Error).self) { try await RawClient.with(server.port) { _ in } }
        }
    }

    @Test func `a port that is taken is an error`() async throws {
        try await withServer { server, engine in
            let error = await #expect(throws: EngineListenError.self) {
                _ = try await EngineHTTPServer.start(EngineHTTPServerConfiguration(port: server.port), engine: engine)
            }
            #expect(error?.port == server.port && error?.cause is IOError)
        }
    }

    // MARK: TLS

    @Test func `tls carries both transports`() async throws {
        let certificate = try NIOSSLCertificate(bytes: Array(Self.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem)
        let tls = TLSConfiguration.makeServerConfiguration(certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
        try await withServer(configure: { $0.tls = tls }) { server, _ in
            var client = TLSConfiguration.makeClientConfiguration()
            client.trustRoots = .certificates([certificate])
            let context = try NIOSSLContext(configuration: client)
            let handler: @Sendable () throws -> any ChannelHandler = {
                try NIOSSLClientHandler(context: context, serverHostname: "localhost")
            }
            try await RawClient.with(server.port, first: handler) { client in
                let sid = try await client.handshake()
                #expect(try await client.post(polling + "&sid=" + sid, "4a").body == "ok")
                #expect(try await client.get(polling + "&sid=" + sid).body == "4a")
                try await client.upgrade(webSocket + "&sid=" + sid)
                try await client.sendText("2probe")
                #expect(try await client.frame() == .text("3probe"))
                try await client.sendText("5")
                try await client.sendText("4" + String(repeating: "b", count: 100_000))
                #expect(try await client.frame() == .text("4" + String(repeating: "b", count: 100_000)))
            }
            // Plain HTTP on the TLS port is not answered.
            try await RawClient.with(server.port) { client in
                try await client.request("GET", polling)
                let bytes = await client.waitForClose()
                #expect(!String(decoding: bytes, as: UTF8.self).contains("HTTP/1.1 200"))
            }
        }
    }

    /// Made for these tests; it protects nothing.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBfjCCASWgAwIBAgIUXXbxQU8g/xe3Za91Izn7f6Zfx9swCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTIwNDkxMFoYDzIxMjYxMDI4
        MjA0OTEwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASEBD1UOYtnc4KNCWa/pvj3tPPfrdN54XqaxanRELvQ8vRkhVpWeoGi
        vJmy538C5tYRXwSDLgkT2Kea20VePw9To1MwUTAdBgNVHQ4EFgQU1EmPsEYVkKLj
        fmLg8UswBdsYguYwHwYDVR0jBBgwFoAU1EmPsEYVkKLjfmLg8UswBdsYguYwDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAEn0abk3FPZu8SlHOrhdY3
        Ykw0b77FOXLyS1ZXsOp/hgIgDhhHdjGjGEkFWrfcjtwORWulBJGphjBggEiMUxvJ
        WQU=
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4/s07jXtDWaXnFhX
        Fbbrns2bNj9h6aSW6Cj9NpdMECKhRANCAASEBD1UOYtnc4KNCWa/pvj3tPPfrdN5
        4XqaxanRELvQ8vRkhVpWeoGivJmy538C5tYRXwSDLgkT2Kea20VePw9T
        -----END PRIVATE KEY-----
        """

    @Test func `a configuration that cannot be used is refused at the start, with its property`() async throws {
        let engine = EngineServer(delegate: EchoDelegate(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let port = await #expect(throws: EngineConfigurationError.self) {
            _ = try await EngineHTTPServer.start(EngineHTTPServerConfiguration(port: 70_000), engine: engine)
        }
        #expect(port?.property == "port")
        var configuration = EngineConfiguration()
        configuration.pingInterval = .zero
        let error = #expect(throws: EngineConfigurationError.self) { try configuration.validate() }
        #expect(error?.description == "pingInterval must be positive")
    }
}
