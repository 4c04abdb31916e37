// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// The code of the article "Writing an adapter", between the marks, and a test that runs it: two servers on one bus.
import EngineIOCore
import NIOCore
import NIOPosix
import SocketIOCore
import SocketIOMessagePack
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import SwiftSocketIO
import Synchronization
import Testing

// MARK: The bus

/// A publish-and-subscribe system. Messages reach all subscribers of their channel, including the publisher, in the same order.
protocol Bus: Sendable {
    func subscribe(to channel: String, as node: String) async throws -> AsyncStream<ByteBuffer>
    func unsubscribe(_ node: String, from channel: String) async
    func publish(_ message: ByteBuffer, to channel: String) async throws
    func subscribers(of channel: String) async throws -> [String]
}

// MARK: What travels

/// A message between the processes of one namespace.
struct BusMessage: Codable {
    var sender: String
    var body: Body

    enum Body: Codable {
        case broadcast(WirePacket, Selection)
        case join([Room], Selection)
        case leave([Room], Selection)
        case disconnect(close: Bool, Selection)
        case serverSideEmit(WirePacket)

        case askRooms(request: String, Selection)
        case rooms(request: String, [Room])

        case askAcknowledgements(request: String, WirePacket, Selection, milliseconds: Int64)
        case expect(request: String, Int)
        case acknowledgement(request: String, WirePacket)
        case gone(request: String, Int)
    }
}

/// The selected sockets. `local` is never sent, and `timeout` only with requests.
struct Selection: Codable {
    var rooms: [Room]
    var except: [Room]
    var volatile: Bool
    var compress: Bool

    init(_ options: BroadcastOptions) {
        rooms = options.rooms
        except = options.except
        volatile = options.flags.volatile
        compress = options.flags.compress
    }

    var options: BroadcastOptions {
        var options = BroadcastOptions(rooms: rooms, except: except)
        options.flags.volatile = volatile
        options.flags.compress = compress
        return options
    }
}

/// A packet in the form that clients receive, encoded once by the process that emits it.
struct WirePacket: Codable {
    var message: ByteBuffer
    var isBinary: Bool
    var attachments: [ByteBuffer]
    var offset: String?

    init(_ packet: EncodedPacket, offset: MessageID? = nil) {
        message = packet.message
        isBinary = packet.isBinary
        attachments = packet.attachments
        self.offset = offset?.description
    }

    var packet: BroadcastPacket {
        let encoded = EncodedPacket(message: message, isBinary: isBinary, attachments: attachments)
        return BroadcastPacket(encoded, offset: offset.flatMap { MessageID($0) })
    }
}

/// Arguments are sent inside a packet of the server's own parser.
extension WirePacket {
    init(_ arguments: EventArguments) throws {
        let encoder = PacketEncoder(format: arguments.format)
        self.init(try encoder.acknowledgement(0, namespace: "/") { writer in try writer.append(contentsOf: arguments) })
    }

    func arguments(_ format: PacketFormat) throws -> EventArguments {
        var decoder = PacketDecoderStateMachine(format: format, limits: .init(attachments: .max, bytes: .max))
        var packet = isBinary ? try decoder.receive(binary: message) : try decoder.receive(text: message)
        for attachment in attachments { packet = try decoder.receive(binary: attachment) }
        guard case .acknowledgement(_, let arguments) = packet?.content else { return .empty(format) }
        return arguments
    }
}

// MARK: The adapter

/// Creates the adapters of a server that shares a bus with others.
struct BusAdapterFactory: AdapterFactory {
    var bus: any Bus

    func makeAdapter(_ context: AdapterContext) -> any Adapter { BusAdapter(context, bus: bus) }
}

/// Connects the sockets of one namespace with those of the other processes on the bus.
final class BusAdapter: Adapter {
    let local: CoreLocalAdapter
    private let node = String(UInt64.random(in: 0 ... .max), radix: 36)
    private let context: AdapterContext
    private let bus: any Bus
    private let listener = Mutex<Task<Void, Never>?>(nil)
    private let requests = Mutex<[String: Request]>([:])

    init(_ context: AdapterContext, bus: any Bus) {
        self.context = context
        self.local = context.local
        self.bus = bus
    }

    func start() async throws {
        let messages = try await bus.subscribe(to: context.namespace, as: node)
        let task = Task {
            await withDiscardingTaskGroup { group in
                for await bytes in messages {
                    guard let message = try? MessagePackDecoder().decode(BusMessage.self, from: bytes), message.sender != node else {
                        continue
                    }
                    // Answers may take time; changes and deliveries are applied in the order of the bus.
                    if let answer = await apply(message) { group.addTask { await answer() } }
                }
            }
        }
        listener.withLock { $0 = task }
    }

    func close() async {
        await bus.unsubscribe(node, from: context.namespace)
        guard let task = listener.withLock({ $0.take() }) else { return }
        task.cancel()
        await task.value
    }

    private func publish(_ body: BusMessage.Body) async throws {
        try await bus.publish(try MessagePackEncoder().encode(BusMessage(sender: node, body: body)), to: context.namespace)
    }

    private func otherNodes() async throws -> [String] { try await bus.subscribers(of: context.namespace).filter { $0 != node } }
}

// MARK: Operations without an answer

extension BusAdapter {
    func serverCount() async throws -> Int { try await otherNodes().count + 1 }

    func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws {
        local.deliver(packet, to: options)
        guard !options.flags.local else { return }
        try await publish(.broadcast(WirePacket(packet.encoded, offset: packet.offset), Selection(options)))
    }

    func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws {
        try await local.addSockets(options, to: rooms)
        if !options.flags.local { try await publish(.join(rooms, Selection(options))) }
    }

    func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws {
        try await local.removeSockets(options, from: rooms)
        if !options.flags.local { try await publish(.leave(rooms, Selection(options))) }
    }

    func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws {
        try await local.disconnectSockets(options, closeConnection: closeConnection)
        if !options.flags.local { try await publish(.disconnect(close: closeConnection, Selection(options))) }
    }

    func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws {
        try await publish(.serverSideEmit(WirePacket(arguments)))
    }

    /// Applies a message from another process, and returns a closure that answers it, if it needs an answer.
    private func apply(_ message: BusMessage) async -> (@Sendable () async -> Void)? {
        switch message.body {
        case .broadcast(let packet, let selection): local.deliver(packet.packet, to: selection.options)
        case .join(let rooms, let selection): try? await local.addSockets(selection.options, to: rooms)
        case .leave(let rooms, let selection): try? await local.removeSockets(selection.options, from: rooms)
        case .disconnect(let close, let selection): try? await local.disconnectSockets(selection.options, closeConnection: close)
        case .serverSideEmit(let packet):
            if let arguments = try? packet.arguments(local.format) { context.onServerSideEmit(arguments, nil) }
        case .rooms, .expect, .acknowledgement, .gone: answered(message)
        case .askRooms(let request, let selection):
            return { [self] in
                guard let rooms = try? await local.rooms(selection.options) else { return }
                try? await publish(.rooms(request: request, Array(rooms)))
            }
        case .askAcknowledgements(let request, let packet, let selection, let milliseconds):
            return await collect(request, packet.packet, selection.options, timeout: .milliseconds(milliseconds))
        }
        return nil
    }
}

// MARK: Operations with an answer

extension BusAdapter {
    /// Receives the answers to a request.
    private enum Request {
        case rooms(AsyncStream<(node: String, rooms: [Room])>.Continuation)
        case acknowledgements(BroadcastAcknowledgements, [String: BroadcastAcknowledgements.PartID])
    }

    func rooms(_ options: BroadcastOptions) async throws -> NameSet {
        var rooms = try await local.rooms(options)
        guard !options.flags.local else { return rooms }
        var missing = Set(try await otherNodes())
        let (answers, continuation) = AsyncStream.makeStream(of: (node: String, rooms: [Room]).self)
        let request = open(.rooms(continuation))
        defer { close(request) }
        try await publish(.askRooms(request: request, Selection(options)))
        let timer = Task {
            try? await Task.sleep(for: options.flags.timeout ?? .seconds(5))
            continuation.finish()
        }
        defer { timer.cancel() }
        var iterator = answers.makeAsyncIterator()
        while !missing.isEmpty, let answer = await iterator.next() {
            missing.remove(answer.node)
            rooms.formUnion(answer.rooms)
        }
        guard missing.isEmpty else { throw IncompleteResponseError(partial: rooms, missingNodes: missing.sorted()) }
        return rooms
    }

    private func open(_ request: Request) -> String {
        let id = String(UInt64.random(in: 0 ... .max), radix: 36)
        requests.withLock { $0[id] = request }
        return id
    }

    private func close(_ id: String) { requests.withLock { $0[id] = nil } }
}

// MARK: Acknowledgements of a broadcast

extension BusAdapter {
    func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements {
        let stream = BroadcastAcknowledgements()
        let own = stream.addPart()
        if !options.flags.local {
            let parts = Dictionary(try await otherNodes().map { ($0, stream.addPart(node: $0)) }) { first, _ in first }
            let request = open(.acknowledgements(stream, parts))
            stream.onEnd { self.close(request) }
            let milliseconds = (options.flags.timeout ?? .seconds(5)) / .milliseconds(1)
            do {
                let packet = WirePacket(packet.encoded)
                try await publish(.askAcknowledgements(request: request, packet, Selection(options), milliseconds: Int64(milliseconds)))
            } catch {
                stream.cancel()
                throw error
            }
        }
        await local.deliver(packet, to: options, acknowledgements: stream, part: own)
        stream.seal()
        return stream
    }

    /// Asks the sockets of this process on behalf of another one, and forwards their answers.
    private func collect(
        _ request: String,
        _ packet: BroadcastPacket,
        _ options: BroadcastOptions,
        timeout: Duration
    ) async -> @Sendable () async -> Void {
        let stream = BroadcastAcknowledgements()
        await local.deliver(packet, to: options, acknowledgements: stream, part: stream.addPart())
        stream.seal()
        return { [self] in
            let timer = Task {
                try? await Task.sleep(for: timeout)
                stream.timeOut()
            }
            defer { timer.cancel() }
            try? await publish(.expect(request: request, stream.summary.expected))
            for await arguments in stream {
                if let packet = try? WirePacket(arguments) { try? await publish(.acknowledgement(request: request, packet)) }
            }
            try? await publish(.gone(request: request, stream.summary.disconnected))
        }
    }

    /// Handles another process's answer to a request of this one.
    private func answered(_ message: BusMessage) {
        switch message.body {
        case .rooms(let request, let rooms):
            if case .rooms(let continuation)? = requests.withLock({ $0[request] }) { continuation.yield((message.sender, rooms)) }
        case .expect(let request, let count): withPart(request, message.sender) { $0.expect(count, from: $1) }
        case .acknowledgement(let request, let packet):
            guard let arguments = try? packet.arguments(local.format) else { return }
            withPart(request, message.sender) { $0.receive(arguments, from: $1) }
        case .gone(let request, let count):
            withPart(request, message.sender) { stream, part in
                // The count comes from another process: clamp it to the number of clients that were asked.
                for _ in 0..<min(max(count, 0), stream.summary.expected) { stream.clientIsGone(from: part) }
            }
        default: break
        }
    }

    private func withPart(_ id: String, _ node: String, _ body: (BroadcastAcknowledgements, BroadcastAcknowledgements.PartID) -> Void) {
        guard case .acknowledgements(let stream, let parts)? = requests.withLock({ $0[id] }), let part = parts[node] else { return }
        body(stream, part)
    }
}

// MARK: Using it

private func makeServer(on bus: any Bus) -> SocketIOServer {
    let io = SocketIOServer(adapter: BusAdapterFactory(bus: bus))
    return io
}

// MARK: The test

/// A bus inside one process.
private final class InMemoryBus: Bus {
    private let channels = Mutex<[String: [String: AsyncStream<ByteBuffer>.Continuation]]>([:])

    func subscribe(to channel: String, as node: String) -> AsyncStream<ByteBuffer> {
        let (messages, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        channels.withLock { $0[channel, default: [:]][node] = continuation }
        return messages
    }

    func unsubscribe(_ node: String, from channel: String) {
        channels.withLock { $0[channel]?.removeValue(forKey: node) }?.finish()
    }

    func publish(_ message: ByteBuffer, to channel: String) {
        // Under the lock, so that all subscribers see one order.
        channels.withLock { channels in
            for continuation in (channels[channel] ?? [:]).values { continuation.yield(message) }
        }
    }

    func subscribers(of channel: String) -> [String] { channels.withLock { Array($0[channel, default: [:]].keys) } }
}

@Suite(.timeLimit(.minutes(1))) struct WritingAnAdapterExampleTests {
    private func withTwoServers(
        _ set: @escaping @Sendable (SocketIOServer) -> Void = { _ in },
        parser: PacketFormat = .json,
        _ body: (TestServer, TestServer, InMemoryBus) async throws -> Void
    ) async throws {
        let bus = InMemoryBus()
        var configuration = SocketIOConfiguration()
        configuration.parser = parser
        try await withTestServer(configuration: configuration, adapter: BusAdapterFactory(bus: bus), eventLoops: 2, setUp: set) { a in
            try await withTestServer(configuration: configuration, adapter: BusAdapterFactory(bus: bus), eventLoops: 1, setUp: set) { b in
                try await body(a, b, bus)
            }
        }
        #expect(bus.subscribers(of: "/").isEmpty)
    }

    @Test(arguments: PacketFormat.allCases) func `broadcasts reach the other server in order`(parser: PacketFormat) async throws {
        try await withTwoServers({ io in io.onConnect { socket in socket.join("lobby") } }, parser: parser) { a, b, _ in
            let ada = try await a.joined()
            let grace = try await b.joined()
            #expect(try await a.io.serverCount() == 2)
            let bytes = ByteBuffer(string: "binary")
            for n in 0..<100 { try await a.io.to("lobby").except("muted").emit("n", n, bytes) }
            for client in [ada.client, grace.client] {
                for n in 0..<100 {
                    let event = try await client.receiveEvent()
                    #expect(try event.arguments.decode(Int.self, at: 0) == n)
                    #expect(try event.arguments.decode(ByteBuffer.self, at: 1) == bytes)
                }
            }
            try await a.io.local.emit("local")
            try await b.io.emit("last")
            #expect(try await ada.client.receiveEvent().name == "local")
            #expect(try await ada.client.receiveEvent().name == "last")
            #expect(try await grace.client.receiveEvent().name == "last")
        }
    }

    @Test func `sockets of the other server join leave and go`() async throws {
        try await withTwoServers { a, b, _ in
            let ada = try await a.joined()
            let grace = try await b.joined()
            try await b.io.in(ada.sid).socketsJoin("room")
            try await eventually { try await b.io.rooms().contains("room") }
            #expect(try await b.io.in(ada.sid).rooms() == [ada.sid, "room"])
            try await b.io.to("room").emit("hello")
            #expect(try await ada.client.receiveEvent().name == "hello")
            try await b.io.in("room").socketsLeave("room")
            try await eventually { try await b.io.rooms() == [ada.sid, grace.sid] }
            try await b.io.in(ada.sid).disconnectSockets(close: true)
            await ada.client.waitUntilClosed()
            #expect(grace.client.isOpen)
        }
    }

    @Test(arguments: PacketFormat.allCases) func `acknowledgements come from both servers`(parser: PacketFormat) async throws {
        try await withTwoServers(parser: parser) { a, b, _ in
            let clients = [try await a.joined().client, try await b.joined().client]
            let third = try await b.joined().client
            let acknowledgements = try await a.io.timeout(.seconds(10)).emitWithAck("ready?", as: String.self)
            for (client, answer) in zip(clients, ["yes", "no"]) {
                let event = try await client.receiveEvent()
                try await client.acknowledge(try #require(event.id), answer)
            }
            _ = try await third.receiveEvent()
            await third.cut()
            let (responses, summary) = try await acknowledgements.collectAvailable()
            #expect(responses.sorted() == ["no", "yes"])
            #expect(summary.expected == 3)
            #expect(summary.disconnected == 1)
            #expect(!summary.timedOut)
            #expect(summary.missingNodes.isEmpty)
        }
    }

    @Test func `a node that is silent is named`() async throws {
        try await withTwoServers { a, b, bus in
            _ = bus.subscribe(to: "/", as: "silent")
            defer { bus.unsubscribe("silent", from: "/") }
            let client = try await b.joined()
            let rooms = await #expect(throws: IncompleteResponseError<NameSet>.self) {
                _ = try await a.io.timeout(.seconds(2)).rooms()
            }
            #expect(rooms?.missingNodes == ["silent"])
            #expect(rooms?.partial == [client.sid])
            let answers = try await a.io.timeout(.seconds(2)).emitWithAck("ready?", as: Bool.self)
            let question = try await client.client.receiveEvent()
            try await client.client.acknowledge(try #require(question.id), true)
            let (responses, summary) = try await answers.collectAvailable()
            #expect(responses == [true])
            #expect(summary.missingNodes == ["silent"])
        }
    }

    @Test func `servers talk to each other`() async throws {
        let received = Reports<String>()
        try await withTwoServers({ io in io.on("reload") { (what: String) in received.report(what) } }) { a, b, _ in
            try await a.io.serverSideEmit("reload", "settings")
            #expect(await received.next() == "settings")
            try await b.io.serverSideEmit("reload", "pages")
            #expect(await received.next() == "pages")
        }
    }
}
