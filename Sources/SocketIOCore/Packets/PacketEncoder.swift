// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIOCore
public import NIOCore
import SocketIOMessagePack
import SocketIOText

/// Encodes the packets that a server sends (Socket.IO protocol v5).
public struct PacketEncoder: Sendable {
    /// The parser that clients use.
    public let format: PacketFormat

    /// Creates an encoder.
    ///
    /// - Parameter format: The parser that clients use.
    public init(format: PacketFormat) { self.format = format }

    /// Encodes an event.
    ///
    /// - Parameters:
    ///   - name: The event's name.
    ///   - namespace: The namespace, with its leading slash.
    ///   - id: The acknowledgement id, if an acknowledgement is wanted.
    ///   - arguments: Appends the arguments.
    /// - Throws: Errors of `arguments`.
    @inlinable
    public func event(
        _ name: String,
        namespace: String,
        id: UInt64? = nil,
        arguments: (inout ArgumentsWriter) throws -> Void
    ) throws -> EncodedPacket {
        try encode(.event, namespace: namespace, id: id) { writer in
            try writer.append(name)
            try arguments(&writer)
        }
    }

    /// Encodes an acknowledgement.
    ///
    /// - Parameters:
    ///   - id: The id of the event that is acknowledged.
    ///   - namespace: The namespace, with its leading slash.
    ///   - arguments: Appends the arguments.
    /// - Throws: Errors of `arguments`.
    @inlinable
    public func acknowledgement(
        _ id: UInt64,
        namespace: String,
        arguments: (inout ArgumentsWriter) throws -> Void
    ) throws -> EncodedPacket {
        try encode(.acknowledgement, namespace: namespace, id: id, arguments: arguments)
    }

    /// Encodes arguments that are not part of a packet, as they travel between servers.
    ///
    /// - Throws: Errors of `write`.
    public func arguments(_ write: (inout ArgumentsWriter) throws -> Void) throws -> EventArguments {
        let packet = try encode(.acknowledgement, namespace: "/", id: 0, arguments: write)
        guard let arguments = EventArguments(acknowledgement: packet, format: format) else { return .empty(format) }
        return arguments
    }

    @inlinable
    func encode(
        _ type: PacketType,
        namespace: String,
        id: UInt64?,
        arguments: (inout ArgumentsWriter) throws -> Void
    ) throws -> EncodedPacket {
        switch format {
        case .json: try encodeJSON(type, namespace: namespace, id: id, arguments: arguments)
        case .messagePack: try encodeMessagePack(type, namespace: namespace, id: id, arguments: arguments)
        }
    }

    @inlinable
    func encodeJSON(
        _ type: PacketType,
        namespace: String,
        id: UInt64?,
        arguments: (inout ArgumentsWriter) throws -> Void
    ) throws -> EncodedPacket {
        let packet = try EncodedPacket(isBinary: false) { buffer in
            Self.writeHeader(type, attachments: 0, namespace: namespace, id: id, to: &buffer)
            return try Self.writeArray(to: &buffer, arguments: arguments)
        }
        return packet.attachments.isEmpty ? packet : try Self.markedBinary(packet, type: type, namespace: namespace, id: id)
    }

    @inlinable
    static func writeArray(to buffer: inout ByteBuffer, arguments: (inout ArgumentsWriter) throws -> Void) throws -> [ByteBuffer] {
        buffer.writeInteger(UInt8(ascii: "["))
        // Moved in and out, so that the bytes have one owner at a time and are never copied.
        var writer = ArgumentsWriter(format: .json, buffer: ByteBuffer())
        swap(&buffer, &writer.buffer)
        defer { swap(&buffer, &writer.buffer) }
        try arguments(&writer)
        writer.buffer.writeInteger(UInt8(ascii: "]"))
        return writer.attachments
    }

    @usableFromInline
    static func writeHeader(_ type: PacketType, attachments: Int, namespace: String, id: UInt64?, to buffer: inout ByteBuffer) {
        let isBinary = type == .binaryEvent || type == .binaryAcknowledgement
        guard isBinary || namespace != "/" else { return writeShortHeader(type, id: id, to: &buffer) }
        buffer.writeInteger(UInt8(ascii: "0") + type.rawValue)
        if isBinary { buffer.writeString("\(attachments)-") }
        if namespace != "/" {
            buffer.writeString(namespace)
            buffer.writeInteger(UInt8(ascii: ","))
        }
        if let id { buffer.writeString(String(id)) }
    }

    /// Writes the header of nearly every packet, a type and perhaps an id, in one write and without a string for the digits.
    private static func writeShortHeader(_ type: PacketType, id: UInt64?, to buffer: inout ByteBuffer) {
        let size = 21
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { output in
            output[0] = UInt8(ascii: "0") + type.rawValue
            guard var rest = id else { return 1 }
            var start = size
            repeat {
                start -= 1
                output[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            let digits = UnsafeRawBufferPointer(rebasing: output[start..<size])
            UnsafeMutableRawBufferPointer(rebasing: output[1...]).copyMemory(from: digits)
            return 1 + digits.count
        }
    }

    /// Replaces the header by that of a binary packet: the number of attachments is known only once the arguments are encoded.
    ///
    /// - Throws: `EncodingError` if receivers would take another object for one of the attachments, or for one that is missing. A client
    ///   that sends such an object must not end the connections of those that it is passed on to.
    @usableFromInline
    static func markedBinary(_ packet: EncodedPacket, type: PacketType, namespace: String, id: UInt64?) throws -> EncodedPacket {
        var plain = ByteBuffer()
        writeHeader(type, attachments: 0, namespace: namespace, id: id, to: &plain)
        var array = packet.message
        array.moveReaderIndex(forwardBy: plain.readableBytes)
        let attachments = packet.attachments
        guard
            !JSONScanner.mayHaveOtherPlaceholders(array, attachments.count)
                || JSONScanner.hasSoundPlaceholders(array, attachments, isPayload: true)
        else {
            let text =
                "an object with a true `_placeholder` would be taken for binary; rename the member, or send it in an event without binary"
            throw EncodingError.invalidValue(type, EncodingError.Context(codingPath: [], debugDescription: text))
        }
        return EncodedPacket(isBinary: false, sizeHint: packet.byteCount) { buffer in
            let binary: PacketType = type == .event ? .binaryEvent : .binaryAcknowledgement
            writeHeader(binary, attachments: attachments.count, namespace: namespace, id: id, to: &buffer)
            buffer.writeImmutableBuffer(array)
            return attachments
        }
    }

    @inlinable
    func encodeMessagePack(
        _ type: PacketType,
        namespace: String,
        id: UInt64?,
        arguments: (inout ArgumentsWriter) throws -> Void
    ) throws -> EncodedPacket {
        var writer = ArgumentsWriter(format: .messagePack, buffer: ByteBuffer())
        try arguments(&writer)
        return Self.messagePackPacket(type, namespace: namespace, id: id, elements: writer.buffer, count: writer.count)
    }

    @usableFromInline
    static func messagePackPacket(
        _ type: PacketType,
        namespace: String,
        id: UInt64?,
        elements: ByteBuffer,
        count: Int
    ) -> EncodedPacket {
        EncodedPacket(isBinary: true, sizeHint: elements.readableBytes + namespace.utf8.count + 40) { buffer in
            MessagePackPacket.writeHeader(type, fields: id == nil ? 3 : 4, namespace: namespace, to: &buffer)
            MessagePackPacket.writeKey("data", to: &buffer)
            MessagePackPacket.writeArrayHeader(count, to: &buffer)
            buffer.writeImmutableBuffer(elements)
            if let id { MessagePackPacket.writeID(id, to: &buffer) }
            return []
        }
    }
}
