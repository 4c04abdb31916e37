// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import EngineIOTestSupport
import NIOCore
import NIOPosix
import SocketIOCore
import Synchronization
import Testing

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling"
private let webSocket = "/socket.io/?EIO=4&transport=websocket"

/// What needs real sockets, threads and tasks.
@Suite(.timeLimit(.minutes(2))) struct LoopbackTests {
    // MARK: allowRequest

    @Test(arguments: [1, 4]) func `a handshake waits for the decision`(loops: Int) async throws {
        let asked = Mutex<[String]>([])
        try await TestServer.with(
            loops: loops,
            configure: {
                $0.allowRequest = { handshake in
                    asked.withLock { $0.append(handshake.method) }
                    await Task.yield()
                    return handshake.header("Authorization") == "yes" ? .allow : .reject("go away \"you\"")
                }
            }
        ) { server in
            try await RawClient.with(server.port) { client in
                let refused = try await client.get(polling)
                #expect(refused.status == 403 && refused.body == "{\"code\":4,\"message\":\"go away \\\"you\\\"\"}")
                let refusedUpgrade = try await client.get(webSocket, headers: RawClient.upgradeHeaders)
                #expect(refusedUpgrade.status == 403)
            }
            try await RawClient.with(server.port) { client in
                let response = try await client.get(polling, headers: ["Authorization: yes"])
                #expect(response.status == 200)
                let sid = RawClient.sessionID(in: response.body)
                // Only handshakes are asked about.
                #expect(try await client.post(polling + "&sid=" + sid, "4a").status == 200)
                #expect(try await client.get(polling + "&sid=" + sid).body == "4a")
                try await RawClient.with(server.port) { other in
                    try await other.upgrade(webSocket, headers: ["Authorization: yes"])
                    #expect(try await other.frame() != .close(1000))
                }
            }
            #expect(asked.withLock { $0 }.count == 4)
        }
    }

    @Test(arguments: [1, 4]) func `a client that vanishes during the decision never connects`(loops: Int) async throws {
        let (started, startedContinuation) = AsyncStream.makeStream(of: Void.self)
        let (ended, endedContinuation) = AsyncStream.makeStream(of: Bool.self)
        try await TestServer.with(
            loops: loops,
            configure: {
                $0.allowRequest = { _ in
                    startedContinuation.yield()
                    // Ends only by being cancelled.
                    try? await Task.sleep(for: .seconds(3600))
                    endedContinuation.yield(Task.isCancelled)
                    return .allow
                }
            }
        ) { server in
            var (starts, ends) = (started.makeAsyncIterator(), ended.makeAsyncIterator())
            for target in [polling, webSocket] {
                try await RawClient.with(server.port) { client in
                    let headers = target == webSocket ? RawClient.upgradeHeaders : []
                    try await client.request("GET", target, headers: headers)
                }
                await starts.next()
                #expect(await ends.next() == true)
            }
            #expect(server.engine.clientsCount == 0)
            #expect(server.delegate.log.withLock { $0 }.isEmpty)
        }
    }

    @Test func `more handshakes than allowed do not wait`() async throws {
        let (started, continuation) = AsyncStream.makeStream(of: Void.self)
        try await TestServer.with(configure: {
            $0.limits.pendingHandshakes = 1
            $0.allowRequest = { _ in
                continuation.yield()
                try? await Task.sleep(for: .seconds(3600))
                return .allow
            }
        }) { server in
            try await RawClient.with(server.port) { first in
                try await first.request("GET", polling)
                var starts = started.makeAsyncIterator()
                await starts.next()
                let second = try await RawClient.with(server.port) { try await $0.get(polling) }
                #expect(second.status == 503)
            }
        }
    }

    // MARK: Connections that break

    @Test(arguments: [1, 4]) func `an aborted poll is noticed while it is parked`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            let sid = try await RawClient.with(server.port) { client in
                let sid = try await client.handshake()
                try await client.request("GET", polling + "&sid=" + sid)
                // The next answer on this connection cannot come before the poll has been parked.
                let response = try await RawClient.with(server.port) { try await $0.post(polling + "&sid=" + sid, "3") }
                #expect(response.status == 200)
                return sid
            }
            #expect(try await server.delegate.waitForClose() == .transportError)
            let late = try await RawClient.with(server.port) { try await $0.get(polling + "&sid=" + sid) }
            #expect(late.status == 400)
        }
    }

    @Test func `a polling session ends when its interval and timeout are over`() async throws {
        try await TestServer.with(configure: {
            $0.pingInterval = .milliseconds(300)
            $0.pingTimeout = .milliseconds(200)
        }) { server in
            for _ in 0..<5 {
                try await RawClient.with(server.port) { client in
                    let clock = ContinuousClock()
                    let sid = try await client.handshake()
                    // What is tested is the time itself: pingInterval + pingTimeout.
                    try await clock.sleep(until: .now + .milliseconds(500), tolerance: .zero)
                    #expect(try await client.get(polling + "&sid=" + sid).status == 400)
                }
            }
        }
    }

    @Test func `a half closed client gets what its poll waits for`() async throws {
        try await TestServer.with(allowHalfClosure: true) { server in
            try await RawClient.with(server.port, halfClosure: true) { client in
                let sid = try await client.handshake()
                try await client.request("GET", polling + "&sid=" + sid)
                try await client.channel.close(mode: .output)
                let response = try await RawClient.with(server.port) { try await $0.post(polling + "&sid=" + sid, "4hello") }
                #expect(response.body == "ok")
                #expect(try await client.response().body == "4hello")
                await client.waitForClose()
            }
        }
    }

    @Test(arguments: [false, true]) func `a half closed WebSocket, and a poller that does not return, are gone`(
        allowHalfClosure: Bool
    ) async throws {
        try await TestServer.with(allowHalfClosure: allowHalfClosure) { server in
            try await RawClient.with(server.port, halfClosure: true) { client in
                try await client.upgrade(webSocket)
                _ = try await client.frame()
                try await client.channel.close(mode: .output)
                #expect(try await server.delegate.waitForClose() == .transportClose)
                await client.waitForClose()
            }
            try await RawClient.with(server.port, halfClosure: true) { client in
                let sid = try await client.handshake()
                try await client.request("GET", polling + "&sid=" + sid)
                try await client.channel.close(mode: .output)
                #expect(try await server.delegate.waitForClose() == .transportError)
                await client.waitForClose()
            }
        }
    }

    @Test func `a connection reset while an upgrade is refused harms nobody`() async throws {
        try await TestServer.with { server in
            for upgrade in ["websocket", "h2c", "\u{1}"] {
                for _ in 0..<20 {
                    try await RawClient.with(server.port) { client in
                        let socket = try #require(client.channel as? any SocketOptionProvider)
                        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                        let headers = ["Connection: Upgrade", "Upgrade: \(upgrade)"]
                        try await client.request("GET", polling, headers: headers)
                    }
                }
            }
            let response = try await RawClient.with(server.port) { try await $0.get(polling) }
            #expect(response.status == 200)
        }
    }

    // MARK: Order

    @Test(arguments: [1, 4]) func `nothing is lost or reordered by upgrades under a storm`(loops: Int) async throws {
        try await TestServer.with(loops: loops, delegate: EchoDelegate(echoes: false)) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await Self.upgradeUnderAStorm(server) } }
                try await group.waitForAll()
            }
        }
    }

    private static let stormSize = 3000

    private static func upgradeUnderAStorm(_ server: TestServer) async throws {
        try await RawClient.with(server.port) { poller in
            let sid = try await poller.handshake()
            try await RawClient.with(server.port) { candidate in
                try await withThrowingTaskGroup(of: [Int].self) { group in
                    group.addTask { try await storm(server, sid) }
                    group.addTask {
                        // Like a browser: poll until the probe is answered and the poll is back, then upgrade.
                        var received = try await Self.poll(poller, sid)
                        try await candidate.upgrade(webSocket + "&sid=" + sid)
                        try await candidate.sendText("2probe")
                        received += try await Self.poll(poller, sid)
                        #expect(try await candidate.frame() == .text("3probe"))
                        received += try await Self.poll(poller, sid)
                        try await candidate.sendText("5")
                        while received.count < stormSize {
                            guard case .text(let text) = try await candidate.frame(), let number = Int(text.dropFirst()) else { continue }
                            if text.first == "4" { received.append(number) }
                        }
                        return received
                    }
                    for try await numbers in group where !numbers.isEmpty { #expect(numbers == Array(0..<stormSize)) }
                }
            }
        }
    }

    private static func storm(_ server: TestServer, _ sid: String) async throws -> [Int] {
        for start in stride(from: 0, to: stormSize, by: 10) {
            try await server.delegate.on(sid) { session in
                for number in start..<start + 10 { session.send(text: "\(number)") }
            }
        }
        return []
    }

    private static func poll(_ client: RawClient, _ sid: String) async throws -> [Int] {
        let body = try await client.get(polling + "&sid=" + sid).body
        return body.split(separator: "\u{1e}").filter { $0.first == "4" }.compactMap { Int($0.dropFirst()) }
    }

    @Test(arguments: [1, 4]) func `what a client sends arrives in order through its upgrade`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            try await RawClient.with(server.port) { poller in
                let sid = try await poller.handshake()
                let payload = (0..<100).map { "4\($0)" }.joined(separator: "\u{1e}")
                #expect(try await poller.post(polling + "&sid=" + sid, payload).status == 200)
                try await RawClient.with(server.port) { candidate in
                    try await candidate.upgrade(webSocket + "&sid=" + sid)
                    // All at once: the probe, the upgrade and what follows it.
                    var bytes = RawClient.encodeFrame(0x81, Array("2probe".utf8)) + RawClient.encodeFrame(0x81, Array("5".utf8))
                    for number in 100..<2000 { bytes += RawClient.encodeFrame(0x81, Array("4\(number)".utf8)) }
                    try await candidate.send(bytes: bytes)
                    #expect(try await candidate.frame() == .text("3probe"))
                    for number in 0..<2000 { #expect(try await candidate.frame() == .text("4\(number)")) }
                }
            }
            let texts = server.delegate.log.withLock { $0 }.compactMap { if case .text(let text) = $0 { Int(text) } else { nil } }
            #expect(texts == Array(0..<2000))
        }
    }

    // MARK: Back-pressure

    @Test(arguments: [1, 4]) func `a client that does not read is closed at the bound`(loops: Int) async throws {
        let delegate = EchoDelegate(echoes: false)
        try await TestServer.with(loops: loops, configure: { $0.limits.sendBufferBytes = 1 << 20 }, delegate: delegate) { server in
            try await RawClient.with(server.port) { poller in
                // With several loops the WebSocket of an upgraded session is likely to be on another one.
                let sid = try await poller.handshake()
                try await RawClient.with(server.port, readsAutomatically: false) { client in
                    try await client.request("GET", webSocket + "&sid=" + sid, headers: RawClient.upgradeHeaders)
                    try await client.sendText("5")
                    try await poller.waitUntilUpgraded(polling + "&sid=" + sid)
                    var highest = 0
                    let message = String(repeating: "x", count: 10_000)
                    for _ in 0..<5000 {
                        let (state, buffered) = try await server.delegate.on(sid) { session in
                            for _ in 0..<10 { session.send(text: message) }
                            return (session.readyState, session.bufferedBytes)
                        }
                        highest = max(highest, buffered)
                        if state != .open { break }
                    }
                    #expect(highest <= 1 << 20)
                    #expect(try await server.delegate.waitForClose() == .sendBufferFull)
                }
            }
        }
    }

    @Test(arguments: [1, 4]) func `a paused session is not read`(loops: Int) async throws {
        try await TestServer.with(loops: loops, delegate: EchoDelegate(echoes: false)) { server in
            try await RawClient.with(server.port) { poller in
                let sid = try await poller.handshake()
                try await RawClient.with(server.port) { client in
                    try await client.upgrade(webSocket + "&sid=" + sid)
                    try await client.sendText("5")
                    try await poller.waitUntilUpgraded(polling + "&sid=" + sid)
                    try await server.delegate.on(sid) { $0.pauseReading() }
                    // Far more than the sockets' buffers hold: the write cannot finish unless the server reads.
                    let big = RawClient.encodeFrame(0x82, Array(repeating: 7, count: 900_000))
                    let promise = client.channel.eventLoop.makePromise(of: Void.self)
                    client.channel.writeAndFlush(ByteBuffer(bytes: Array(repeating: big, count: 40).flatMap { $0 }), promise: promise)
                    let finished = Mutex(false)
                    promise.futureResult.whenComplete { _ in finished.withLock { $0 = true } }
                    for _ in 0..<50 { try await server.delegate.on(sid) { _ in } }
                    #expect(finished.withLock { $0 } == false)
                    try await server.delegate.on(sid) { $0.resumeReading() }
                    try await promise.futureResult.get()
                    for _ in 0..<40 { _ = try await server.delegate.wait { if case .binary = $0 { true } else { false } } }
                }
            }
        }
    }

    // MARK: Shutdown and leaks

    @Test(arguments: [1, 4]) func `shutdown closes sessions in batches and refuses new ones`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await RawClient.with(server.port) { client in
                            try await client.upgrade(webSocket)
                            _ = try await client.frame()
                            #expect(try await client.frame() == .close(1000))
                        }
                    }
                    group.addTask {
                        try await RawClient.with(server.port) { client in
                            let sid = try await client.handshake()
                            #expect(try await client.get(polling + "&sid=" + sid).body == "1")
                        }
                    }
                }
                for _ in 0..<40 { _ = try await server.delegate.wait { if case .opened = $0 { true } else { false } } }
                await server.engine.shutdown(over: .milliseconds(300))
                try await group.waitForAll()
            }
            #expect(server.engine.clientsCount == 0)
            let reasons = server.delegate.log.withLock { $0 }.compactMap { if case .closed(let reason) = $0 { reason } else { nil } }
            #expect(reasons == Array(repeating: .serverShuttingDown, count: 40))
            let late = try await RawClient.with(server.port) { try await $0.get(polling) }
            #expect(late.status == 503)
        }
    }

    @Test func `shutdown does not wait for clients that do not poll`() async throws {
        try await TestServer.with(configure: { $0.limits.closeTimeout = .milliseconds(50) }) { server in
            try await RawClient.with(server.port) { client in
                _ = try await client.handshake()
                await server.engine.shutdown()
                #expect(server.engine.clientsCount == 0)
            }
        }
    }

    /// A packet for several sessions does not wait for the end of a quiet tick. Of a large one the sockets take only the beginning at once.
    @Test(arguments: [true, false]) func `what leaves early stays whole and in order, written directly or not`(isDirect: Bool) async throws
    {
        // More than a socket takes at once, which may be 4 MiB, and than counts as writable.
        let large = String(repeating: "x", count: 6 << 20)
        let configure = { (configuration: inout EngineConfiguration) in configuration.usesDirectWrites = isDirect }
        try await TestServer.with(ownsPipeline: true, configure: configure, delegate: EchoDelegate(echoes: false)) { server in
            try await Self.withSessions(3, on: server) { clients, ids in
                let send = { @Sendable (texts: [String]) in
                    try await server.delegate.on(ids[0]) { first -> Bool in
                        let packets = texts.map { EncodedPacket(message: ByteBuffer(string: $0), isBinary: false) }
                        let sessions = ids.compactMap { try? server.delegate.session($0) }
                        for session in sessions { session.send(packets[0]) }
                        // A socket may take a large packet but for so little that the connection stays writable.
                        let isWritten = texts[0] == large || sessions.dropFirst().allSatisfy { !$0.isDirty }
                        let wasEarly = (isWritten || !isDirect) && first.loop.writesEarly
                        for packet in packets.dropFirst() { for session in sessions { session.send(packet) } }
                        return wasEarly
                    }
                }
                let quiet = (0..<20).map { "quiet \($0)" }
                var early: [Bool] = []
                for text in quiet { early.append(try await send([text])) }
                #expect(early.first == false && early.last == true)
                #expect(try await send([large, "after"]))
                try await Self.expect(quiet + [large, "after"], from: clients)
                _ = try await send(["two", "three"])
                #expect(try await !send(["last"]), "several are expected after a tick with several")
                try await Self.expect(["two", "three", "last"], from: clients)
            }
        }
    }

    private static func expect(_ texts: [String], from clients: [RawClient]) async throws {
        for client in clients {
            for text in texts {
                let isWhole = try await client.frame() == .text("4" + text)
                #expect(isWhole, "\(text.prefix(10))")
            }
        }
    }

    /// No client should send before the server's answer, but what came with the request must not get lost: nobody would notice.
    @Test(arguments: [1, 4]) func `what comes with the upgrade request is read`(loops: Int) async throws {
        try await TestServer.with(loops: loops) { server in
            try await RawClient.with(server.port) { poller in
                let sid = try await poller.handshake()
                // With several loops the session is likely to be on another one.
                try await RawClient.with(server.port) { client in
                    let request = RawClient.encodeRequest("GET", webSocket + "&sid=" + sid, headers: RawClient.upgradeHeaders)
                    try await client.send(bytes: Array(request.utf8) + RawClient.encodeFrame(0x81, Array("2probe".utf8)))
                    _ = try await client.response()
                    #expect(try await client.frame() == .text("3probe"))
                }
            }
        }
    }

    /// Opens WebSockets one inside the other, and calls `body` with the innermost.
    private static func withSessions(
        _ count: Int,
        on server: TestServer,
        clients: [RawClient] = [],
        ids: [String] = [],
        _ body: @escaping @Sendable ([RawClient], [String]) async throws -> Void
    ) async throws {
        guard clients.count < count else { return try await body(clients, ids) }
        try await RawClient.with(server.port) { client in
            try await client.upgrade(webSocket)
            guard case .text(let open) = try await client.frame() else { throw RawClient.Failure.closed }
            let id = RawClient.sessionID(in: open)
            try await withSessions(count, on: server, clients: clients + [client], ids: ids + [id], body)
        }
    }

    @Test(arguments: [1, 4]) func `closed sessions leave nothing behind`(loops: Int) async throws {
        let watched = Mutex<[WeakSession]>([])
        let delegate = EchoDelegate(onOpen: { session in
            let bound = NIOLoopBound(WeakBox(session), eventLoop: session.eventLoop)
            watched.withLock { $0.append(WeakSession(box: bound)) }
        })
        try await TestServer.with(loops: loops, delegate: delegate) { server in
            for round in 0..<4 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<25 { group.addTask { try await Self.useAndLeave(server, how: round) } }
                    try await group.waitForAll()
                }
            }
            for _ in 0..<100 { _ = try await server.delegate.waitForClose() }
            #expect(server.engine.clientsCount == 0)
            for session in watched.withLock({ $0 }) {
                // One more turn of the loop, so that what ran last has returned.
                try await session.box.eventLoop.submit {}.get()
                let isGone = try await session.box.eventLoop.submit { session.box.value.value == nil }.get()
                #expect(isGone)
            }
        }
    }

    private static func useAndLeave(_ server: TestServer, how: Int) async throws {
        try await RawClient.with(server.port) { client in
            guard how > 0 else {
                try await client.upgrade(webSocket)
                _ = try await client.frame()
                return
            }
            let sid = try await client.handshake()
            if how == 1 { return try await client.request("GET", polling + "&sid=" + sid) }
            try await RawClient.with(server.port) { candidate in
                try await candidate.upgrade(webSocket + "&sid=" + sid)
                try await candidate.sendText("2probe")
                #expect(try await candidate.frame() == .text("3probe"))
                // Some never finish their upgrade and just close the session.
                if how == 3 {
                    #expect(try await client.post(polling + "&sid=" + sid, "1").status == 200)
                    return
                }
                try await candidate.sendText("5")
                try await candidate.sendText("4a")
                #expect(try await candidate.frame() == .text("4a"))
            }
        }
    }

    private struct WeakSession: Sendable {
        let box: NIOLoopBound<WeakBox>
    }

    private final class WeakBox {
        weak var value: EngineSession?
        init(_ value: EngineSession) { self.value = value }
    }
}
