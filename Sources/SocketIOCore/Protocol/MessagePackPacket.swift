import MessagePack
import NIOCore
import SocketIOText

/// The map that a packet is with the MessagePack parser: `type`, `nsp`, `data` and, for packets with an acknowledgement, `id`.
enum MessagePackPacket {
    /// Appends the map's header with the packet's type and namespace.
    static func writeHeader(_ type: PacketType, fields: UInt8, namespace: String, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x80 | fields)
        writeKey("type", to: &buffer)
        buffer.writeInteger(type.rawValue)
        writeKey("nsp", to: &buffer)
        writeString(namespace, to: &buffer)
    }

    /// Appends the key of a field; at most 31 bytes.
    static func writeKey(_ key: StaticString, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0xa0 | UInt8(truncatingIfNeeded: key.utf8CodeUnitCount))
        buffer.writeStaticString(key)
    }

    /// Appends a string of at most 64 KiB, which a namespace never exceeds.
    static func writeString(_ string: String, to buffer: inout ByteBuffer) {
        let count = string.utf8.count
        if count < 32 {
            buffer.writeInteger(0xa0 | UInt8(truncatingIfNeeded: count))
        } else {
            buffer.writeInteger(UInt8(0xda))
            buffer.writeInteger(UInt16(clamping: count))
        }
        buffer.writeString(string)
    }

    /// Appends the header of an array.
    static func writeArrayHeader(_ count: Int, to buffer: inout ByteBuffer) {
        switch count {
        case 0..<16: buffer.writeInteger(0x90 | UInt8(truncatingIfNeeded: count))
        case 16...0xffff:
            buffer.writeInteger(UInt8(0xdc))
            buffer.writeInteger(UInt16(truncatingIfNeeded: count))
        default:
            buffer.writeInteger(UInt8(0xdd))
            buffer.writeInteger(UInt32(clamping: count))
        }
    }

    /// Appends the acknowledgement id with its key.
    static func writeID(_ id: UInt64, to buffer: inout ByteBuffer) {
        writeKey("id", to: &buffer)
        var writer = MessagePackWriter(appendingTo: buffer)
        writer.write(id)
        buffer = writer.buffer
    }

    /// The same packet, an event without acknowledgement id, with one.
    static func adding(id: UInt64, to packet: EncodedPacket) -> EncodedPacket {
        var message = packet.message
        return EncodedPacket(isBinary: true, sizeHint: message.readableBytes + 16) { buffer in
            let fields = message.readInteger(as: UInt8.self) ?? 0x83
            buffer.writeInteger(fields + 1)
            buffer.writeImmutableBuffer(message)
            writeID(id, to: &buffer)
            return []
        }
    }
}

// MARK: Parsing

extension MessagePackPacket {
    private struct Fields {
        var type: UInt8?
        var namespace: String?
        var data: Range<Int>?
        var id: UInt64?
    }

    /// Parses a packet; its arguments stay encoded.
    static func parse(_ message: ByteBuffer, eventNameLimit: Int) throws(PacketError) -> Packet {
        let fields: Fields
        do { fields = try readFields(message) } catch { throw PacketError(.illegalPayload) }
        guard let type = fields.type.flatMap({ PacketType(rawValue: $0) }), type.rawValue <= PacketType.connectError.rawValue else {
            throw PacketError(.unknownType)
        }
        guard let namespace = fields.namespace, namespace.utf8.count <= 1_024 else { throw PacketError(.illegalNamespace) }
        return Packet(namespace: namespace, content: try content(type, fields, message, eventNameLimit))
    }

    private static func readFields(_ message: ByteBuffer) throws(MessagePackError) -> Fields {
        var reader = MessagePackReader(message)
        var fields = Fields()
        for _ in 0..<(try reader.readMapHeader()) {
            switch try reader.readString() {
            case "type": fields.type = try reader.readInteger()
            case "nsp": fields.namespace = try reader.readString()
            case "data": fields.data = try reader.skip()
            case "id": if !reader.readNil() { fields.id = try reader.readInteger() }
            default: _ = try reader.skip()
            }
        }
        try reader.expectEnd()
        return fields
    }

    private static func content(
        _ type: PacketType,
        _ fields: Fields,
        _ message: ByteBuffer,
        _ eventNameLimit: Int
    ) throws(PacketError) -> Packet.Content {
        switch type {
        case .connect: return .connect(auth: try object(fields.data, message))
        case .disconnect: return .disconnect
        case .connectError: return .connectError(try object(fields.data, message))
        case .event, .binaryEvent:
            guard let ranges = elements(fields.data, message), let first = ranges[0] else { throw PacketError(.illegalPayload) }
            // The header of a string has at most 5 bytes.
            guard first.count - 5 <= eventNameLimit else { throw PacketError(.eventNameTooLong) }
            guard let name = eventName(first, message) else { throw PacketError(.illegalPayload) }
            try EventName.check(name, limit: eventNameLimit)
            let arguments = EventArguments(format: .messagePack, bytes: message, ranges: ranges.dropFirst(), attachments: [])
            return .event(name: name, arguments: arguments, id: fields.id)
        case .acknowledgement, .binaryAcknowledgement:
            guard let id = fields.id else { throw PacketError(.illegalID) }
            guard let ranges = elements(fields.data, message) else { throw PacketError(.illegalPayload) }
            let arguments = EventArguments(format: .messagePack, bytes: message, ranges: ranges, attachments: [])
            return .acknowledgement(id: id, arguments: arguments)
        }
    }

    private static func slice(_ range: Range<Int>, _ message: ByteBuffer) -> ByteBuffer? {
        message.getSlice(at: message.readerIndex + range.lowerBound, length: range.count)
    }

    private static func object(_ range: Range<Int>?, _ message: ByteBuffer) throws(PacketError) -> EncodedValue? {
        guard let range, let bytes = slice(range, message) else { return nil }
        var reader = MessagePackReader(bytes)
        if reader.readNil() { return nil }
        guard (try? reader.peekKind()) == .map else { throw PacketError(.illegalPayload) }
        return EncodedValue(format: .messagePack, bytes: bytes)
    }

    /// The elements of the payload of an event.
    static func elements(of message: ByteBuffer) -> ElementRanges? {
        guard let fields = try? readFields(message), fields.type == PacketType.event.rawValue else { return nil }
        return elements(fields.data, message)
    }

    /// The elements of an array, as positions in `message`.
    static func elements(_ range: Range<Int>?, _ message: ByteBuffer) -> ElementRanges? {
        guard let range, let bytes = slice(range, message) else { return nil }
        var reader = MessagePackReader(bytes)
        var result = ElementRanges()
        guard let count = try? reader.readArrayHeader() else { return nil }
        let base = message.readerIndex + range.lowerBound
        for _ in 0..<count {
            guard let element = try? reader.skip() else { return nil }
            result.append(base + element.lowerBound..<base + element.upperBound)
        }
        return result
    }

    private static func eventName(_ range: Range<Int>, _ message: ByteBuffer) -> String? {
        guard let bytes = message.getSlice(at: range.lowerBound, length: range.count) else { return nil }
        var reader = MessagePackReader(bytes)
        if let name = try? reader.readString() { return name }
        return (try? reader.readInteger(as: Int64.self)).map(String.init)
    }
}
