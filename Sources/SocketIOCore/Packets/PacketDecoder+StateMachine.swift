// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOText

/// Parses the packets of one connection and puts binary packets together (Socket.IO protocol v5).
///
/// After an error the decoder must not be used again: the connection is closed with the reason `parse error`.
public struct PacketDecoderStateMachine: Sendable {
    /// Bounds of the packets that a decoder accepts.
    public struct Limits: Sendable, Hashable {
        /// Attachments of one packet. Default 10.
        public var attachments: Int
        /// Bytes of one packet with its attachments. Default 1 000 000.
        public var bytes: Int
        /// Values of one packet: its arguments and whatever is inside them, arrays, objects, their elements and keys counted one by one.
        /// Decoding takes time for each, however few bytes it has. Default 65 536.
        public var values: Int
        /// Bytes of an event's name. Default 256: names are written in code, and those are a few dozen bytes at most.
        public var eventName: Int

        /// Creates limits.
        public init(attachments: Int = 10, bytes: Int = 1_000_000, values: Int = 65_536, eventName: Int = 256) {
            self.attachments = attachments
            self.bytes = bytes
            self.values = values
            self.eventName = eventName
        }

        /// For packets that were encoded in this process.
        static let none = Limits(attachments: .max, bytes: .max, values: .max, eventName: .max)
    }

    /// A binary packet whose attachments have not all come.
    private struct Incomplete {
        var header: JSONPacketHeader
        /// The name of an event that is discarded.
        var event: String?
        var message: ByteBuffer
        /// nil if the arguments are nested too deeply: the attachments are awaited and discarded.
        var ranges: ElementRanges?
        var attachments: [ByteBuffer] = []
        var bytes: Int
    }

    /// The parser that clients use.
    public let format: PacketFormat
    private let limits: Limits
    /// Out of line: every connection has a decoder, and few ever wait for attachments.
    private indirect enum Waiting {
        case packet(Incomplete)
    }

    private var waiting: Waiting?

    private var incomplete: Incomplete? {
        if case .packet(let packet)? = waiting { packet } else { nil }
    }

    /// Creates a decoder for a new connection.
    public init(format: PacketFormat, limits: Limits = .init()) {
        self.format = format
        self.limits = limits
    }

    /// Decodes a text message.
    ///
    /// - Returns: The packet, or nil if it waits for its attachments.
    /// - Throws: ``PacketError`` if the message is not a packet.
    public mutating func receive(text message: ByteBuffer) throws(PacketError) -> Packet? {
        guard format == .json, waiting == nil else { throw PacketError(.unexpectedText) }
        let header = try JSONPacketHeader(message)
        guard header.attachments == 0 else {
            try wait(for: header, message)
            return nil
        }
        do {
            return try packet(header, message)
        } catch {
            return try discarded(header, message, error)
        }
    }

    /// Keeps a packet until all of its attachments are there.
    private mutating func wait(for header: JSONPacketHeader, _ message: ByteBuffer) throws(PacketError) {
        guard header.attachments <= limits.attachments else { throw PacketError(.tooManyAttachments) }
        var packet = Incomplete(header: header, message: message, ranges: nil, bytes: message.readableBytes)
        do {
            let elements = try header.elements(of: message, limits.values)
            _ = try header.eventName(elements, of: message, limit: limits.eventName)
            packet.ranges = elements
        } catch {
            guard error.code == .nestedTooDeeply else { throw error }
            packet.event = try header.nameBeforeError(in: message, limits)
            packet.message = ByteBuffer()
        }
        waiting = .packet(packet)
    }

    /// Decodes a binary message.
    ///
    /// - Returns: The packet, or nil if it waits for more attachments.
    /// - Throws: ``PacketError`` if the message is not a packet, or no packet waits for it.
    public mutating func receive(binary message: ByteBuffer) throws(PacketError) -> Packet? {
        if format == .messagePack {
            return try MessagePackPacket.parse(message, maximumValues: limits.values, eventNameLimit: limits.eventName)
        }
        guard var waiting = incomplete else { throw PacketError(.unexpectedBinary) }
        self.waiting = nil
        let ranges = waiting.ranges
        waiting.attachments.append(ranges == nil ? ByteBuffer() : message)
        waiting.bytes += message.readableBytes
        guard waiting.bytes <= limits.bytes else { throw PacketError(.tooManyAttachments) }
        guard waiting.attachments.count == waiting.header.attachments else {
            self.waiting = .packet(waiting)
            return nil
        }
        guard let ranges else { return waiting.header.discarded(event: waiting.event) }
        guard waiting.header.hasSoundPlaceholders(in: waiting.message, waiting.attachments) else { throw PacketError(.illegalAttachments) }
        return try waiting.header.message(
            waiting.message,
            elements: ranges,
            attachments: waiting.attachments,
            eventNameLimit: limits.eventName
        )
    }

    /// Whether a packet waits for attachments.
    public var isWaitingForAttachments: Bool { waiting != nil }

    /// The namespace of the packet that waits for attachments.
    public var waitingNamespace: String? { incomplete?.header.namespace }

    /// What a packet is that cannot be parsed because of this error.
    @inline(never)
    private func discarded(_ header: JSONPacketHeader, _ message: ByteBuffer, _ error: PacketError) throws(PacketError) -> Packet {
        guard error.code == .nestedTooDeeply else { throw error }
        return header.discarded(event: try header.nameBeforeError(in: message, limits))
    }

    private func packet(_ header: JSONPacketHeader, _ message: ByteBuffer) throws(PacketError) -> Packet {
        switch header.type {
        case .connect: Packet(namespace: header.namespace, content: .connect(auth: try header.object(of: message)))
        case .disconnect: Packet(namespace: header.namespace, content: try header.withoutPayload(message, .disconnect))
        case .connectError:
            Packet(namespace: header.namespace, content: .connectError(try header.object(of: message, acceptsText: true)))
        case .event, .binaryEvent, .acknowledgement, .binaryAcknowledgement:
            try header.message(
                message,
                elements: header.elements(of: message, limits.values),
                attachments: [],
                eventNameLimit: limits.eventName
            )
        }
    }
}

/// The header of a packet of the default parser: `<type>[<attachments>-][<namespace>,][<id>]`.
struct JSONPacketHeader {
    private(set) var type: PacketType
    private(set) var attachments = 0
    private(set) var namespace = "/"
    private(set) var id: UInt64?
    /// The length of the header.
    private(set) var length: Int

    init(_ message: ByteBuffer) throws(PacketError) {
        let bytes = message.readableBytesView
        guard let first = bytes.first, first >= UInt8(ascii: "0"), let type = PacketType(rawValue: first - UInt8(ascii: "0")) else {
            throw PacketError(.unknownType)
        }
        self.type = type
        self.length = 1
        if type == .binaryEvent || type == .binaryAcknowledgement { try parseAttachments(message) }
        try parseNamespace(message)
        try parseID(message)
    }

    private func byte(_ message: ByteBuffer, _ position: Int) -> UInt8? {
        message.getInteger(at: message.readerIndex + position).flatMap { position < message.readableBytes ? $0 : nil }
    }

    /// Reads digits from `length` on. At most 19, so that the number fits.
    @inline(__always)
    private mutating func parseNumber(_ bytes: UnsafeRawBufferPointer) -> UInt64?? {
        let start = length
        var (position, value) = (start, 0 as UInt64)
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit <= 9 {
            guard position - start < 19 else { return .none }
            value = value &* 10 &+ UInt64(digit)
            position += 1
        }
        length = position
        return .some(position == start ? nil : value)
    }

    private mutating func parseAttachments(_ message: ByteBuffer) throws(PacketError) {
        let number = message.withUnsafeReadableBytes { parseNumber($0) }
        guard case .some(.some(let count)) = number, byte(message, length) == UInt8(ascii: "-") else {
            throw PacketError(.illegalAttachments)
        }
        guard let count = Int(exactly: count), count <= 1 << 20 else { throw PacketError(.tooManyAttachments) }
        attachments = count
        length += 1
    }

    private mutating func parseNamespace(_ message: ByteBuffer) throws(PacketError) {
        guard byte(message, length) == UInt8(ascii: "/") else { return }
        let rest = message.readableBytesView.dropFirst(length)
        let name = rest.prefix(NamespaceName.limit + 1).prefix { $0 != UInt8(ascii: ",") }
        guard name.count <= NamespaceName.limit, let text = String(validating: name, as: UTF8.self) else {
            throw PacketError(.illegalNamespace)
        }
        namespace = text
        length += name.count
        if byte(message, length) != nil { length += 1 }
    }

    /// White space before and after the id means nothing, as in the reference implementation.
    private mutating func parseID(_ message: ByteBuffer) throws(PacketError) {
        // White space is rare, so it is looked for only where the first byte can be some.
        if let first = byte(message, length), first <= 0x20 { length = payloadStart(in: message) }
        guard case .some(let number) = message.withUnsafeReadableBytes({ parseNumber($0) }) else { throw PacketError(.illegalID) }
        id = number
    }

    /// Where the payload begins, after white space.
    private func payloadStart(in message: ByteBuffer) -> Int {
        var position = length
        while let byte = byte(message, position), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
        return position
    }

    /// The elements of the payload, which must be an array.
    func elements(of message: ByteBuffer, _ maximumValues: Int) throws(PacketError) -> ElementRanges {
        guard type != .connect, type != .disconnect, type != .connectError else { throw PacketError(.illegalPayload) }
        return try JSONScanner.elements(of: message, from: message.readerIndex + length, maximumValues: maximumValues)
    }

    /// Whether every placeholder in the payload stands for an attachment. A handler may pass the packet on undecoded: a placeholder for
    /// nothing would break its receivers.
    func hasSoundPlaceholders(in message: ByteBuffer, _ attachments: [ByteBuffer]) -> Bool {
        let start = message.readerIndex + length
        guard let payload = message.getSlice(at: start, length: message.writerIndex - start) else { return false }
        return JSONScanner.hasSoundPlaceholders(payload, attachments, isPayload: true)
    }

    /// The content of a packet that has no payload.
    func withoutPayload(_ message: ByteBuffer, _ content: Packet.Content) throws(PacketError) -> Packet.Content {
        guard payloadStart(in: message) == message.readableBytes else { throw PacketError(.illegalPayload) }
        return content
    }

    /// The payload, which must be an object or missing.
    ///
    /// - Parameter acceptsText: Whether it may also be a string.
    func object(of message: ByteBuffer, acceptsText: Bool = false) throws(PacketError) -> EncodedValue? {
        let start = payloadStart(in: message)
        guard let first = byte(message, start) else { return nil }
        guard first == UInt8(ascii: "{") || acceptsText && first == UInt8(ascii: "\""),
            let slice = message.getSlice(at: message.readerIndex + start, length: message.readableBytes - start)
        else { throw PacketError(.illegalPayload) }
        try JSONScanner.validate(slice)
        return EncodedValue(format: .json, bytes: slice)
    }

    /// The packet of an event or an acknowledgement.
    func message(
        _ message: ByteBuffer,
        elements: ElementRanges,
        attachments: [ByteBuffer],
        eventNameLimit: Int
    ) throws(PacketError) -> Packet {
        if type == .acknowledgement || type == .binaryAcknowledgement {
            guard let id else { throw PacketError(.illegalID) }
            let arguments = EventArguments(format: .json, bytes: message, ranges: elements, attachments: attachments)
            return Packet(namespace: namespace, content: .acknowledgement(id: id, arguments: arguments))
        }
        guard let name = try eventName(elements, of: message, limit: eventNameLimit) else { throw PacketError(.illegalPayload) }
        let arguments = EventArguments(format: .json, bytes: message, ranges: elements.dropFirst(), attachments: attachments)
        return Packet(namespace: namespace, content: .event(name: name, arguments: arguments, id: id))
    }
}

extension JSONPacketHeader {
    /// The packet without its payload, which is nested too deeply.
    ///
    /// - Parameter event: The name of an event.
    func discarded(event: String?) -> Packet {
        let type: PacketType =
            switch type {
            case .binaryEvent: .event
            case .binaryAcknowledgement: .acknowledgement
            default: type
            }
        return Packet(namespace: namespace, content: .discarded(type, event: event, id: id))
    }

    /// The name of an event whose arguments are nested too deeply; nil for a packet that is not an event.
    ///
    /// - Throws: ``PacketError`` if it has no name, or a name that is not allowed.
    func nameBeforeError(in message: ByteBuffer, _ limits: PacketDecoderStateMachine.Limits) throws(PacketError) -> String? {
        let start = message.readerIndex + length
        let found = JSONScanner(maximumValues: limits.values).rangesBeforeError(of: message, from: start, base: start)
        return try eventName(found, of: message, limit: limits.eventName)
    }

    /// The name of an event, which is looked at only if it is not too long; nil for a packet that is not an event.
    func eventName(_ elements: ElementRanges, of message: ByteBuffer, limit: Int) throws(PacketError) -> String? {
        guard type == .event || type == .binaryEvent else { return nil }
        guard let range = elements[0] else { throw PacketError(.illegalPayload) }
        guard range.count <= EventName.encodedLimit(limit) else { throw PacketError(.eventNameTooLong) }
        guard let name = JSONScanner.eventName(in: message, at: range) else { throw PacketError(.illegalPayload) }
        try EventName.check(name, limit: limit)
        return name
    }
}
