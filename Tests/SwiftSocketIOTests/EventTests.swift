// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import NIOPosix
import SocketIOConcurrency
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventTests {
    @Test(arguments: [1, 4], [PacketFormat.json, .messagePack])
    func `returned value is the acknowledgement`(loops: Int, parser: PacketFormat) async throws {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser
        try await withTestServer(configuration: configuration, eventLoops: loops) { io in
            io.onConnect { socket in
                socket.on("sum") { (a: Double, b: Double) in a + b }
                socket.on("greet") { (name: String) async in
                    await Task.yield()
                    return "hello \(name)"
                }
                socket.on("none") { (_: String) in }
                socket.on("two") { Ack("a", 2) }
                socket.on("two or null") { (isTwo: Bool) -> Ack? in isTwo ? Ack("a", 2) : nil }
                socket.on("echo") { (event: SocketEvent) in try event.acknowledgement?.send(Ack(raw: event.arguments)) }
                socket.on("bytes") { (bytes: ByteBuffer) in bytes }
                socket.on("fail") { () throws -> Int in throw AckError("refused") }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            #expect(try await client.emitWithAck("sum", 2, 3).decode(Int.self, at: 0) == 5)
            #expect(try await client.emitWithAck("greet", "Ada", id: 7).decode(String.self, at: 0) == "hello Ada")
            #expect(try await client.emitWithAck("none", "x").isEmpty)
            let two = try await client.emitWithAck("two")
            #expect(two.count == 2)
            #expect(try two.decode(Int.self, at: 1) == 2)
            #expect(try await client.emitWithAck("two or null", true).decode(Int.self, at: 1) == 2)
            #expect(try await client.emitWithAck("two or null", false).decode(Int?.self, at: 0) == nil)
            let echo = try await client.emitWithAck("echo", [1, 2], ["k": ByteBuffer(bytes: [1, 2, 3])])
            #expect(try echo.decode([Int].self, at: 0) == [1, 2])
            #expect(try echo.decode([String: ByteBuffer].self, at: 1) == ["k": ByteBuffer(bytes: [1, 2, 3])])
            #expect(
                try await client.emitWithAck("bytes", ByteBuffer(string: "raw")).decode(ByteBuffer.self, at: 0) == ByteBuffer(string: "raw")
            )
            #expect(try await client.emitWithAck("fail").decode(String.self, at: 0) == "refused")
        }
    }

    @Test(arguments: [1, 4])
    func `events of one client are handled in order`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops) { io in
            io.onConnect { socket in
                socket.on("slow") { (n: Int) in
                    try await Task.sleep(for: .milliseconds(20))
                    try socket.emit("done", n)
                }
                socket.on("quick") { (n: Int) in try socket.emit("done", n) }
                socket.on("concurrent", .concurrent) { (n: Int) in
                    try socket.emit("done", n)
                    await Task.yield()
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            for n in 0..<32 { try await client.emit(["slow", "quick", "concurrent", "concurrent"][n % 4], n) }
            for n in 0..<32 { #expect(try await client.receiveEvent().arguments.decode(Int.self, at: 0) == n) }
        }
    }

    @Test func `concurrent handlers do not hold back the next event`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on("wait", .concurrent) { () in
                    try await Task.sleep(for: .seconds(60))
                    try socket.emit("never")
                }
                socket.on("ping") { "pong" }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.emit("wait")
            #expect(try await client.emitWithAck("ping").decode(String.self, at: 0) == "pong")
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [HandlerMode.serial, .concurrent])
    func `a handler that ends its socket at once is cancelled`(mode: HandlerMode) async throws {
        let ends = Reports<Bool>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on("leave", mode) { () async in
                    let (nothing, continuation) = AsyncStream<Never>.makeStream()
                    defer { continuation.finish() }
                    socket.disconnect()
                    // Only cancellation ends it; without that the test's time limit fails the test.
                    for await _ in nothing {}
                    ends.report(Task.isCancelled)
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.emit("leave")
            #expect(await ends.next() == true)
        }
    }

    @Test(arguments: [false, true])
    func `handlers that block run elsewhere`(block: Bool) async throws {
        var configuration = SocketIOConfiguration()
        configuration.handlersBlock = block
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onConnect { socket in
                let connects = MultiThreadedEventLoopGroup.currentEventLoop == nil
                socket.on("in place") { [connects, MultiThreadedEventLoopGroup.currentEventLoop == nil] }
                socket.on("in a task") { () async in
                    await Task.yield()
                    return [MultiThreadedEventLoopGroup.currentEventLoop == nil]
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            #expect(try await client.emitWithAck("in place").decode([Bool].self, at: 0) == [block, block])
            #expect(try await client.emitWithAck("in a task").decode([Bool].self, at: 0) == [block])
        }
    }

    @Test(arguments: [1, 4])
    func `a handler may await an acknowledgement of its own client`(loops: Int) async throws {
        try await withTestServer(eventLoops: loops) { io in
            io.onConnect { socket in
                socket.on("start") { () async throws in
                    let answer = try await socket.timeout(.seconds(5)).emitWithAck("question", "6 x 7", as: Int.self)
                    try socket.emit("answer", answer)
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.emit("start")
            let question = try await client.receiveEvent()
            #expect(question.name == "question")
            try await client.acknowledge(try #require(question.id), 42)
            #expect(try await client.receiveEvent().arguments.decode(Int.self, at: 0) == 42)
        }
    }

    @Test func `acknowledgements time out and end with the connection`() async throws {
        let errors = Reports<SocketIOError.Code?>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on("timeout") { () async in
                    do {
                        _ = try await socket.timeout(.milliseconds(30)).emitWithAck("silence")
                    } catch { errors.report((error as? SocketIOError)?.code) }
                }
                socket.on("gone") { () async in
                    do { _ = try await socket.emitWithAck("silence") } catch { errors.report((error as? SocketIOError)?.code) }
                }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.emit("timeout")
            #expect(await errors.next() == .acknowledgementTimeout)
            try await client.emit("gone")
            _ = try await client.receiveEvent()
            _ = try await client.receiveEvent()
            await client.cut()
            #expect(await errors.next() == .disconnected)
        }
    }

    @Test func `wrong arguments go to the error hook and nobody else suffers`() async throws {
        let failures = Reports<HandlerFailure>()
        try await withTestServer(eventLoops: 1) { io in
            io.onError { failures.report($0) }
            io.onConnect { socket in
                socket.on("number") { (n: Int) in n }
                socket.on("optional") { (a: Int, b: String?) in b ?? "none" }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.emit("number", "text", id: 1)
            let failure = try #require(await failures.next())
            #expect(failure.event == "number" && (failure.error as? SocketIOError)?.message == "argument 0 is not of type Int")
            try await client.emit("number")
            #expect(await failures.next()?.event == "number")
            #expect(try await client.emitWithAck("optional", 1, id: 2).decode(String.self, at: 0) == "none")
        }
    }

    @Test(arguments: PacketFormat.allCases)
    func `an argument that is nested too deeply costs its event`(parser: PacketFormat) async throws {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser
        let failures = Reports<HandlerFailure>()
        let answers = Reports<SocketIOError?>()
        let seen = Reports<String>()
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onError { failures.report($0) }
            io.onConnect { socket in
                socket.onAny { seen.report($0.name) }
                socket.on("value") { (value: SocketIOValue) in value }
                socket.on("ask") { () async in
                    do { _ = try await socket.emitWithAck("question", as: SocketIOValue.self) } catch {
                        answers.report(error as? SocketIOError)
                    }
                }
            }
            _ = io.of("/other")
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.join("/other")
            let limit = parser == .json ? 64 : 32
            try await client.send(Self.deep("2", "value", limit + 1, id: 1, parser))
            let failure = try #require(await failures.next())
            #expect(failure.event == "value")
            #expect((failure.error as? SocketIOError)?.code == .unexpectedArguments)
            #expect("\(failure.error)".contains("nested more than \(limit) levels deep"))
            try await client.send(Self.deep("2", "value", limit, id: 2, parser))
            guard case .acknowledgement(2, _) = try await client.receivePacket().content else {
                throw SocketIOError(.disconnected, "no answer")
            }
            // Nothing else of the connection suffers, nor do its other namespaces.
            try await client.emit("ask")
            let id = try #require(try await client.receiveEvent().id)
            try await client.send(Self.deep("3", nil, limit + 1, id: UInt8(id), parser))
            #expect(await answers.next()??.code == .unexpectedArguments)
            try await client.emit("last")
            for name in ["value", "ask", "last"] { #expect(await seen.next() == name) }
            #expect(try await server.io.of("/other").fetchSockets().count == 1)
        }
    }

    @Test func `events that are nested too deeply wait for their turn`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.eventQueue.events = 10
        let failures = Shared(0)
        let (isFree, isHeld) = (Gate(), Gate())
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onError { _ in failures.update { $0 += 1 } }
            io.onConnect { socket in
                socket.on("hold") { () async in
                    isHeld.open()
                    await isFree.waitUntilOpen()
                }
                socket.on("end") { "ended" }
            }
            io.of("/other").onConnect { socket in socket.on("ask") { true } }
        } _: { server in
            let (client, _, _) = try await server.joined()
            try await client.join("/other")
            try await client.emit("hold")
            await isHeld.waitUntilOpen()
            for _ in 0..<5 { try await client.send(Self.deep("2", "value", 65, id: 1, .json)) }
            // The answer shows that all before it has been read.
            #expect(try await client.emitWithAck("ask", namespace: "/other", id: 2).decode(Bool.self, at: 0))
            #expect(failures.value == 0)
            // These are not all read before the handler returns.
            for _ in 0..<100 { try await client.send(Self.deep("2", "value", 65, id: 1, .json)) }
            isFree.open()
            #expect(try await client.emitWithAck("end", id: 3).decode(String.self, at: 0) == "ended")
            #expect(failures.value == 105)
        }
    }

    /// An event or acknowledgement whose last argument has this depth.
    private static func deep(_ type: String, _ name: String?, _ depth: Int, id: UInt8, _ parser: PacketFormat) -> EncodedPacket {
        guard parser == .messagePack else {
            let argument = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let text = "\(type)\(id)[\(name.map { "\"\($0)\"," } ?? "")\(argument)]"
            return EncodedPacket(message: ByteBuffer(string: text), isBinary: false)
        }
        func field(_ text: String) -> [UInt8] { [0xa0 | UInt8(text.utf8.count)] + Array(text.utf8) }
        let argument = [UInt8](repeating: 0x91, count: depth - 1) + [0x90]
        let data = [name == nil ? 0x91 : 0x92] + (name.map(field) ?? []) + argument
        let head: [UInt8] = [0x84] + field("type") + [UInt8(type) ?? 0] + field("data") + data
        return EncodedPacket(message: ByteBuffer(bytes: head + field("id") + [id] + field("nsp") + field("/")), isBinary: true)
    }

    @Test func `auth that is nested too deeply is refused, and the client may try again`() async throws {
        try await withTestServer(eventLoops: 1) { _ in
        } _: { server in
            let client = try await server.connect()
            let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
            try await client.requestJoin("/", auth: "{\"a\":\(deep)}")
            guard case .connectError(let payload?) = try await client.receivePacket().content else {
                throw SocketIOError(.disconnected, "no refusal")
            }
            #expect(try payload.decode([String: String].self)["message"] == "auth is nested more than 64 levels deep")
            try await client.join()
        }
    }

    @Test func `catch all listeners and middleware come first`() async throws {
        let seen = Reports<String>()
        try await withTestServer(eventLoops: 1) { io in
            io.onError { seen.report("error in \($0.event ?? "-")") }
            io.onConnect { socket in
                socket.use { event in
                    seen.report("use \(event.name)")
                    if event.name == "forbidden" { throw CancellationError() }
                }
                socket.onAny { seen.report("any \($0.name)") }
                socket.prependAny { seen.report("first \($0.name)") }
                socket.onAnyOutgoing { seen.report("out \($0.name) \($0.arguments.count)") }
                socket.on("hello") { seen.report("hello") }
                socket.once("once") { () async in seen.report("once") }
                socket.on("reply") { try socket.emit("reply", 1, 2) }
            }
        } _: { server in
            let (client, _, _) = try await server.joined()
            for event in ["hello", "forbidden", "once", "once", "reply"] { try await client.emit(event) }
            var order: [String] = []
            while order.last != "out reply 2" { order.append(try #require(await seen.next())) }
            #expect(
                order == [
                    "use hello", "first hello", "any hello", "hello", "use forbidden", "error in forbidden", "use once", "first once",
                    "any once",
                    "once", "use once", "first once", "any once", "use reply", "first reply", "any reply", "out reply 2",
                ]
            )
        }
    }

    @Test func `reserved names cannot be sent`() async throws {
        try await withTestServer(eventLoops: 1) { server in
            await #expect(throws: SocketIOError.self) { try await server.io.emit("connect", 1) }
        }
    }

    @Test(arguments: [
        "42{}", "42[]", "42[null]", "42[{\"toString\":\"x\"}]", "42[\"connect\"]", "451[\"x\"]", "49", "4", "42/none,[\"x\"]", "43[]",
    ])
    func `a packet that breaks the protocol ends only its connection`(packet: String) async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in socket.on("ping") { "pong" } }
        } _: { server in
            let (bad, _, _) = try await server.joined()
            let (good, _, _) = try await server.joined()
            try await bad.send(text: packet)
            await bad.waitUntilClosed()
            #expect(try await good.emitWithAck("ping").decode(String.self, at: 0) == "pong")
        }
    }
}
