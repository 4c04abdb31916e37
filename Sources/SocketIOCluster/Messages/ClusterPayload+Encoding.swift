// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCore
import SocketIOMessagePack
import SocketIOText

/// Writes the fields of message bodies.
struct PayloadWriter {
    var output = MessagePackWriter()

    mutating func write(_ body: ClusterBody) throws {
        switch body {
        case .broadcast(let packet, let options), .broadcastWithAck(let packet, let options):
            try array(2)
            try write(options)
            try write(packet)
        case .disconnectSockets(let options, let closeConnection):
            try array(2)
            try write(options)
            output.write(closeConnection)
        case .rooms(let options), .fetchSockets(let options):
            try array(1)
            try write(options)
        case .addSockets(let options, let rooms), .removeSockets(let options, let rooms):
            try array(2)
            try write(options)
            try write(strings: rooms)
        case .serverSideEmit(let arguments), .acknowledgement(let arguments), .serverSideEmitAnswer(let arguments):
            try array(1)
            try write(arguments)
        case .serverSideEmitWithAck(let arguments, let timeout):
            try array(2)
            try write(arguments)
            output.write(timeout.wholeMilliseconds)
        default: try writeOther(body)
        }
    }

    private mutating func writeOther(_ body: ClusterBody) throws {
        switch body {
        case .heartbeat(let heartbeat), .initialHeartbeat(let heartbeat): try write(heartbeat)
        case .acknowledgementCount(let count):
            try array(1)
            output.write(count)
        case .roomsAnswer(let rooms):
            try array(1)
            try write(strings: rooms)
        case .fetchSocketsAnswer(let sockets, let hasMore):
            try array(2)
            try array(sockets.count)
            for socket in sockets { try write(socket) }
            output.write(hasMore)
        case .errorAnswer(let text):
            try array(1)
            try output.write(text)
        case .claimSession(let pid, let offset):
            try array(2)
            try output.write(pid)
            try write(offset)
        case .sessionAnswer(let session):
            try array(1)
            try write(session)
        default: try array(0)
        }
    }

    private mutating func array(_ count: Int) throws { try output.writeArrayHeader(count: count) }

    private mutating func write(strings: [String]) throws {
        try array(strings.count)
        for string in strings { try output.write(string) }
    }

    private mutating func write(strings: NameSet) throws {
        try array(strings.count)
        for string in strings { try output.write(string) }
    }

    private mutating func write(_ id: MessageID?) throws {
        guard let id else { return output.writeNil() }
        try output.writeBinaryHeader(count: 12)
        id.write(to: &output.buffer)
    }

    private mutating func write(_ options: BroadcastOptions) throws {
        try array(4)
        try write(strings: options.rooms)
        try write(strings: options.except)
        var flags = FlagBits()
        if options.flags.volatile { flags.insert(.volatile) }
        if !options.flags.compress { flags.insert(.uncompressed) }
        if options.flags.expectSingleResponse { flags.insert(.single) }
        output.write(UInt64(flags.rawValue))
        if let timeout = options.flags.timeout { output.write(timeout.wholeMilliseconds) } else { output.writeNil() }
    }

    /// Format, offset, message, attachments.
    private mutating func write(_ packet: BroadcastPacket) throws {
        try array(4)
        let format: PacketFormat = packet.encoded.isBinary ? .messagePack : .json
        output.write(UInt64(format.rawValue))
        try write(packet.offset)
        try output.write(binary: packet.encoded.message)
        try write(attachments: packet.encoded.attachments)
    }

    private mutating func write(attachments: [ByteBuffer]) throws {
        try array(attachments.count)
        for attachment in attachments { try output.write(binary: attachment) }
    }

    /// Format, count, bytes from the first argument to the last, attachments.
    private mutating func write(_ arguments: EventArguments) throws {
        try array(4)
        output.write(UInt64(arguments.format.rawValue))
        output.write(arguments.count)
        try output.write(binary: arguments.region)
        try write(attachments: arguments.attachments)
    }

    private mutating func write(_ value: EncodedValue?) throws {
        guard let value else { return output.writeNil() }
        try array(3)
        output.write(UInt64(value.format.rawValue))
        try output.write(binary: value.bytes)
        try write(attachments: value.attachments)
    }

    private mutating func write(_ socket: SocketDescription) throws {
        // The last field is only there if it says something: nodes of before step over it.
        try array(socket.omitted.isEmpty ? 4 : 5)
        try output.write(socket.id)
        try write(strings: socket.rooms)
        try write(socket.data)
        try write(socket.handshake)
        if !socket.omitted.isEmpty { output.write(UInt64(socket.omitted.rawValue)) }
    }

    private mutating func write(_ handshake: Handshake) throws {
        try array(8)
        try write(map: handshake.headers)
        try write(map: handshake.query)
        try output.write(handshake.url)
        try output.write(handshake.address)
        output.write(handshake.issued)
        output.write(handshake.isCrossDomain)
        output.write(handshake.secure)
        try write(handshake.auth)
    }

    private mutating func write(map: NameMap<String>) throws {
        try output.writeMapHeader(count: map.count)
        for (key, value) in map {
            try output.write(key)
            try output.write(value)
        }
    }

    private mutating func write(_ heartbeat: ClusterHeartbeat) throws {
        try array(3)
        output.write(heartbeat.beat)
        output.write(heartbeat.isDraining)
        try array(heartbeat.positions.count)
        for position in heartbeat.positions {
            try array(4)
            if let target = position.target { try output.write(target) } else { output.writeNil() }
            output.write(UInt64(position.stamp.lane))
            output.write(position.stamp.number)
            try array(2 * position.stamp.void.count)
            for range in position.stamp.void {
                output.write(range.lowerBound)
                output.write(range.upperBound)
            }
        }
    }

    /// Owner, epoch, age in milliseconds, base, session.
    mutating func write(_ content: StoredSessionContent) throws {
        try array(5)
        try output.write(content.owner.id)
        output.write(content.owner.epoch)
        output.write(content.age.nanoseconds / 1_000_000)
        try write(content.base)
        try write(content.session)
    }

    /// Owner, epoch, id, rooms, data, start, whether it was moved.
    mutating func write(_ snapshot: SessionSnapshot) throws {
        try array(7)
        try output.write(snapshot.owner.id)
        output.write(snapshot.owner.epoch)
        try write(snapshot.state)
        try write(snapshot.start)
        output.write(snapshot.isMoved)
    }

    /// Id, rooms, data: three fields of the array that they are in.
    private mutating func write(_ state: SessionState) throws {
        try output.write(state.id)
        try write(strings: state.rooms)
        try write(state.data)
    }

    private mutating func write(_ session: ClaimedSession?) throws {
        guard let session else { return output.writeNil() }
        try array(6)
        try write(session.state)
        try array(session.missed.count)
        for packet in session.missed { try write(packet) }
        try array(session.known.count)
        for id in session.known { try write(id) }
        try array(session.positions.count)
        for position in session.positions {
            try array(3)
            try output.write(position.origin.id)
            output.write(position.origin.epoch)
            output.write(position.number)
        }
    }
}

extension Duration {
    /// The duration in milliseconds, rounded up so that a short one does not become none.
    package var wholeMilliseconds: Int64 {
        let parts = components
        let whole = parts.seconds.multipliedReportingOverflow(by: 1_000)
        guard !whole.overflow else { return parts.seconds < 0 ? .min : .max }
        let rest = (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return whole.partialValue.addingReportingOverflow(rest).partialValue
    }
}
