// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOEmbedded
import SocketIOCluster
import SocketIOCore
import SocketIOMessagePack
import SwiftSocketIO
import Synchronization

/// A server that is a node of a cluster, with handlers of many kinds, a client that means no harm, and one that does.
///
/// Everything runs on one event loop without a network.
final class FuzzServer: Sendable {
    let format: PacketFormat
    let io: SocketIOServer
    let driver = FuzzDriver()
    let loop = NIOAsyncTestingEventLoop()
    private let state: NIOLoopBound<FuzzClients>
    private let count = Atomic<UInt64>(0)
    private let lives = Atomic<UInt64>(7)
    private let numbers = Atomic<UInt64>(0)
    private let places = Mutex<Set<String>>([])

    init(_ format: PacketFormat) async throws {
        self.format = format
        var configuration = SocketIOConfiguration()
        configuration.parser = format
        configuration.connectionStateRecovery = .init(maxDisconnectionDuration: .seconds(5), sessions: 100, bytes: 4 << 20)
        // The clients do not answer.
        configuration.engine.pingInterval = .seconds(10_000_000)
        configuration.drainDuration = .zero
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        var cluster = ClusterConfiguration()
        cluster.snapshotsSessions = true
        cluster.settleTime = .milliseconds(1)
        cluster.settleTimeout = .milliseconds(20)
        var options = ClusterNode.Options(id: Self.node, configuration: cluster)
        options.logger = logger
        options.eventLoop = loop
        // Nothing begins at the beginning of time.
        await loop.advanceTime(by: .hours(1))
        let node = ClusterNode(driver: driver, options: options)
        io = SocketIOServer(configuration: configuration, adapter: node, eventLoopGroup: loop, logger: logger)
        let io = io
        state = try await loop.submit { [loop] in NIOLoopBound(FuzzClients(), eventLoop: loop) }.get()
        addHandlers()
        // Time passes only in steps, which the start waits for.
        try await withThrowingTaskGroup { group in
            group.addTask { try await io.start() }
            group.addTask { [loop] in
                // What the start does in between happens on other threads, which no event announces.
                while (try? await Task.sleep(for: .milliseconds(1))) != nil { await loop.advanceTime(by: .milliseconds(50)) }
            }
            try await group.next()
            group.cancelAll()
        }
        await loop.advanceTime(by: .seconds(1))
    }

    /// The id of the node.
    static let node = "JwHwE7LsRm-G3Ana"
    /// The id of the node that writes what the fuzzer says.
    static let stranger = "KxIxF8MtSn-H4Bob"

    /// The present life of that node: another one in each script, so that none suffers from what an earlier one said of its numbers.
    var strangersLife: NodeIdentity { NodeIdentity(id: Self.stranger, epoch: lives.load(ordering: .relaxed)) }

    func beginScript() {
        lives.wrappingAdd(1 << 32, ordering: .relaxed)
        numbers.store(0, ordering: .relaxed)
    }

    /// Advances the clock past every timeout, so that no request is pending and a reported loss is forgotten.
    func rest() async { await loop.advanceTime(by: .seconds(70)) }

    /// What has happened at least once: how deep the scripts reach.
    var reached: Set<String> { places.withLock { $0 } }

    private func reach(_ place: String) { _ = places.withLock { $0.insert(place) } }

    /// A new id for a message of another node.
    func nextID() -> MessageID {
        MessageID(seconds: 1_700_000_000, process: 9, counter: count.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// The next number of a message of another node.
    func nextNumber(ahead: Bool) -> UInt64 {
        numbers.wrappingAdd(ahead ? 1_000 : 1, ordering: .relaxed).newValue
    }

    private func addHandlers() {
        io.onError { [self] failure in
            _ = "\(failure.error)"
            reach("error of a handler")
        }
        io.on("server") { [self] (value: SocketIOValue) in
            reach("event of a server")
            return value
        }
        io.onConnect { [self] socket in
            if socket.recovered {
                reach("recovered session")
                _ = socket.data["key", as: SocketIOValue.self]
            }
            socket.on("echo") { (value: SocketIOValue) in value }
            socket.on("sum") { (a: Int, b: Int) in a.addingReportingOverflow(b).partialValue }
            socket.on("typed") { [self] (value: FuzzTarget.Everything, more: [FuzzTarget.Everything]?) async in
                reach("typed arguments")
                return more?.count ?? 0
            }
            socket.on("raw") { event in try event.acknowledgement?.send(Ack(raw: event.arguments)) }
            socket.on("relay") { event in try socket.emit("relayed", raw: event.arguments) }
            socket.on("join") { (rooms: [String]) in socket.join(Array(rooms.prefix(8))) }
            socket.on("say") { [io = socket.namespace] (value: SocketIOValue) in try await io.emit("said", value) }
            socket.on("data") { (key: String, value: SocketIOValue) in socket.data[key] = value }
            socket.on("ask", .concurrent) { [self] in
                let answer = try await socket.timeout(.seconds(5)).emitWithAck("asked", 1, as: SocketIOValue.self)
                reach("acknowledgement of a client")
                return answer
            }
            socket.on("servers", .concurrent) { [io = socket.namespace] in try await io.serverSideEmit("server", 1) }
            socket.on("askServers", .concurrent) { [self, io = socket.namespace] in
                for answer in try await io.serverSideEmitWithAck("server", 1) {
                    reach("answer of a server")
                    _ = try? answer.decode(SocketIOValue.self, at: 0)
                }
            }
            socket.on("askAll", .concurrent) { [self, io = socket.namespace] in
                let answers = try await io.emitWithAck("asked", 1, as: SocketIOValue.self)
                for await answer in answers.raw {
                    reach("acknowledgement of another node")
                    _ = try? answer.decode(SocketIOValue.self, at: 0)
                }
                _ = answers.raw.summary
            }
            socket.on("fetch", .concurrent) { [self, io = socket.namespace] in
                for remote in try await io.fetchSockets() where remote.node == FuzzServer.stranger {
                    reach("socket of another node")
                    _ = (remote.data["key", as: SocketIOValue.self], try? remote.handshake.auth?.decode(SocketIOValue.self))
                }
            }
            socket.onAny { event in _ = (event.arguments.byteCount, event.arguments[0]?.bytes.readableBytes) }
            socket.onAnyOutgoing { [self] event in
                if event.name == "said" { reach("broadcast of another node") }
                _ = try? event.arguments.decode(SocketIOValue.self, at: 0)
            }
        }
    }

    // MARK: Running

    /// Runs something on the loop, and what follows from it.
    func step<T: Sendable>(_ body: @escaping @Sendable (FuzzClients) throws -> T) throws -> T {
        let result = try loop.submit { [state] in try body(state.value) }.wait()
        // What has followed from it has run when this has.
        try loop.submit {}.wait()
        return result
    }

    /// Connects both clients, if they are not.
    func connect() throws {
        try step { [self] clients in
            if clients.innocent?.isActive != true {
                clients.innocent = try FuzzClient(to: io, on: loop)
                clients.decoder = PacketDecoderStateMachine(format: format, limits: .init(attachments: 100, bytes: 1 << 30, values: .max))
            }
            if clients.hostile?.isActive != true { clients.hostile = try FuzzClient(to: io, on: loop) }
        }
    }

    /// The hostile client comes back and presents a session of another node.
    func reconnect(offset: String) throws {
        let auth = [("pid", "secretsecretsec.\(Self.stranger)"), ("offset", offset)]
        try step { [self] clients in
            clients.hostile?.close()
            clients.hostile = try FuzzClient(to: io, on: loop, auth: auth)
        }
    }

    /// The hostile client answers what it was asked last, with these bytes as the arguments.
    func reply(_ arguments: ByteBuffer) throws {
        try step { [format] in try $0.reply(arguments, format) }
    }

    /// What the innocent client has got are packets, and it is served as ever.
    func check() throws {
        try step { try $0.readInnocent() }
        try connect()
        try step { [format] in try $0.ask(format) }
        try step { clients in
            try clients.readInnocent()
            try rule(clients.isAnswered, "an innocent client is served")
            clients.hostile?.close()
            clients.hostile = nil
        }
    }
}

/// The clients of a server that is fuzzed, and what the innocent one has got.
final class FuzzClients {
    var hostile: FuzzClient?
    var innocent: FuzzClient?
    var decoder = PacketDecoderStateMachine(format: .json)
    private(set) var isAnswered = false
    private var lastQuestion: UInt64 = 0
    private static let question: UInt64 = 77

    /// The innocent client sends an event that must be answered.
    func ask(_ format: PacketFormat) throws {
        isAnswered = false
        try emit("echo", format, id: Self.question) { try $0.append("hello") }
    }

    /// The innocent client sends an event.
    func emit(_ event: String, _ format: PacketFormat, id: UInt64? = nil, _ arguments: (inout ArgumentsWriter) throws -> Void) throws {
        let packet = try PacketEncoder(format: format).event(event, namespace: "/", id: id, arguments: arguments)
        innocent?.send(.init(isBinary: packet.isBinary, bytes: packet.message))
    }

    /// The hostile client answers the last event that wants an answer.
    func reply(_ arguments: ByteBuffer, _ format: PacketFormat) throws {
        for message in try hostile?.takeMessages() ?? [] {
            var decoder = PacketDecoderStateMachine(format: format, limits: .init(values: .max))
            let packet = try? message.isBinary ? decoder.receive(binary: message.bytes) : decoder.receive(text: message.bytes)
            if case .event(_, _, let id?)? = packet?.content { lastQuestion = id }
        }
        // The arguments of an acknowledgement are what is left of it without the first bytes.
        let empty = try PacketEncoder(format: format).acknowledgement(lastQuestion, namespace: "/") { _ in }.message
        var bytes = ByteBuffer()
        switch format {
        case .json: bytes.writeImmutableBuffer(empty.getSlice(at: empty.readerIndex, length: empty.readableBytes - 2) ?? empty)
        case .messagePack:
            // type, nsp and id, without the empty data.
            var writer = MessagePackWriter()
            try writer.writeMapHeader(count: 4)
            for (key, value) in [("type", 3), ("id", Int(lastQuestion))] {
                try writer.write(key)
                writer.write(value)
            }
            for text in ["nsp", "/", "data"] { try writer.write(text) }
            bytes = writer.buffer
        }
        bytes.writeImmutableBuffer(arguments)
        hostile?.send(.init(isBinary: format == .messagePack, bytes: bytes))
    }

    func readInnocent() throws {
        for message in try innocent?.takeMessages() ?? [] {
            let packet: Packet?
            do {
                packet = try message.isBinary ? decoder.receive(binary: message.bytes) : decoder.receive(text: message.bytes)
            } catch {
                let bytes = message.bytes.readableBytesView.prefix(64)
                throw BrokenRule(description: "broken: what an innocent client gets are packets, not \(bytes)")
            }
            if case .disconnect? = packet?.content { innocent?.close() }
            if case .acknowledgement(Self.question, let arguments)? = packet?.content {
                try rule((try? arguments.decode(String.self, at: 0)) == "hello", "an innocent client gets its answer")
                isAnswered = true
            }
        }
    }
}
