// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
package import NIOCore
import SocketIOMessagePack
import SocketIOText

/// The map that a packet is with the MessagePack parser: `type`, `nsp`, `data` and, for packets with an acknowledgement, `id`.
package enum MessagePackPacket {
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
    package static func writeArrayHeader(_ count: Int, to buffer: inout ByteBuffer) {
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

    /// The same packet, an event without acknowledgement id, with one. Anything else is returned as it is.
    static func adding(id: UInt64, to packet: EncodedPacket) -> EncodedPacket {
        var reader = MessagePackReader(packet.message)
        guard packet.isBinary, let fields = try? reader.readMapHeader(), fields < fieldLimit else { return packet }
        let rest = reader.remaining
        return EncodedPacket(isBinary: true, sizeHint: rest.readableBytes + 20) { buffer in
            writeMapHeader(fields + 1, to: &buffer)
            buffer.writeImmutableBuffer(rest)
            writeID(id, to: &buffer)
            return []
        }
    }

    /// Appends the header of a map of at most ``fieldLimit`` fields.
    private static func writeMapHeader(_ count: Int, to buffer: inout ByteBuffer) {
        if count < 16 {
            buffer.writeInteger(0x80 | UInt8(truncatingIfNeeded: count))
        } else {
            buffer.writeInteger(UInt8(0xde))
            buffer.writeInteger(UInt16(truncatingIfNeeded: count))
        }
    }
}

// MARK: Parsing

extension MessagePackPacket {
    /// Packets have five fields; other implementations may add some.
    private static let fieldLimit = 16

    struct Fields {
        var type: UInt8?
        var namespace: String?
        var data: Range<Int>?
        /// The elements of `data`, as positions in the message; nil if it is not an array.
        var elements: ElementRanges?
        var id: UInt64?
        /// Whether `data` is nested too deeply; ``elements`` are those before the one that is.
        var isTooDeep = false
    }

    /// Parses a packet; its arguments stay encoded.
    static func parse(_ message: ByteBuffer, maximumValues: Int, eventNameLimit: Int) throws(PacketError) -> Packet {
        let fields: Fields
        do { fields = try readFields(message, maximumValues: maximumValues, discardsTooDeep: true) } catch {
            throw PacketError(error.code == .tooManyValues ? .tooManyValues : .illegalPayload)
        }
        guard let type = fields.type.flatMap({ PacketType(rawValue: $0) }), type.rawValue <= PacketType.connectError.rawValue else {
            throw PacketError(.unknownType)
        }
        guard let namespace = fields.namespace, NamespaceName.isShort(namespace) else { throw PacketError(.illegalNamespace) }
        if fields.isTooDeep {
            var event: String?
            if type == .event {
                guard let first = fields.elements?[0] else { throw PacketError(.illegalPayload) }
                event = try name(at: first, message, eventNameLimit)
            }
            return Packet(namespace: namespace, content: .discarded(type, event: event, id: fields.id))
        }
        return Packet(namespace: namespace, content: try content(type, fields, message, eventNameLimit))
    }

    /// - Parameter discardsTooDeep: Whether data that is nested too deeply is stepped over, so that the other fields are known. If the bytes
    ///   end in it, the fields before it are returned.
    static func readFields(_ message: ByteBuffer, maximumValues: Int, discardsTooDeep: Bool = false) throws(MessagePackError) -> Fields {
        var reader = MessagePackReader(message, limits: MessagePackLimits(maximumValues: maximumValues))
        var fields = Fields()
        let count = try reader.readMapHeader()
        guard count <= fieldLimit else { throw MessagePackError(.tooManyValues, "a packet has no \(count) fields") }
        for _ in 0..<count {
            switch try reader.readString() {
            case "type": fields.type = try reader.readInteger()
            case "nsp": fields.namespace = try reader.readString()
            case "data":
                // Each would have the limit of values for itself.
                guard fields.data == nil else { throw MessagePackError(.tooManyValues, "a packet has its data once") }
                guard try readData(&reader, &fields, base: message.readerIndex, discardsTooDeep: discardsTooDeep) else { return fields }
            case "id": if !reader.readNil() { fields.id = try reader.readInteger() }
            default: _ = try reader.skip()
            }
        }
        try reader.expectEnd()
        return fields
    }

    /// - Returns: Whether the other fields can be read.
    private static func readData(
        _ reader: inout MessagePackReader,
        _ fields: inout Fields,
        base: Int,
        discardsTooDeep: Bool
    ) throws(MessagePackError) -> Bool {
        var elements = ElementRanges()
        let start = reader.offset
        do {
            let data = try reader.skip { elements.append(base + $0.lowerBound..<base + $0.upperBound) }
            fields.data = data.range
            fields.elements = data.isArray ? elements : nil
            return true
        } catch {
            guard discardsTooDeep, error.code == .tooDeep else { throw error }
            fields.isTooDeep = true
            fields.data = start..<start
            fields.elements = elements
            return reader.skipWithoutLimits()
        }
    }

    /// The name of an event.
    private static func name(at range: Range<Int>, _ message: ByteBuffer, _ limit: Int) throws(PacketError) -> String {
        // The header of a string has at most 5 bytes.
        guard range.count - 5 <= limit else { throw PacketError(.eventNameTooLong) }
        guard let name = eventName(range, message) else { throw PacketError(.illegalPayload) }
        try EventName.check(name, limit: limit)
        return name
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
        case .connectError: return .connectError(try object(fields.data, message, acceptsText: true))
        case .event, .binaryEvent:
            guard let ranges = fields.elements, let first = ranges[0] else { throw PacketError(.illegalPayload) }
            let name = try name(at: first, message, eventNameLimit)
            let arguments = EventArguments(format: .messagePack, bytes: message, ranges: ranges.dropFirst(), attachments: [])
            return .event(name: name, arguments: arguments, id: fields.id)
        case .acknowledgement, .binaryAcknowledgement:
            guard let id = fields.id else { throw PacketError(.illegalID) }
            guard let ranges = fields.elements else { throw PacketError(.illegalPayload) }
            let arguments = EventArguments(format: .messagePack, bytes: message, ranges: ranges, attachments: [])
            return .acknowledgement(id: id, arguments: arguments)
        }
    }

    private static func slice(_ range: Range<Int>, _ message: ByteBuffer) -> ByteBuffer? {
        message.getSlice(at: message.readerIndex + range.lowerBound, length: range.count)
    }

    private static func object(
        _ range: Range<Int>?,
        _ message: ByteBuffer,
        acceptsText: Bool = false
    ) throws(PacketError) -> EncodedValue? {
        guard let range, let bytes = slice(range, message) else { return nil }
        var reader = MessagePackReader(bytes)
        if reader.readNil() { return nil }
        let kind = try? reader.peekKind()
        guard kind == .map || acceptsText && kind == .string else { throw PacketError(.illegalPayload) }
        return EncodedValue(format: .messagePack, bytes: bytes)
    }

    /// The elements of the payload of an event.
    static func elements(of message: ByteBuffer) -> ElementRanges? {
        guard let fields = try? readFields(message, maximumValues: .max), fields.type == PacketType.event.rawValue else { return nil }
        return fields.elements
    }

    /// The elements of an array that fills a buffer, as positions in it.
    package static func elements(ofArray array: ByteBuffer) -> ElementRanges? {
        var reader = MessagePackReader(array)
        var result = ElementRanges()
        let base = array.readerIndex
        guard let found = try? reader.skip({ result.append(base + $0.lowerBound..<base + $0.upperBound) }), found.isArray, reader.isAtEnd
        else { return nil }
        return result
    }

    static func eventName(_ range: Range<Int>, _ message: ByteBuffer) -> String? {
        guard let bytes = message.getSlice(at: range.lowerBound, length: range.count) else { return nil }
        var reader = MessagePackReader(bytes)
        if let name = try? reader.readString() { return name }
        // A number becomes a name as JavaScript makes it one.
        return (try? reader.readDouble()).map(JavaScriptNumber.string)
    }
}
