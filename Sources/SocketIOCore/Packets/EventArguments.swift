// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
public import NIOCore
public import SocketIOMessagePack

/// The arguments of an event or an acknowledgement, still encoded. Each is decoded on request.
public struct EventArguments: Sendable {
    /// The parser that wrote the bytes.
    public let format: PacketFormat
    /// The packet's bytes; ``ranges`` point into them.
    @usableFromInline let bytes: ByteBuffer
    @usableFromInline let ranges: ElementRanges
    /// The binary attachments, in the order of their placeholders; always empty with the MessagePack parser.
    public let attachments: [ByteBuffer]
    /// The socket whose client sent them; only set for acknowledgements of a broadcast.
    package var client: SocketID?

    @inlinable
    package init(format: PacketFormat, bytes: ByteBuffer, ranges: ElementRanges, attachments: [ByteBuffer]) {
        self.format = format
        self.bytes = bytes
        self.ranges = ranges
        self.attachments = attachments
    }

    /// Creates arguments from encoded ones, such as stored arguments or those of another system.
    ///
    /// - Parameters:
    ///   - array: One array of all arguments: JSON text or MessagePack.
    ///   - format: The parser that wrote the bytes.
    ///   - attachments: The binary values for the placeholders `{"_placeholder":true,"num":0}` in the JSON text; none with MessagePack.
    /// - Throws: ``PacketError`` with `illegalPayload` if the bytes are not exactly one array, or if its placeholders do not stand for
    ///   attachments, each for one of its own.
    public init(array: ByteBuffer, format: PacketFormat, attachments: [ByteBuffer] = []) throws(PacketError) {
        let ranges: ElementRanges?
        switch format {
        case .json:
            ranges = JSONScanner.elements(of: array, from: array.readerIndex)
        case .messagePack:
            ranges = attachments.isEmpty ? MessagePackPacket.elements(ofArray: array) : nil
        }
        guard let ranges, attachments.isEmpty || JSONScanner.hasSoundPlaceholders(array, attachments, isPayload: true) else {
            throw PacketError(.illegalPayload)
        }
        self.init(format: format, bytes: array, ranges: ranges, attachments: attachments)
    }

    /// No arguments.
    public static func empty(_ format: PacketFormat) -> EventArguments {
        EventArguments(format: format, bytes: ByteBuffer(), ranges: ElementRanges(), attachments: [])
    }

    /// The number of arguments.
    @inlinable
    public var count: Int { ranges.count }

    /// Whether there are no arguments.
    @inlinable
    public var isEmpty: Bool { ranges.count == 0 }

    /// The size of the arguments in bytes, attachments included.
    public var byteCount: Int {
        attachments.reduce(region.readableBytes) { $0 + $1.readableBytes }
    }

    /// One argument as it was sent, undecoded: JSON text or MessagePack bytes.
    ///
    /// - Parameter index: The position of the argument, from 0.
    /// - Returns: The value, or nil if there are fewer arguments.
    @inlinable
    public subscript(index: Int) -> EncodedValue? {
        guard let range = ranges[index], let slice = bytes.getSlice(at: range.lowerBound, length: range.count) else { return nil }
        return EncodedValue(format: format, bytes: slice, attachments: attachments)
    }

    /// Decodes one argument.
    ///
    /// - Parameters:
    ///   - type: The type to decode.
    ///   - index: The position of the argument, from 0.
    /// - Throws: `DecodingError` if there is no such argument or it is of another type.
    @inlinable
    public func decode<T: Decodable>(_ type: T.Type = T.self, at index: Int) throws -> T {
        guard let value = self[index] else { return try EventArguments.decodeMissing(type, index: index, count: count) }
        return try value.decode(type)
    }

    /// All arguments but the first, for events that carry a name inside their arguments.
    package func dropFirst() -> EventArguments {
        EventArguments(format: format, bytes: bytes, ranges: ranges.dropFirst(), attachments: attachments)
    }

    /// All arguments but the last.
    package func dropLast() -> EventArguments {
        EventArguments(format: format, bytes: bytes, ranges: ranges.dropLast(), attachments: attachments)
    }

    /// A copy to keep, which does not share a much larger buffer with other data.
    package func compacted() -> EventArguments {
        let kept = attachments.reduce(bytes.storageCapacity) { $0 + $1.storageCapacity }
        guard kept > 2 * byteCount + 1_024 else { return self }
        let region = region
        return EventArguments(
            format: format,
            bytes: ByteBuffer(bytes: region.readableBytesView),
            ranges: ranges.startingAtZero(),
            attachments: attachments.map { ByteBuffer(bytes: $0.readableBytesView) }
        )
    }

    /// The bytes from the first to the last argument, separators included.
    package var region: ByteBuffer {
        guard let first = ranges[0], let last = ranges[count - 1] else { return ByteBuffer() }
        return bytes.getSlice(at: first.lowerBound, length: last.upperBound - first.lowerBound) ?? ByteBuffer()
    }

    @usableFromInline
    static func decodeMissing<T>(_ type: T.Type, index: Int, count: Int) throws -> T {
        if let absent = type as? any ExpressibleByNilLiteral.Type, let value = absent.init(nilLiteral: ()) as? T { return value }
        throw DecodingError.valueNotFound(
            type,
            .init(codingPath: [], debugDescription: "argument \(index) is missing: the event has \(count) argument(s)")
        )
    }
}

/// One value as it was sent, undecoded.
public struct EncodedValue: Sendable {
    /// The parser that wrote the bytes.
    public let format: PacketFormat
    /// JSON text or MessagePack bytes.
    public let bytes: ByteBuffer
    /// The binary attachments to which placeholders in `bytes` refer.
    public let attachments: [ByteBuffer]

    /// Creates a value from its parts, as another process sent them. The bytes are checked when the value is decoded.
    ///
    /// - Parameters:
    ///   - format: The parser that wrote the bytes.
    ///   - bytes: JSON text or MessagePack bytes: one value.
    ///   - attachments: The binary attachments to which placeholders in `bytes` refer.
    @inlinable
    public init(format: PacketFormat, bytes: ByteBuffer, attachments: [ByteBuffer] = []) {
        self.format = format
        self.bytes = bytes
        self.attachments = attachments
    }

    /// Decodes the value.
    ///
    /// - Parameter type: The type to decode.
    /// - Throws: `DecodingError` if the value is of another type.
    @inlinable
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        switch format {
        case .json: try JSONArgumentDecoder().decode(type, from: bytes, attachments: attachments)
        case .messagePack: try MessagePackDecoder().decode(type, from: bytes)
        }
    }
}

extension EventArguments {
    /// The arguments of an acknowledgement that was just encoded.
    init?(acknowledgement packet: EncodedPacket, format: PacketFormat) {
        var decoder = PacketDecoderStateMachine(format: format, limits: .none)
        var parsed = packet.isBinary ? try? decoder.receive(binary: packet.message) : try? decoder.receive(text: packet.message)
        for attachment in packet.attachments { parsed = try? decoder.receive(binary: attachment) }
        guard case .acknowledgement(_, let arguments) = parsed?.content else { return nil }
        self = arguments
    }
}
