// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCore
import SocketIOMessagePack
import SocketIOText

/// Reads the fields of message bodies. Any input is either read or refused, and nothing is allocated for sizes that it merely declares.
struct PayloadReader {
    private var input: MessagePackReader
    /// The message's id.
    private let messageID: MessageID

    init(_ bytes: ByteBuffer, offset: MessageID) {
        self.input = MessagePackReader(bytes)
        self.messageID = offset
    }

    mutating func readBody(_ kind: ClusterMessageKind) throws -> ClusterBody {
        let body: ClusterBody =
            switch kind {
            case .broadcast, .broadcastWithAck, .disconnectSockets, .rooms, .addSockets, .removeSockets, .fetchSockets:
                try readOperation(kind)
            case .serverSideEmit, .serverSideEmitWithAck, .claimSession: try readServerRequest(kind)
            case .heartbeat: .heartbeat(try readHeartbeat())
            case .initialHeartbeat: .initialHeartbeat(try readHeartbeat())
            case .draining: try fields(0) { _ in .draining }
            case .leave: try fields(0) { _ in .leave }
            default: try readAnswer(kind)
            }
        try input.expectEnd()
        return body
    }

    /// Reads an array of at least `count` fields, and steps over those that are not known.
    private mutating func fields<T>(_ count: Int, _ read: (inout PayloadReader) throws -> T) throws -> T {
        try fields(count, optional: 0) { reader, _ in try read(&reader) }
    }

    /// The same with fields that may be missing; `read` gets the number of those that it must read.
    private mutating func fields<T>(_ count: Int, optional: Int, _ read: (inout PayloadReader, Int) throws -> T) throws -> T {
        let found = try input.readArrayHeader()
        guard found >= count else { throw ClusterError(.malformed, "an array has \(found) field(s) instead of \(count)") }
        let known = min(found, count + optional)
        let result = try read(&self, known - count)
        for _ in known..<found { _ = try input.skip() }
        return result
    }

    private mutating func list<T>(_ read: (inout PayloadReader) throws -> T) throws -> [T] {
        var result: [T] = []
        for _ in 0..<(try input.readArrayHeader()) { result.append(try read(&self)) }
        return result
    }

    private mutating func readOperation(_ kind: ClusterMessageKind) throws -> ClusterBody {
        try fields(kind == .rooms || kind == .fetchSockets ? 1 : 2) { reader in
            let options = try reader.readOptions()
            switch kind {
            case .broadcast: return .broadcast(try reader.readPacket(), options)
            case .broadcastWithAck: return .broadcastWithAck(try reader.readPacket(), options)
            case .disconnectSockets: return .disconnectSockets(options, closeConnection: try reader.input.readBool())
            case .addSockets: return .addSockets(options, rooms: try reader.readRooms())
            case .removeSockets: return .removeSockets(options, rooms: try reader.readRooms())
            case .fetchSockets: return .fetchSockets(options)
            default: return .rooms(options)
            }
        }
    }

    private mutating func readServerRequest(_ kind: ClusterMessageKind) throws -> ClusterBody {
        switch kind {
        case .serverSideEmit: try fields(1) { .serverSideEmit(try $0.readArguments()) }
        case .serverSideEmitWithAck:
            try fields(2) { .serverSideEmitWithAck(try $0.readArguments(), timeout: .milliseconds(try $0.readMilliseconds())) }
        default: try fields(2) { .claimSession(pid: try $0.readString(atMost: Self.pidLimit), offset: try $0.readID()) }
        }
    }

    private mutating func readAnswer(_ kind: ClusterMessageKind) throws -> ClusterBody {
        switch kind {
        case .acknowledgementCount:
            let count = try fields(1) { try $0.input.readInteger(as: UInt32.self) }
            return .acknowledgementCount(Int(count))
        case .acknowledgement: return try fields(1) { .acknowledgement(try $0.readArguments()) }
        case .roomsAnswer: return try fields(1) { .roomsAnswer(NameSet(try $0.readStrings())) }
        case .fetchSocketsAnswer:
            return try fields(2) {
                let sockets = try $0.list { try $0.readSocket() }
                return .fetchSocketsAnswer(sockets, hasMore: try $0.input.readBool())
            }
        case .serverSideEmitAnswer: return try fields(1) { .serverSideEmitAnswer(try $0.readArguments()) }
        case .sessionAnswer: return try fields(1) { .sessionAnswer(try $0.readSession()) }
        case .errorAnswer: return try fields(1) { .errorAnswer(try $0.readString(atMost: Self.reasonLimit)) }
        default: return try fields(0) { _ in .acknowledgementsEnd }
        }
    }

    // MARK: Parts

    /// More bytes than a private session id has.
    private static let pidLimit = 512
    /// More rooms than any operation should name, and more attachments than any packet should have.
    private static let (roomLimit, attachmentLimit) = (1_000_000, 1_000_000)
    /// More ranges of void numbers than a sender lists.
    private static let voidLimit = 256
    /// The longest reason for which an answer is missing.
    private static let reasonLimit = 4_000

    /// Reads a string of a limited length; what is longer is not looked at.
    private mutating func readString(atMost limit: Int) throws -> String {
        let text = try input.readString()
        guard text.utf8.count <= limit else {
            throw ClusterError(.malformed, "a name has \(text.utf8.count) bytes instead of at most \(limit)")
        }
        return text
    }

    private mutating func readNodeID() throws -> NodeID { try readString(atMost: NodeIdentity.idLimit) }

    private mutating func list<T>(atMost limit: Int, _ read: (inout PayloadReader) throws -> T) throws -> [T] {
        let count = try input.readArrayHeader()
        guard count <= limit else { throw ClusterError(.malformed, "a list has \(count) entries instead of at most \(limit)") }
        var result: [T] = []
        for _ in 0..<count { result.append(try read(&self)) }
        return result
    }

    private mutating func readStrings() throws -> [String] { try list { try $0.input.readString() } }

    /// Rooms of an operation. An operation on more is refused later on, with the configuration's limit; nothing is allocated for millions.
    private mutating func readRooms() throws -> [String] { try list(atMost: Self.roomLimit) { try $0.input.readString() } }

    private mutating func readMap() throws -> NameMap<String> {
        var result = NameMap<String>()
        for _ in 0..<(try input.readMapHeader()) { result[try input.readString()] = try input.readString() }
        return result
    }

    private mutating func readID() throws -> MessageID? {
        if input.readNil() { return nil }
        let bytes = try input.readBinary()
        guard bytes.readableBytes == 12, let id = MessageID(bytes, at: bytes.readerIndex) else {
            throw ClusterError(.malformed, "a message id has not 12 bytes")
        }
        return id
    }

    /// A time of at most 24 days, so that no sum of times overflows.
    private mutating func readMilliseconds() throws -> Int64 {
        min(max(try input.readInteger(as: Int64.self), 0), Int64(Int32.max))
    }

    private mutating func readFormat() throws -> PacketFormat {
        guard let format = PacketFormat(rawValue: try input.readInteger()) else {
            throw ClusterError(.malformed, "a packet is of a parser that is not known")
        }
        return format
    }

    private mutating func readOptions() throws -> BroadcastOptions {
        try fields(4) { reader in
            var options = BroadcastOptions(rooms: try reader.readRooms(), except: try reader.readRooms())
            let flags = FlagBits(rawValue: try reader.input.readInteger())
            options.flags.volatile = flags.contains(.volatile)
            options.flags.compress = !flags.contains(.uncompressed)
            options.flags.expectSingleResponse = flags.contains(.single)
            options.flags.timeout = reader.input.readNil() ? nil : .milliseconds(try reader.readMilliseconds())
            return options
        }
    }

    private mutating func readPacket() throws -> BroadcastPacket {
        try fields(4) { reader in
            let format = try reader.readFormat()
            let offset = try reader.readID()
            let message = try reader.input.readBinary()
            let attachments = try reader.readAttachments()
            let encoded = EncodedPacket(message: message, isBinary: format == .messagePack, attachments: attachments)
            return BroadcastPacket(encoded, offset: offset)
        }
    }

    private mutating func readAttachments() throws -> [ByteBuffer] {
        try list(atMost: Self.attachmentLimit) { try $0.input.readBinary() }
    }

    private mutating func readArguments() throws -> EventArguments {
        try fields(4) { reader in
            let format = try reader.readFormat()
            let count = try reader.input.readInteger(as: Int.self)
            let region = try reader.input.readBinary()
            let attachments = try reader.readAttachments()
            guard let arguments = EventArguments(region: region, count: count, format: format, attachments: attachments) else {
                throw ClusterError(.malformed, "the arguments of an event cannot be parsed")
            }
            return arguments
        }
    }

    private mutating func readValue() throws -> EncodedValue? {
        if input.readNil() { return nil }
        return try fields(3) { reader in
            let value = EncodedValue(
                format: try reader.readFormat(),
                bytes: try reader.input.readBinary(),
                attachments: try reader.readAttachments()
            )
            guard value.attachments.isEmpty || value.format == .json && JSONScanner.hasSoundPlaceholders(value.bytes, value.attachments)
            else {
                throw ClusterError(.malformed, "a value has placeholders that stand for no attachment of their own")
            }
            return value
        }
    }

    private mutating func readSocket() throws -> SocketDescription {
        try fields(4, optional: 1) { reader, more in
            let id = try reader.input.readString()
            let rooms = NameSet(try reader.readStrings())
            let data = try reader.readData()
            var socket = SocketDescription(id: id, handshake: try reader.readHandshake(), rooms: rooms, data: data)
            if more > 0 { socket.omitted = .init(rawValue: try reader.input.readInteger(as: UInt8.self)) }
            return socket
        }
    }

    private mutating func readHandshake() throws -> Handshake {
        try fields(8) { reader in
            Handshake(
                headers: try reader.readMap(),
                query: try reader.readMap(),
                url: try reader.input.readString(),
                address: try reader.input.readString(),
                issued: try reader.input.readInteger(),
                isCrossDomain: try reader.input.readBool(),
                secure: try reader.input.readBool(),
                auth: try reader.readValue()
            )
        }
    }

    private mutating func readHeartbeat() throws -> ClusterHeartbeat {
        try fields(3) { reader in
            ClusterHeartbeat(
                beat: try reader.input.readInteger(),
                isDraining: try reader.input.readBool(),
                positions: try reader.list(atMost: ClusterHeartbeat.positionLimit) { try $0.readPosition() }
            )
        }
    }

    private mutating func readPosition() throws -> ClusterHeartbeat.Position {
        try fields(4) { reader in
            let target: String? = reader.input.readNil() ? nil : try reader.readNodeID()
            let lane = try reader.input.readInteger(as: UInt8.self)
            let number = try reader.input.readInteger(as: UInt64.self)
            let bounds = try reader.list(atMost: 2 * Self.voidLimit) { try $0.input.readInteger(as: UInt64.self) }
            return .init(target: target, stamp: NumberStamp(lane: lane, number: number, void: try Self.ranges(bounds)))
        }
    }

    private static func ranges(_ bounds: [UInt64]) throws -> [ClosedRange<UInt64>] {
        guard bounds.count.isMultiple(of: 2) else { throw ClusterError(.malformed, "a range has no end") }
        return try stride(from: 0, to: bounds.count, by: 2).map { index in
            guard bounds[index] <= bounds[index + 1] else { throw ClusterError(.malformed, "a range ends before it starts") }
            return bounds[index]...bounds[index + 1]
        }
    }

    mutating func readStoredSession() throws -> StoredSessionContent {
        let content = try fields(5) { reader in
            let owner = NodeIdentity(id: try reader.readNodeID(), epoch: try reader.input.readInteger())
            let age = TimeAmount.milliseconds(try reader.readMilliseconds())
            let base = try reader.readID()
            guard let session = try reader.readSession() else { throw ClusterError(.malformed, "the session is missing") }
            return StoredSessionContent(owner: owner, age: age, base: base, session: session)
        }
        try input.expectEnd()
        return content
    }

    mutating func readSnapshot() throws -> SessionSnapshot {
        let snapshot = try fields(7) { reader in
            SessionSnapshot(
                owner: NodeIdentity(id: try reader.readNodeID(), epoch: try reader.input.readInteger()),
                state: try reader.readState(),
                start: try reader.readID(),
                isMoved: try reader.input.readBool()
            )
        }
        try input.expectEnd()
        return snapshot
    }

    private mutating func readState() throws -> SessionState {
        SessionState(
            id: try input.readString(),
            rooms: NameSet(try readStrings()),
            data: try readData()
        )
    }

    private mutating func readData() throws -> EncodedValue { try readValue() ?? EncodedObject.empty }

    private mutating func readSession() throws -> ClaimedSession? {
        if input.readNil() { return nil }
        return try fields(6) { reader in
            ClaimedSession(
                state: try reader.readState(),
                missed: try reader.list { try $0.readPacket() },
                known: try reader.list { reader in
                    guard let id = try reader.readID() else { throw ClusterError(.malformed, "a message id is missing") }
                    return id
                },
                positions: try reader.list { try $0.readOriginPosition() }
            )
        }
    }

    private mutating func readOriginPosition() throws -> ClaimedSession.OriginPosition {
        try fields(3) { reader in
            let id = try reader.readNodeID()
            let epoch = try reader.input.readInteger(as: UInt64.self)
            return .init(origin: NodeIdentity(id: id, epoch: epoch), number: try reader.input.readInteger())
        }
    }
}

extension EventArguments {
    /// Arguments as they travel between servers: the bytes from the first to the last, separators included.
    ///
    /// - Returns: nil if the bytes are not `count` values of the format.
    init?(region: ByteBuffer, count: Int, format: PacketFormat, attachments: [ByteBuffer]) {
        var array = ByteBuffer()
        let ranges: ElementRanges?
        switch format {
        case .json:
            array.writeInteger(UInt8(ascii: "["))
            array.writeImmutableBuffer(region)
            array.writeInteger(UInt8(ascii: "]"))
            ranges = JSONScanner.elements(of: array, from: array.readerIndex)
        case .messagePack:
            guard attachments.isEmpty, count >= 0, count <= region.readableBytes else { return nil }
            MessagePackPacket.writeArrayHeader(count, to: &array)
            array.writeImmutableBuffer(region)
            ranges = MessagePackPacket.elements(ofArray: array)
        }
        guard let ranges, ranges.count == count, attachments.isEmpty || JSONScanner.hasSoundPlaceholders(array, attachments) else {
            return nil
        }
        self.init(format: format, bytes: array, ranges: ranges, attachments: attachments)
    }
}
