// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import EngineIOCore
import SocketIOCluster
import SocketIOMessagePack
import NIOCore
import SocketIOCore
import SocketIOText

/// Writes payloads as `socketioxide` does, byte for byte.
struct SocketioxidePayloadWriter {
    private var output = MessagePackWriter()
    private let header: ClusterHeader

    /// The payload of a message.
    ///
    /// - Returns: nil if the format has no document for the message, and other nodes do not need it.
    /// - Throws: ``SocketIOCluster/ClusterError`` with `unsupported` if the format has no document for a message that other nodes need.
    static func payload(of message: ClusterMessage) throws -> ByteBuffer? {
        var writer = SocketioxidePayloadWriter(message.header)
        do {
            return try writer.write(message.body) ? writer.output.buffer : nil
        } catch let error as MessagePackError {
            throw ClusterError(.tooLarge, "the message is too large to be encoded", cause: error)
        }
    }

    private init(_ header: ClusterHeader) { self.header = header }

    private mutating func write(_ body: ClusterBody) throws -> Bool {
        switch body {
        case .serverSideEmit, .serverSideEmitWithAck: throw SocketioxidePayload.unsupported("events between servers")
        case .claimSession: throw SocketioxidePayload.unsupported("the recovery of sessions of other nodes")
        // Other nodes detect it by the missing heartbeats, and failed requests time out.
        case .draining, .leave, .errorAnswer, .serverSideEmitAnswer, .sessionAnswer: return false
        default: break
        }
        if let type = SocketioxidePayload.RequestType(body.kind) {
            try writeRequest(type, body)
        } else {
            try writeResponse(body)
        }
        return true
    }

    // MARK: Requests

    private mutating func writeRequest(_ type: SocketioxidePayload.RequestType, _ body: ClusterBody) throws {
        try output.writeArrayHeader(count: 6)
        try output.write(header.origin.id)
        try output.write(header.request.map { SocketioxideID.text($0) } ?? SocketioxideID.text(header.id))
        output.write(UInt64(type.rawValue))
        switch body {
        case .broadcast(let packet, let options), .broadcastWithAck(let packet, let options):
            try write(packet)
            output.writeNil()
            try write(options)
        case .addSockets(let options, let rooms), .removeSockets(let options, let rooms):
            output.writeNil()
            try write(Array(rooms))
            try write(options)
        case .disconnectSockets(let options, _), .rooms(let options), .fetchSockets(let options):
            writeNils(2)
            try write(options)
        default: writeNils(3)
        }
    }

    private mutating func writeNils(_ count: Int) { for _ in 0..<count { output.writeNil() } }

    private mutating func write(_ strings: some Collection<String>) throws {
        try output.writeArrayHeader(count: strings.count)
        for string in strings { try output.write(string) }
    }

    /// Flags, rooms, exceptions, a socket, a node.
    private mutating func write(_ options: BroadcastOptions) throws {
        try output.writeArrayHeader(count: 5)
        var flags = options.flags.volatile ? SocketioxidePayload.Flags.volatile : []
        // Sockets are in no room of their own there: one that is known where it is has to be named as a socket.
        if let node = options.node, options.rooms.count == 1, options.except.isEmpty, SocketioxideID.isValid(options.rooms[0]) {
            output.write(UInt64(flags.rawValue))
            for _ in 0..<2 { try output.writeArrayHeader(count: 0) }
            try output.write(options.rooms[0])
            return try output.write(node)
        }
        flags.insert(.broadcast)
        output.write(UInt64(flags.rawValue))
        try write(options.rooms)
        try write(options.except.filter { $0 != options.sender })
        // A name that may be a socket's id as well as a room is excluded as both.
        try write(id: options.sender ?? options.except.first(where: SocketioxideID.isValid))
        try write(id: options.node)
    }

    private mutating func write(id: String?) throws {
        if let id, SocketioxideID.isValid(id) { try output.write(id) } else { output.writeNil() }
    }

    /// Namespace, type, value, acknowledgement id, error.
    private mutating func write(_ packet: BroadcastPacket) throws {
        let encoded = packet.encoded
        let event: EventArguments
        do { event = try encoded.elements() } catch { throw ClusterError(.notSent, "the packet is not an event", cause: error) }
        // Clients of other nodes would take the offset for an argument.
        let array = (packet.offset == nil ? event : event.dropLast()).array
        try output.writeArrayHeader(count: 5)
        try output.write(header.namespace)
        let type = encoded.attachments.isEmpty ? PacketType.event : .binaryEvent
        output.write(UInt64(type.rawValue))
        try write(array, event.format, event.attachments)
        writeNils(2)
    }

    /// Kind, bytes one by one, attachments.
    private mutating func write(_ array: ByteBuffer, _ format: PacketFormat, _ attachments: [ByteBuffer]) throws {
        try output.writeArrayHeader(count: 3)
        output.write(UInt64(format.rawValue))
        try write(integersOf: array)
        guard !attachments.isEmpty else { return output.writeNil() }
        try output.writeArrayHeader(count: attachments.count)
        for attachment in attachments { try output.write(binary: attachment) }
    }

    private mutating func write(integersOf bytes: ByteBuffer) throws {
        try output.writeArrayHeader(count: bytes.readableBytes)
        output.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 2 * bytes.readableBytes) { target in
            var offset = 0
            for byte in bytes.readableBytesView {
                if byte >= 0x80 {
                    target[offset] = 0xcc
                    offset += 1
                }
                target[offset] = byte
                offset += 1
            }
            return offset
        }
    }

    // MARK: Responses

    private mutating func writeResponse(_ body: ClusterBody) throws {
        try output.writeArrayHeader(count: 2)
        try output.write(header.origin.id)
        try output.writeArrayHeader(count: 2)
        switch body {
        case .acknowledgementCount(let count):
            write(.broadcastAckCount)
            output.write(UInt64(UInt32(clamping: count)))
        case .acknowledgement(let arguments): try write(arguments)
        case .acknowledgementsEnd: try writeTimeout()
        case .roomsAnswer(let rooms):
            write(.allRooms)
            try write(Array(rooms))
        case .fetchSocketsAnswer(let sockets, _): try writeSockets(sockets)
        default: throw SocketioxidePayload.unsupported("an answer of the kind \(body.kind)")
        }
    }

    private mutating func write(_ type: SocketioxidePayload.ResponseType) { output.write(UInt64(type.rawValue)) }

    /// A client, and its answer or why there is none.
    private mutating func write(_ arguments: EventArguments) throws {
        write(.broadcastAck)
        try output.writeArrayHeader(count: 2)
        try output.write(socketID(arguments.client))
        try output.writeMapHeader(count: 1)
        try output.write("Ok")
        try write(arguments.array, arguments.format, arguments.attachments)
    }

    /// The clients that have not answered are not known, so the node's own id represents them.
    private mutating func writeTimeout() throws {
        write(.broadcastAck)
        try output.writeArrayHeader(count: 2)
        try output.write(header.origin.id)
        try output.writeMapHeader(count: 1)
        try output.write("Err")
        try output.write(SocketioxidePayload.timeout)
    }

    private func socketID(_ id: SocketID?) -> String { id.flatMap { SocketioxideID.isValid($0) ? $0 : nil } ?? header.origin.id }

    private mutating func writeSockets(_ sockets: [SocketDescription]) throws {
        write(.fetchSockets)
        try output.writeArrayHeader(count: sockets.count)
        for socket in sockets {
            guard SocketioxideID.isValid(socket.id) else {
                throw ClusterError(.notSent, "the socket id \(socket.id) has not the 16 characters that the socketioxide wire format needs")
            }
            try output.writeArrayHeader(count: 3)
            try output.write(socket.id)
            try output.write(header.origin.id)
            try output.write(header.namespace)
        }
    }
}
#endif
