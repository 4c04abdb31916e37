// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

extension NodeJSWireFormat {
    package func encode(_ message: ClusterMessage, createdAt milliseconds: Int64) throws -> [BSONDocument] {
        guard let type = Self.type(of: message) else { return [] }
        let recovers = state.withLock(\.recovers)
        return [try document(type, message.header, createdAt: milliseconds) { try write(message, recovers: recovers, to: &$0) }]
    }

    package func refusal(of body: ClusterBody, in namespace: String, limit: Int) -> ClusterError? {
        guard Self.mayBeRefused(body, limit: limit) else { return nil }
        let origin = String(repeating: "x", count: 128)
        return refusal(of: body, in: namespace, from: origin, limit: limit) { try encode($0, createdAt: 0) }
    }

    /// Whether it takes an encoding to know. JSON has only one way to write what BSON lacks, a NUL in a key. MessagePack has several, and
    /// those of its bytes that look like one may be anything.
    private static func mayBeRefused(_ body: ClusterBody, limit: Int) -> Bool {
        // In `[0,0,…]`, two bytes of JSON become 13.
        if body.estimatedByteCount > limit / 8 { return true }
        return switch body {
        case .broadcast(let packet, _), .broadcastWithAck(let packet, _):
            packet.encoded.isBinary || packet.encoded.message.hasEscapedNUL
        case .serverSideEmit(let arguments), .serverSideEmitWithAck(let arguments, _):
            arguments.format == .messagePack || arguments.region.hasEscapedNUL
        default: false
        }
    }

    /// The type of the document that represents a message; nil if there is none, because no reader of the format waits for it.
    private static func type(of message: ClusterMessage) -> NodeJSDocumentType? {
        // Requests of nodes of this package get a full answer.
        if message.header.kind.isAnswer, let request = message.header.request, !request.isForeign { return .native }
        return switch message.body {
        case .initialHeartbeat: .initialHeartbeat
        case .heartbeat: .heartbeat
        case .broadcast, .broadcastWithAck: .broadcast
        case .addSockets: .socketsJoin
        case .removeSockets: .socketsLeave
        case .disconnectSockets: .disconnectSockets
        case .fetchSockets, .rooms: .fetchSockets
        case .fetchSocketsAnswer: .fetchSocketsResponse
        case .serverSideEmit, .serverSideEmitWithAck: .serverSideEmit
        case .serverSideEmitAnswer: .serverSideEmitResponse
        case .acknowledgementCount: .broadcastClientCount
        case .acknowledgement: .broadcastAcknowledgement
        case .claimSession, .draining, .leave: .native
        // Node.js cannot express it: the request times out, as it does between Node.js servers.
        case .acknowledgementsEnd, .errorAnswer, .roomsAnswer, .sessionAnswer: nil
        }
    }

    /// The envelope, with what `write` puts into `data`.
    func document(
        _ type: NodeJSDocumentType,
        _ header: ClusterHeader,
        createdAt milliseconds: Int64,
        _ write: (inout BSONValueWriter) throws -> Void
    ) throws -> BSONDocument {
        var writer = BSONValueWriter()
        try writer.key("_id")
        try writer.write(ObjectID(header.id))
        try writer.key("type")
        try writer.write(type.rawValue)
        if type != .initialHeartbeat, type != .heartbeat {
            try writer.key("data")
            try writer.beginDocument()
            try write(&writer)
            writer.end()
        }
        try writer.key("uid")
        try writer.write(uid(of: header.origin.id))
        try writer.key("nsp")
        try writer.write(header.namespace)
        if addsCreatedAt {
            try writer.key("createdAt")
            try writer.write(dateMilliseconds: milliseconds)
        }
        return try writer.finish()
    }

    private func write(_ message: ClusterMessage, recovers: Bool, to writer: inout BSONValueWriter) throws {
        let request = message.header.request
        switch message.body {
        case _ where message.header.kind.isAnswer && request?.isForeign == false: try Self.writeNative(message, to: &writer)
        case .claimSession, .draining, .leave: try Self.writeNative(message, to: &writer)
        case .broadcast(let packet, let options):
            // A packet that is not replayed has null instead of the offset.
            let hasOffset = packet.offset != nil || (recovers && options.flags.volatile)
            try writer.write(packet, hasOffset: hasOffset, namespace: isEmitter ? message.header.namespace : nil)
            try writer.write(options, ofEmitter: isEmitter)
        case .broadcastWithAck(let packet, let options):
            try writer.write(packet, hasOffset: false)
            try writer.write(request)
            try writer.write(options)
        case .addSockets(let options, let rooms), .removeSockets(let options, let rooms):
            try writer.write(options, ofEmitter: isEmitter, hasFlags: !isEmitter)
            try writer.write("rooms", strings: rooms)
        case .disconnectSockets(let options, let closeConnection):
            try writer.write(options, ofEmitter: isEmitter, hasFlags: !isEmitter)
            try writer.key("close")
            try writer.write(closeConnection)
        case .fetchSockets(let options), .rooms(let options):
            try writer.write(options)
            try writer.write(request, wantsRooms: message.header.kind == .rooms)
        case .serverSideEmit(let arguments): try writer.write("packet", array: arguments)
        case .serverSideEmitWithAck(let arguments, _):
            try writer.write(request)
            try writer.write("packet", array: arguments)
        default: try Self.writeAnswer(message.body, to: request, &writer)
        }
    }

    private static func writeAnswer(_ body: ClusterBody, to request: ClusterRequestID?, _ writer: inout BSONValueWriter) throws {
        try writer.write(request)
        switch body {
        case .acknowledgementCount(let count):
            try writer.key("clientCount")
            try writer.write(Int32(clamping: count))
        // Node.js takes one value.
        case .acknowledgement(let arguments), .serverSideEmitAnswer(let arguments):
            try writer.key("packet")
            if let first = arguments[0] { try writer.write(first) } else { try writer.writeNull() }
        case .fetchSocketsAnswer(let sockets, _):
            try writer.key("sockets")
            try writer.beginArray()
            for socket in sockets { try writer.write(socket) }
            writer.end()
        default: break
        }
    }

    /// A message in the encoding of this package.
    private static func writeNative(_ message: ClusterMessage, to writer: inout BSONValueWriter) throws {
        try writer.key("kind")
        try writer.write(Int32(message.header.kind.rawValue))
        if let target = message.header.target {
            try writer.key("target")
            try writer.write(target)
        }
        try writer.write(message.header.request)
        try writer.key("payload")
        try writer.write(binary: try ClusterPayloadCoder.encode(message.body))
    }
}

extension BSONValueWriter {
    fileprivate mutating func write(_ request: ClusterRequestID?, wantsRooms: Bool = false) throws {
        guard let request else { return }
        try key("requestId")
        try write(NodeJSRequestID(request, wantsRooms: wantsRooms).text)
    }

    mutating func write(_ name: String, strings: some Sequence<String>) throws {
        try key(name)
        try beginArray()
        for string in strings { try write(string) }
        end()
    }

    fileprivate mutating func write(_ name: String, array arguments: EventArguments, count: Int? = nil) throws {
        try key(name)
        try beginArray()
        for index in 0..<(count ?? arguments.count) {
            if let value = arguments[index] { try write(value) }
        }
        end()
    }

    /// The packet without its offset, which is the document's id.
    fileprivate mutating func write(_ packet: BroadcastPacket, hasOffset: Bool, namespace: String? = nil) throws {
        let elements: EventArguments
        do { elements = try packet.encoded.elements() } catch {
            throw ClusterError(.notSent, "the packet is not an event", cause: error)
        }
        try key("packet")
        try beginDocument()
        try key("type")
        try write(Int32(PacketType.event.rawValue))
        try write("data", array: elements, count: max(0, hasOffset ? elements.count - 1 : elements.count))
        if let namespace {
            try key("nsp")
            try write(namespace)
        }
        end()
    }

    /// Adapters have the exceptions before the flags, emitters behind them.
    fileprivate mutating func write(_ options: BroadcastOptions, ofEmitter: Bool = false, hasFlags: Bool = true) throws {
        try key("opts")
        try beginDocument()
        try write("rooms", strings: options.rooms)
        if ofEmitter, hasFlags { try write(options.flags) }
        try write("except", strings: options.except)
        if !ofEmitter, hasFlags { try write(options.flags) }
        end()
    }

    private mutating func write(_ flags: BroadcastFlags) throws {
        try key("flags")
        try beginDocument()
        if flags.volatile { try write(flag: "volatile", true) }
        if !flags.compress { try write(flag: "compress", false) }
        if flags.expectSingleResponse { try write(flag: "expectSingleResponse", true) }
        if let timeout = flags.timeout {
            try key("timeout")
            try write(Double(timeout.nodeMilliseconds))
        }
        end()
    }

    private mutating func write(flag name: String, _ value: Bool) throws {
        try key(name)
        try write(value)
    }

    fileprivate mutating func write(_ socket: SocketDescription) throws {
        try beginDocument()
        try key("id")
        try write(socket.id)
        try key("handshake")
        try beginDocument()
        try write(socket.handshake)
        end()
        // The order of joining is not known; the socket's own room is the first.
        let others = socket.rooms.filter { $0 != socket.id }.sorted { $0 < $1 }
        try write("rooms", strings: socket.rooms.contains(socket.id) ? [socket.id] + others : others)
        try key("data")
        try write(socket.data)
        end()
    }

    private mutating func write(_ handshake: Handshake) throws {
        try write("headers", strings: handshake.headers)
        try key("time")
        try write(handshake.time)
        try key("address")
        try write(handshake.address)
        try key("xdomain")
        try write(handshake.isCrossDomain)
        try key("secure")
        try write(handshake.secure)
        try key("issued")
        try write(double: Double(handshake.issued))
        try key("url")
        try write(handshake.url)
        try write("query", strings: handshake.query)
        try key("auth")
        if let auth = handshake.auth { return try write(auth) }
        try beginDocument()
        end()
    }

    private mutating func write(_ name: String, strings: NameMap<String>) throws {
        try key(name)
        try beginDocument()
        for (name, value) in strings.sorted(by: { $0.name < $1.name }) {
            try key(name)
            try write(value)
        }
        end()
    }
}

extension ByteBuffer {
    /// Whether the JSON text has a NUL, which it can only have as an escape.
    fileprivate var hasEscapedNUL: Bool {
        withUnsafeReadableBytes { bytes in
            var index = 0
            while index < bytes.count {
                guard bytes[index] == UInt8(ascii: "\\") else {
                    index += 1
                    continue
                }
                if bytes[(index + 1)...].starts(with: "u0000".utf8) { return true }
                index += 2
            }
            return false
        }
    }
}

extension Duration {
    /// Whole milliseconds, from 0 on.
    fileprivate var nodeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < Int64(Int32.max) else { return Int64(Int32.max) * 1_000 }
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
#endif
