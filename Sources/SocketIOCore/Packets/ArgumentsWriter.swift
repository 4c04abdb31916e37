// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import SocketIOMessagePack

/// Appends arguments to a packet that is being encoded.
public struct ArgumentsWriter {
    /// The parser that the packet is for.
    public let format: PacketFormat
    @usableFromInline var buffer: ByteBuffer
    @usableFromInline var attachments: [ByteBuffer] = []
    @usableFromInline var count = 0

    @inlinable
    init(format: PacketFormat, buffer: consuming ByteBuffer) {
        self.format = format
        self.buffer = buffer
    }

    /// Appends one argument.
    ///
    /// - Parameter value: Any value; `Data`, `[UInt8]` and `ByteBuffer` anywhere inside it become binary.
    /// - Throws: `EncodingError` if the value cannot be encoded, such as a number that is not finite with the JSON parser.
    @inlinable
    public mutating func append<T: Encodable>(_ value: T) throws {
        switch format {
        case .json:
            if count > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            try JSONArgumentEncoder().encode(value, into: &buffer, attachments: &attachments)
        case .messagePack:
            try MessagePackEncoder().encode(value, into: &buffer)
        }
        count += 1
    }

    /// Appends arguments that are encoded already, without decoding them.
    ///
    /// - Parameter arguments: Arguments of a packet of the same format. Only the first append of a packet may carry attachments,
    ///   since their placeholders are numbered.
    /// - Throws: `EncodingError` if the arguments are of another format, or carry attachments after others.
    public mutating func append(contentsOf arguments: EventArguments) throws {
        guard arguments.format == format, arguments.attachments.isEmpty || attachments.isEmpty else {
            let context = EncodingError.Context(
                codingPath: [],
                debugDescription: "raw arguments must be of the server's parser, and only the first may carry attachments"
            )
            throw EncodingError.invalidValue(arguments, context)
        }
        guard !arguments.isEmpty else { return }
        if format == .json, count > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
        buffer.writeImmutableBuffer(arguments.region)
        attachments.append(contentsOf: arguments.attachments)
        count += arguments.count
    }
}
