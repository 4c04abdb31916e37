// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCluster
package import SocketIOCore
import SocketIOMessagePack
import SocketIOText

#if MongoDB
import SocketIOMongoClient
import SocketIOMongoAdapter
#endif

/// Makes scripts for ``FuzzTarget/server``: packets, messages and documents of each kind as an encoder writes them, most of them damaged
/// somewhere. The same seed makes the same scripts.
package struct HostileScripts {
    private var random: SplitMix
    private let format: PacketFormat

    package init(_ format: PacketFormat, seed: UInt64) {
        self.format = format
        self.random = SplitMix(state: seed)
    }

    /// The next script.
    package mutating func next() -> FuzzScript {
        var script = FuzzScript(format)
        // The other node is there, so that it is asked.
        append(.message, message(.heartbeat(ClusterHeartbeat(beat: 0)), []), to: &script)
        for _ in 0..<(1 + random.below(5)) {
            switch random.below(10) {
            case 0, 1, 2: appendPacket(to: &script)
            case 3, 4, 5: appendMessage(to: &script)
            case 6, 7, 8: appendDocument(to: &script)
            default: appendExchange(to: &script)
            }
        }
        return script
    }

    /// Something is asked, and answered, most often by what was asked for.
    private mutating func appendExchange(to script: inout FuzzScript) {
        let action = UInt8(min(5, random.below(9)))
        if action == 5 {
            let offset = ByteBuffer(string: "507f1f77bcf86cd799439011")
            append(.reconnect, random.below(3) > 0 ? offset : damaged(offset), to: &script)
        } else if action == 4 {
            guard let asking = try? PacketEncoder(format: format).event("ask", namespace: "/", arguments: { _ in }) else { return }
            script.append(asking.isBinary ? .binary : .text, asking.message)
            return append(.reply, damaged(arguments(format).array), to: &script)
        } else {
            script.append(.action, ByteBuffer(bytes: [action]))
        }
        let kinds: [ClusterMessageKind] =
            switch action {
            case 1: [.serverSideEmitAnswer]
            case 2: [.acknowledgementCount, .acknowledgement, .acknowledgementsEnd]
            case 3: [.fetchSocketsAnswer, .fetchSocketsAnswer]
            case 5: [.sessionAnswer]
            default: []
            }
        for kind in kinds + (random.below(4) == 0 ? [random.pick(Self.answers)] : []) {
            append(.message, message(sample(kind), [.answers, .targeted]), to: &script)
        }
    }

    private static let answers: [ClusterMessageKind] = ClusterMessageKind.allCases.filter(\.isAnswer)

    private mutating func append(_ kind: FuzzScript.Kind, _ bytes: ByteBuffer?, to script: inout FuzzScript) {
        if let bytes { script.append(kind, bytes) }
    }

    // MARK: Packets of a client

    private mutating func appendPacket(to script: inout FuzzScript) {
        let encoder = PacketEncoder(format: format)
        let id: UInt64? = random.below(2) == 0 ? UInt64(random.below(8)) : nil
        let packet =
            random.below(4) == 0
            ? try? encoder.acknowledgement(UInt64(random.below(40)), namespace: "/") { try $0.append(value(depth: 3)) }
            : try? encoder.event(random.pick(Self.events), namespace: "/", id: id) { writer in
                if random.below(3) == 0 { try writer.append(everything()) }
                for _ in 0..<random.below(4) { try writer.append(value(depth: 3)) }
            }
        guard let packet else { return }
        script.append(packet.isBinary ? .binary : .text, damaged(packet.message))
        for attachment in packet.attachments where random.below(8) > 0 { script.append(.binary, attachment) }
    }

    private static let events = [
        "echo", "sum", "typed", "typed", "typed", "raw", "relay", "join", "say", "data", "ask", "servers", "askServers", "askAll", "fetch",
        "unknown",
    ]

    private mutating func value(depth: Int) -> SocketIOValue {
        switch random.below(depth > 0 ? 12 : 9) {
        case 0: .null
        case 1: .bool(random.below(2) == 0)
        case 2: .int(random.pick([0, 1, -1, .max, .min, 1 << 53, 255, 256]))
        case 3: .double(random.pick([0.5, -0.0, 1e300, .leastNonzeroMagnitude, 1e17, -1e18]))
        case 4: .string(random.pick(["", "a", "room", "\u{301}\u{323}", "\u{0}", "é", "2026-01-31T12:00:00.000Z", "http://[::1"]))
        case 5: .binary(ByteBuffer(bytes: (0..<random.below(9)).map { UInt8($0) }))
        case 6, 7, 8: .string(random.pick(["a", "b", "c", "lobby"]))
        case 9, 10: .array((0..<random.below(5)).map { _ in value(depth: depth - 1) })
        default: .object(NameMap(Dictionary((0..<random.below(5)).map { _ in (random.pick(Self.keys), value(depth: depth - 1)) }) { $1 }))
        }
    }

    /// What `Everything` can be read from, at least most of it.
    private mutating func everything() -> SocketIOValue {
        let members: [String: SocketIOValue] = [
            "a": 1, "b": 255, "c": 0.5, "d": 1, "e": "e", "f": ["f"], "g": ["g": 1], "j": 1, "n": [["a": 2]],
            "p": .binary(ByteBuffer(bytes: [1])),
        ]
        return .object(NameMap(members.filter { _ in random.below(2) == 0 }))
    }

    private static let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "_placeholder", "num"]

    // MARK: Messages of other nodes

    private mutating func appendMessage(to script: inout FuzzScript) {
        let kind = random.pick(ClusterMessageKind.allCases)
        var bits = FuzzScript.HeaderBits(rawValue: UInt8(random.below(32)))
        // Each loss of messages makes sessions unreliable for a while.
        if random.below(3) > 0 { bits.remove(.nowhere) }
        if random.below(12) > 0 { bits.remove(.ahead) }
        if kind.isRequest { bits.insert(.asks) }
        append(.message, message(sample(kind), bits), to: &script)
    }

    private mutating func message(_ body: ClusterBody, _ bits: FuzzScript.HeaderBits) -> ByteBuffer? {
        guard let payload = try? ClusterPayloadCoder.encode(body) else { return nil }
        var bytes = ByteBuffer(bytes: [body.kind.rawValue, bits.rawValue])
        bytes.writeImmutableBuffer(damaged(payload))
        return bytes
    }

    private mutating func appendDocument(to script: inout FuzzScript) {
        #if MongoDB
        let message = ClusterMessage(header: header(random.pick(ClusterMessageKind.allCases)), body: .leave)
        let body = sample(message.header.kind)
        let (kind, documents) = documents(of: ClusterMessage(header: message.header, body: body))
        for document in documents { script.append(kind, damaged(document)) }
        #endif
    }

    #if MongoDB
    private mutating func documents(of message: ClusterMessage) -> (FuzzScript.Kind, [ByteBuffer]) {
        switch random.below(4) {
        case 0: return (.native, (try? NativeWireFormat(cluster: "c").encode(message, createdAt: 0).map(\.bytes)) ?? [])
        case 1:
            let batch = (0..<(1 + random.below(4))).map { _ in
                let header = header(random.pick([.broadcast, .addSockets, .rooms]))
                return ClusterMessage(header: header, body: sample(header.kind))
            }
            return (.native, NativeWireFormat(cluster: "c").encode(batch, createdAt: 0, limit: 1 << 20).documents.map(\.bytes))
        case 2:
            let foreign = NodeJSWireFormat(addsCreatedAt: false, life: random.below(2) == 0 ? 0 : 9)
            foreign.serve(format, recovers: true)
            return (.nodeJS, (try? foreign.encode(message, createdAt: 0).map(\.bytes)) ?? [])
        default: return (.socketioxide, (try? SocketioxideWireFormat(hasDates: true).encode(message, createdAt: 0).map(\.bytes)) ?? [])
        }
    }

    private mutating func header(_ kind: ClusterMessageKind) -> ClusterHeader {
        ClusterHeader(
            id: MessageID(seconds: 1_700_000_000, process: random.next() & 0xffff, counter: random.next()),
            kind: kind,
            namespace: random.below(8) == 0 ? "" : "/",
            origin: random.below(3) == 0
                ? NodeIdentity(id: "KxIxF8MtSn-H4Ann", epoch: 0) : NodeIdentity(id: FuzzServer.stranger, epoch: random.next() >> 1),
            target: random.below(4) == 0 ? FuzzServer.node : nil,
            request: kind.isRequest || kind.isAnswer ? .init(high: random.next(), low: random.below(2) == 0 ? 0 : 5) : nil,
            stamp: kind.isMembership ? nil : .init(lane: 0, number: random.pick([1, 2, 100, .max >> 1, 1 << 40]), void: [3...4])
        )
    }
    #endif

    private mutating func options() -> BroadcastOptions {
        var options = BroadcastOptions(
            rooms: (0..<random.below(3)).map { _ in random.pick(["a", "b", "lobby"]) },
            except: (0..<random.below(2)).map { _ in random.pick(["c", "lobby"]) }
        )
        options.flags.volatile = random.below(4) == 0
        options.flags.expectSingleResponse = random.below(4) == 0
        if random.below(3) == 0 { options.flags.timeout = .milliseconds(random.pick([0, 1, 5_000, Int64.max >> 20])) }
        return options
    }

    /// An event as another node sends it. Damaged here, what is around it still is what it was.
    private mutating func packet() -> BroadcastPacket {
        let offset = MessageID(seconds: 1_700_000_000, process: 9, counter: UInt64(random.below(64)))
        let encoder = PacketEncoder(format: random.below(10) == 0 ? random.pick(PacketFormat.allCases) : format)
        let packet = try? encoder.event("said", namespace: "/") { writer in
            try writer.append(value(depth: 2))
            try writer.append(offset.description)
        }
        guard let packet else {
            return BroadcastPacket(EncodedPacket(message: ByteBuffer(), isBinary: format == .messagePack), offset: offset)
        }
        let message = random.below(2) == 0 ? packet.message : damaged(packet.message)
        let encoded = EncodedPacket(message: message, isBinary: packet.isBinary, attachments: packet.attachments)
        return BroadcastPacket(encoded, offset: random.below(2) == 0 ? offset : nil)
    }

    private mutating func arguments(_ parser: PacketFormat? = nil) -> EventArguments {
        let encoded = try? PacketEncoder(format: parser ?? random.pick(PacketFormat.allCases)).arguments { writer in
            try writer.append("server")
            for _ in 0..<random.below(3) { try writer.append(value(depth: 2)) }
        }
        return encoded ?? .empty(format)
    }

    private mutating func sample(_ kind: ClusterMessageKind) -> ClusterBody {
        switch kind {
        case .broadcast: .broadcast(packet(), options())
        case .broadcastWithAck: .broadcastWithAck(packet(), options())
        case .disconnectSockets: .disconnectSockets(options(), closeConnection: random.below(2) == 0)
        case .rooms: .rooms(options())
        case .addSockets: .addSockets(options(), rooms: ["a", "lobby"])
        case .removeSockets: .removeSockets(options(), rooms: ["b"])
        case .fetchSockets: .fetchSockets(options())
        case .serverSideEmit: .serverSideEmit(arguments())
        case .serverSideEmitWithAck: .serverSideEmitWithAck(arguments(), timeout: .seconds(5))
        case .claimSession: .claimSession(pid: random.pick(["x", "secretsecretsec.\(FuzzServer.node)"]), offset: packet().offset)
        case .heartbeat: .heartbeat(heartbeat())
        case .initialHeartbeat: .initialHeartbeat(heartbeat())
        case .draining: .draining
        case .leave: .leave
        default: answer(kind)
        }
    }

    private mutating func answer(_ kind: ClusterMessageKind) -> ClusterBody {
        switch kind {
        case .acknowledgementCount: .acknowledgementCount(random.pick([0, 1, 2, Int(UInt32.max)]))
        case .acknowledgement: .acknowledgement(arguments())
        case .roomsAnswer: .roomsAnswer(["a", "b"])
        case .fetchSocketsAnswer: .fetchSocketsAnswer([description()], hasMore: random.below(2) == 0)
        case .serverSideEmitAnswer: .serverSideEmitAnswer(arguments())
        case .sessionAnswer: .sessionAnswer(random.below(4) == 0 ? nil : session())
        case .errorAnswer: .errorAnswer("no")
        default: .acknowledgementsEnd
        }
    }

    private mutating func heartbeat() -> ClusterHeartbeat {
        let number: UInt64 = random.pick([0, 0, 0, 0, 1, 1, 1_000, .max, .max - 1])
        let stamp = NumberStamp(lane: UInt8(random.below(3)), number: number, void: random.below(2) == 0 ? [1...5, 3...UInt64.max] : [])
        let target = random.below(2) == 0 ? FuzzServer.node : nil
        return ClusterHeartbeat(beat: random.pick([0, 1, .max]), positions: [.init(target: target, stamp: stamp)])
    }

    private mutating func data() -> EncodedValue {
        EncodedObject.encode(["key": value(depth: 2)]) { try MessagePackEncoder().encode($0) }
    }

    private mutating func description() -> SocketDescription {
        SocketDescription(id: "s", handshake: Handshake(issued: random.pick([0, .min, .max]), auth: data()), rooms: ["s"], data: data())
    }

    private mutating func session() -> ClaimedSession {
        ClaimedSession(
            state: SessionState(id: random.pick(["s", "", "KxIxF8MtSn-H4Bo"]), rooms: ["s", "lobby"], data: data()),
            missed: (0..<random.below(4)).map { _ in packet() },
            known: [],
            positions: random.below(2) == 0
                ? [] : [.init(origin: NodeIdentity(id: FuzzServer.stranger, epoch: 1), number: random.pick([1, .max]))]
        )
    }

    // MARK: Damage

    private static let bytes: [UInt8] = [
        0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc9, 0xca, 0xcb, 0xcf,
        0xd3,
        0xd4, 0xd8, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff, 0x22, 0x2c, 0x2d, 0x2f, 0x30, 0x35, 0x39, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d,
    ]

    /// The bytes as they are, or with something wrong.
    private mutating func damaged(_ original: ByteBuffer) -> ByteBuffer {
        guard random.below(4) > 0 else { return original }
        var bytes = Array(original.readableBytesView)
        for _ in 0...random.below(3) where !bytes.isEmpty {
            // The first bytes decide most.
            let index = random.below(2) == 0 ? random.below(bytes.count) : random.below(min(8, bytes.count))
            switch random.below(7) {
            case 0: bytes[index] ^= 1 << UInt8(random.below(8))
            case 1, 2, 3: bytes[index] = random.pick(Self.bytes)
            case 4: bytes.removeSubrange(index...)
            case 5: bytes.insert(random.pick(Self.bytes), at: index)
            default: for position in index..<min(index + 8, bytes.count) { bytes[position] = 0xff }
            }
        }
        return ByteBuffer(bytes: bytes)
    }
}

/// A generator of random numbers that begins where its seed says.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
}
