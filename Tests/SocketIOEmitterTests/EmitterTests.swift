// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOEmitter
import Testing

@Suite("Emitter", .timeLimit(.minutes(1)))
struct EmitterTests {
    @Test
    func `An event goes out with its selection, its flags and its namespace`() async throws {
        let driver = ScriptedDriver()
        let io = try await SocketIOEmitter(driver: driver)
        try await io.emit("hello", 1, "2")
        try await io.of("chat").to("a", "b").in("c").except("d").volatile.compress(false).emit("news", ["x": true])
        await io.close()

        let messages = driver.messages
        #expect(messages.map(\.text) == [#"2["hello",1,"2"]"#, #"2/chat,["news",{"x":true}]"#])
        #expect(messages.map(\.header.namespace) == ["/", "/chat"])
        #expect(messages[0].selection == BroadcastOptions())
        #expect(messages[1].selection?.rooms == ["a", "b", "c"])
        #expect(messages[1].selection?.except == ["d"])
        #expect(messages[1].selection?.flags.volatile == true)
        #expect(messages[1].selection?.flags.compress == false)
        #expect(messages.map(\.header.stamp?.number) == [1, 2])
        #expect(driver.isClosed)
    }

    @Test(arguments: PacketFormat.allCases)
    func `Binary travels beside the JSON text, or inside of MessagePack`(parser: PacketFormat) async throws {
        let driver = ScriptedDriver()
        var options = SocketIOEmitter.Options()
        options.parser = parser
        let io = try await SocketIOEmitter(driver: driver, options: options)
        try await io.emit("file", [UInt8]([1, 2, 3]))
        await io.close()
        guard case .broadcast(let packet, _) = driver.messages[0].body else {
            Issue.record("no broadcast")
            return
        }
        #expect(packet.encoded.isBinary == (parser == .messagePack))
        #expect(packet.encoded.attachments.count == (parser == .json ? 1 : 0))
        #expect(packet.offset == nil)
    }

    @Test
    func `Joins, leaves, disconnects and events for servers`() async throws {
        let driver = ScriptedDriver()
        let io = try await SocketIOEmitter(driver: driver)
        try await io.in("a").socketsJoin("x", "y")
        try await io.socketsLeave("x")
        try await io.of("/chat").in("a").disconnectSockets(close: true)
        try await io.serverSideEmit("reload", 7)
        await io.close()

        let bodies = driver.messages.map(\.body)
        #expect(bodies.map(\.kind) == [.addSockets, .removeSockets, .disconnectSockets, .serverSideEmit])
        guard case .addSockets(let options, rooms: let rooms) = bodies[0],
            case .disconnectSockets(_, closeConnection: let close) = bodies[2],
            case .serverSideEmit(let arguments) = bodies[3]
        else {
            Issue.record("other messages")
            return
        }
        #expect(options.rooms == ["a"])
        #expect(rooms == ["x", "y"])
        #expect(close)
        #expect(try arguments.decode(String.self, at: 0) == "reload")
        #expect(try arguments.decode(Int.self, at: 1) == 7)
    }

    @Test
    func `With connection state recovery, events carry their offset; volatile ones carry nothing that could be taken for one`() async throws
    {
        let driver = ScriptedDriver()
        var options = SocketIOEmitter.Options()
        options.connectionStateRecovery = true
        let io = try await SocketIOEmitter(driver: driver, options: options)
        try await io.emit("hello")
        try await io.volatile.emit("hello")
        await io.close()
        let first = driver.messages[0]
        #expect(first.text == #"2["hello","\#(first.header.id)"]"#)
        #expect(driver.messages[1].text == #"2["hello",null]"#)
    }

    @Test
    func `Names that no event and no namespace can have are refused, and nothing is written`() async throws {
        let driver = ScriptedDriver()
        let io = try await SocketIOEmitter(driver: driver)
        await #expect { try await io.emit("disconnect") } throws: { ($0 as? SocketIOEmitterError)?.code == .reservedEventName }
        await #expect { try await io.serverSideEmit("connect") } throws: { ($0 as? SocketIOEmitterError)?.code == .reservedEventName }
        await #expect { try await io.of("/a,b").emit("x") } throws: { ($0 as? SocketIOEmitterError)?.code == .invalidNamespace }
        await #expect { try await io.of("/a,b").socketsJoin("x") } throws: { ($0 as? SocketIOEmitterError)?.code == .invalidNamespace }
        await io.close()
        #expect(driver.messages.isEmpty)
    }

    // MARK: Outcomes

    @Test
    func `What may have been written is written again with the same id, until it is`() async throws {
        let driver = ScriptedDriver([.unknown(Failure()), .notWritten(Failure()), .written])
        let io = try await SocketIOEmitter(driver: driver)
        try await io.emit("hello")
        await io.close()
        #expect(driver.batches.count == 3)
        #expect(Set(driver.messages.map(\.header.id)).count == 1)
        #expect(Set(driver.messages.map(\.header.stamp)).count == 1)
    }

    @Test(arguments: [(BatchOutcome.unknown(Failure()), ClusterError.Code.unknown), (.notWritten(Failure()), .notSent)])
    func `When the time is over, the error tells whether the message may arrive`(outcome: BatchOutcome, code: ClusterError.Code)
        async throws
    {
        let driver = ScriptedDriver(Array(repeating: outcome, count: 1_000))
        var options = SocketIOEmitter.Options()
        options.writeTimeout = .seconds(3)
        let io = try await SocketIOEmitter(driver: driver, options: options)
        let error = await #expect(throws: ClusterError.self) { try await io.emit("hello") }
        // A busy machine may not have tried at all in that time; then the message was certainly not sent.
        #expect(error?.code == (driver.batches.isEmpty ? .notSent : code))
        await io.close()
    }

    @Test
    func `What is refused does not hold up what comes after it`() async throws {
        let driver = ScriptedDriver([.refused(index: 0, error: ClusterError(.unsupported, "no"))])
        let io = try await SocketIOEmitter(driver: driver)
        await #expect { try await io.serverSideEmit("hello") } throws: { ($0 as? ClusterError)?.code == .unsupported }
        try await io.emit("hello")
        await io.close()
        #expect(driver.messages.count == 2)
    }

    @Test
    func `A message that the backend cannot carry is refused before it is written`() async throws {
        let driver = ScriptedDriver()
        let io = try await SocketIOEmitter(driver: driver)
        let text = String(repeating: "x", count: 1_000_001)
        await #expect { try await io.emit("hello", text) } throws: { ($0 as? ClusterError)?.code == .tooLarge }
        await io.close()
        #expect(driver.messages.isEmpty)
    }

    @Test
    func `What waits is written before it closes; afterwards nothing is sent`() async throws {
        let driver = ScriptedDriver([.notWritten(Failure())])
        let io = try await SocketIOEmitter(driver: driver)
        async let emitted: Void = io.emit("hello")
        // The first attempt fails, so that the message waits while the emitter closes.
        while driver.batches.isEmpty { await Task.yield() }
        await io.close()
        try await emitted
        #expect(driver.batches.count == 2)
        await #expect { try await io.emit("late") } throws: { ($0 as? ClusterError)?.code == .closed }
        await io.close()
    }

    @Test
    func `Many tasks share one writer, in the order of each`() async throws {
        let driver = ScriptedDriver()
        let io = try await SocketIOEmitter(driver: driver)
        try await withThrowingTaskGroup { group in
            for task in 0..<8 {
                group.addTask { for number in 0..<50 { try await io.emit("n\(task)", number) } }
            }
            try await group.waitForAll()
        }
        await io.close()
        let texts = driver.messages.compactMap(\.text)
        #expect(texts.count == 400)
        for task in 0..<8 {
            let own = texts.filter { $0.hasPrefix("2[\"n\(task)\"") }
            #expect(own == (0..<50).map { "2[\"n\(task)\",\($0)]" })
        }
        #expect(driver.messages.map(\.header.stamp?.number) == (1...400).map { UInt64($0) })
    }

    // MARK: The cluster

    @Test
    func `Nodes get its messages, and do not count it`() async throws {
        let cluster = InMemoryCluster()
        let node = ClusterNode(driver: cluster.makeDriver(), options: .init(id: "node"))
        try await node.start()
        let stream = try await cluster.makeDriver().watch(as: "watcher").makeAsyncIterator()
        let io = try await SocketIOEmitter(driver: cluster.makeDriver())
        try await io.to("a").emit("hello")
        var iterator = stream
        while let item = await iterator.next() {
            guard case .message(let header, let payload) = item, header.origin.id != "node" else { continue }
            #expect(header.kind == .broadcast)
            #expect(try payload.body(for: header).kind == .broadcast)
            break
        }
        #expect(node.nodes.isEmpty)
        await io.close()
        #expect(node.nodes.isEmpty)
        await node.close()
    }
}
