// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import EngineIOCore
import SocketIOCluster
import SocketIOMessagePack
import NIOCore
import SocketIOCore
import SocketIOText

/// Reads payloads of `socketioxide`. Whatever the input is, it is read or refused; nothing is allocated for what it merely declares.
struct SocketioxidePayloadReader {
    private var input: MessagePackReader
    private let namespace: String

    init(_ bytes: ByteBuffer, namespace: String) {
        self.input = MessagePackReader(bytes)
        self.namespace = namespace
    }

    /// The error of a payload that is not what it must be.
    static func malformed(_ text: String) -> ClusterError { ClusterError(.malformed, text) }

    private mutating func fields(_ count: Int) throws {
        let found = try input.readArrayHeader()
        guard found == count else { throw Self.malformed("an array has \(found) field(s) instead of \(count)") }
    }

    private mutating func readID() throws -> String {
        let id = try input.readString()
        guard SocketioxideID.isValid(id) else { throw Self.malformed("an id has not 16 characters of its alphabet") }
        return id
    }

    private mutating func readOptionalID() throws -> String? { input.readNil() ? nil : try readID() }

    private mutating func readStrings() throws -> [String] {
        var result: [String] = []
        for _ in 0..<(try input.readArrayHeader()) { result.append(try input.readString()) }
        return result
    }

    // MARK: Requests

    /// Reads the beginning of a request: who makes it, its id and its kind. What follows is left to ``readRequestBody(_:)``.
    mutating func readRequestHeader() throws -> (id: ClusterRequestID, kind: ClusterMessageKind) {
        try fields(6)
        _ = try readID()
        guard let id = SocketioxideID.request(try input.readString()) else { throw Self.malformed("the id of the request is none") }
        let raw = try input.readInteger(as: UInt8.self)
        guard let type = SocketioxidePayload.RequestType(rawValue: raw) else {
            throw Self.malformed("the request type \(raw) is not known")
        }
        return (id, type.kind)
    }

    /// Reads the rest of a request.
    mutating func readRequestBody(_ kind: ClusterMessageKind) throws -> ClusterBody {
        let packet = input.readNil() ? nil : try readPacket()
        let rooms = input.readNil() ? nil : try readStrings()
        let options = input.readNil() ? nil : try readOptions()
        try input.expectEnd()
        switch kind {
        case .heartbeat: return .heartbeat(ClusterHeartbeat(beat: 0))
        case .initialHeartbeat: return .initialHeartbeat(ClusterHeartbeat(beat: 0))
        default: break
        }
        guard let options else { throw Self.malformed("the selection of the sockets is missing") }
        switch (kind, packet, rooms) {
        case (.broadcast, let packet?, _): return .broadcast(packet, options)
        case (.broadcastWithAck, let packet?, _): return .broadcastWithAck(packet, options)
        case (.disconnectSockets, _, _): return .disconnectSockets(options, closeConnection: false)
        case (.rooms, _, _): return .rooms(options)
        case (.addSockets, _, let rooms?): return .addSockets(options, rooms: rooms)
        case (.removeSockets, _, let rooms?): return .removeSockets(options, rooms: rooms)
        case (.fetchSockets, _, _): return .fetchSockets(options)
        default: throw Self.malformed("the packet or the rooms are missing")
        }
    }

    private mutating func readOptions() throws -> BroadcastOptions {
        try fields(5)
        let flags = SocketioxidePayload.Flags(rawValue: try input.readInteger())
        guard !flags.contains(.local) else { throw Self.malformed("the operation is for the sender's own sockets only") }
        let rooms = try readStrings()
        let except = try readStrings()
        let socket = try readOptionalID()
        var options = Self.selection(flags, rooms: rooms, except: except, socket: socket)
        options.flags.volatile = flags.contains(.volatile)
        options.node = try readOptionalID()
        return options
    }

    /// Rooms come first; without rooms, all sockets if the flag says so; otherwise one socket. The sender of a broadcast is excluded.
    private static func selection(
        _ flags: SocketioxidePayload.Flags,
        rooms: [Room],
        except: [Room],
        socket: SocketID?
    ) -> BroadcastOptions {
        guard flags.contains(.broadcast) else {
            return rooms.isEmpty
                ? BroadcastOptions(rooms: [socket ?? SocketioxideID.unassigned]) : BroadcastOptions(rooms: rooms, except: except)
        }
        var options = BroadcastOptions(rooms: rooms, except: except)
        if let socket {
            if !except.contains(socket) { options.sender = socket }
            options.except.append(socket)
        }
        return options
    }

    private mutating func readPacket() throws -> BroadcastPacket {
        try fields(5)
        _ = try input.readString()
        let type = PacketType(rawValue: try input.readInteger())
        guard type == .event || type == .binaryEvent else { throw Self.malformed("the packet is not an event") }
        let value = try readValue()
        // An acknowledgement id, and an error.
        for _ in 0..<2 { try input.skip() }
        let event = try EventArguments(array: value.array, format: value.format, attachments: value.attachments)
        guard NamespaceName.isShort(namespace), (try? event.decode(String.self, at: 0)) != nil else {
            throw Self.malformed("the event has no name, or the name of its namespace is too long")
        }
        return BroadcastPacket(try EncodedPacket.event(event, offset: .none, namespace: namespace))
    }

    private mutating func readValue() throws -> (array: ByteBuffer, format: PacketFormat, attachments: [ByteBuffer]) {
        try fields(3)
        guard let format = PacketFormat(rawValue: try input.readInteger()) else { throw Self.malformed("the parser is not known") }
        let array = try readIntegers()
        guard !input.readNil() else { return (array, format, []) }
        var attachments: [ByteBuffer] = []
        for _ in 0..<(try input.readArrayHeader()) { attachments.append(try input.readBinary()) }
        return (array, format, attachments)
    }

    /// Reads an array of bytes, each of them an integer.
    private mutating func readIntegers() throws -> ByteBuffer {
        // At most as many as bytes are left.
        let count = try input.readArrayHeader()
        var rest = input.remaining
        var result = ByteBuffer()
        let used = rest.withUnsafeReadableBytes { source in
            var position = 0
            result.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
                for index in 0..<count {
                    if position < source.count, source[position] == 0xcc {
                        position += 1
                    } else if position >= source.count || source[position] >= 0x80 {
                        return index
                    }
                    guard position < source.count else { return index }
                    target[index] = source[position]
                    position += 1
                }
                return count
            }
            return position
        }
        guard result.readableBytes == count else { throw Self.malformed("a value is not an array of bytes") }
        rest.moveReaderIndex(forwardBy: used)
        input = MessagePackReader(rest)
        return result
    }

    // MARK: Responses

    /// The content of a response.
    enum Response {
        case answer(ClusterBody)
        /// A client will not acknowledge: it was too slow, or is gone.
        case failure(client: SocketID)
    }

    /// Reads a response.
    mutating func readResponse() throws -> Response {
        try fields(2)
        _ = try readID()
        try fields(2)
        let raw = try input.readInteger(as: UInt8.self)
        guard let type = SocketioxidePayload.ResponseType(rawValue: raw) else {
            throw Self.malformed("the response type \(raw) is not known")
        }
        let response: Response =
            switch type {
            case .broadcastAck: try readAcknowledgement()
            case .broadcastAckCount: .answer(.acknowledgementCount(Int(try input.readInteger(as: UInt32.self))))
            case .allRooms: .answer(.roomsAnswer(NameSet(try readStrings())))
            case .fetchSockets: .answer(.fetchSocketsAnswer(try readSockets(), hasMore: false))
            }
        try input.expectEnd()
        return response
    }

    private mutating func readAcknowledgement() throws -> Response {
        try fields(2)
        let client = try readID()
        guard try input.readMapHeader() == 1 else { throw Self.malformed("a result is neither a value nor an error") }
        switch try input.readString() {
        case "Ok":
            let value = try readValue()
            var arguments = try EventArguments(array: value.array, format: value.format, attachments: value.attachments)
            arguments.client = client
            return .answer(.acknowledgement(arguments))
        case "Err":
            // "Timeout", or an object.
            try input.skip()
            return .failure(client: client)
        default: throw Self.malformed("a result is neither a value nor an error")
        }
    }

    private mutating func readSockets() throws -> [SocketDescription] {
        var result: [SocketDescription] = []
        for _ in 0..<(try input.readArrayHeader()) {
            try fields(3)
            let id = try readID()
            let node = try readID()
            _ = try input.readString()
            let data = EncodedObject.empty
            result.append(SocketDescription(id: id, handshake: Handshake(), data: data, node: node))
        }
        return result
    }
}
#endif
