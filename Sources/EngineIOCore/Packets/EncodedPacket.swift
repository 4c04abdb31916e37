// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// A Socket.IO packet in the form in which it leaves: encoded once, then shared by every connection that gets it.
///
/// The bytes are the WebSocket frames of the packet: one frame for the packet itself and one binary frame for each attachment.
/// A server never masks its frames, so the same bytes serve any number of connections. Long-polling takes its form from the same bytes.
public struct EncodedPacket: Sendable {
    /// One Engine.IO message inside ``frames``.
    @usableFromInline
    struct Part: Sendable {
        /// A text message includes Engine.IO's packet type `4`; a binary one is the bare bytes.
        @usableFromInline var isBinary: Bool
        /// Offset and length of the frame's payload, relative to the reader index of ``frames``.
        @usableFromInline var offset: Int
        @usableFromInline var length: Int

        @inlinable
        init(isBinary: Bool, offset: Int, length: Int) {
            self.isBinary = isBinary
            self.offset = offset
            self.length = length
        }
    }

    /// The WebSocket frames of all parts, in order.
    public let frames: ByteBuffer
    @usableFromInline let first: Part
    @usableFromInline let others: [Part]

    /// Encodes a packet by writing its first message in place.
    ///
    /// - Parameters:
    ///   - isBinary: Whether the first message is binary (the MessagePack parser) or text (the default parser).
    ///   - sizeHint: The expected size of the packet in bytes.
    ///   - write: Appends the packet, without Engine.IO's type, to the buffer and returns its binary attachments.
    @inlinable
    public init(isBinary: Bool, sizeHint: Int = 117, write: (inout ByteBuffer) throws -> [ByteBuffer]) rethrows {
        let prefix = WebSocketFrameHeader.maximumLength
        // Of this size at once, and the header's place left as it is: each step of a buffer's growth is dear.
        var buffer = ByteBufferAllocator().buffer(capacity: prefix + 1 + sizeHint)
        buffer.moveWriterIndex(to: prefix)
        if !isBinary { buffer.writeInteger(EncodedPacket.messageType) }
        let attachments = try write(&buffer)
        let length = buffer.writerIndex - prefix
        let start = prefix - WebSocketFrameHeader.length(forPayload: length)
        let opcode = isBinary ? WebSocketFrameHeader.binary : WebSocketFrameHeader.text
        WebSocketFrameHeader.set(opcode, payloadLength: length, in: &buffer, at: start)
        buffer.moveReaderIndex(to: start)
        self.first = Part(isBinary: isBinary, offset: prefix - start, length: length)
        self.others = EncodedPacket.append(attachments, to: &buffer)
        self.frames = buffer
    }

    /// Builds a packet from its messages, as another process sent them.
    ///
    /// - Parameters:
    ///   - message: The first message, without Engine.IO's type.
    ///   - isBinary: Whether the first message is binary.
    ///   - attachments: The binary messages that follow it.
    public init(message: ByteBuffer, isBinary: Bool, attachments: [ByteBuffer] = []) {
        let size = attachments.reduce(message.readableBytes) { $0 + $1.readableBytes + WebSocketFrameHeader.maximumLength }
        self.init(isBinary: isBinary, sizeHint: size) { buffer in
            buffer.writeImmutableBuffer(message)
            return attachments
        }
    }

    @usableFromInline static let messageType = UInt8(ascii: "4")
    private static let recordSeparator: UInt8 = 0x1e

    @usableFromInline
    static func append(_ attachments: [ByteBuffer], to buffer: inout ByteBuffer) -> [Part] {
        guard !attachments.isEmpty else { return [] }
        return attachments.map { attachment in
            buffer.writeWebSocketFrame(WebSocketFrameHeader.binary, attachment)
            let length = attachment.readableBytes
            return Part(isBinary: true, offset: buffer.readableBytes - length, length: length)
        }
    }

    /// The number of bytes that a WebSocket connection writes for this packet.
    public var byteCount: Int { frames.readableBytes }

    /// The number of Engine.IO messages: one, plus one for each attachment.
    public var messageCount: Int { 1 + others.count }

    /// Whether the first message is binary, which it is with the MessagePack parser.
    public var isBinary: Bool { first.isBinary }

    /// The first message without Engine.IO's packet type.
    public var message: ByteBuffer {
        let skip = first.isBinary ? 0 : 1
        return slice(first.offset + skip, first.length - skip)
    }

    /// The binary messages that follow the first.
    public var attachments: [ByteBuffer] { others.map { slice($0.offset, $0.length) } }

    private func slice(_ offset: Int, _ length: Int) -> ByteBuffer {
        frames.getSlice(at: frames.readerIndex + offset, length: length) ?? ByteBuffer()
    }

    /// Appends the packet to a long-polling payload: its messages separated by U+001E, binary ones as base64
    /// (Engine.IO protocol v4, "HTTP long-polling").
    ///
    /// - Parameter payload: The payload so far; a separator is written first if it is not empty.
    public func writePolling(to payload: inout ByteBuffer) {
        writePolling(first, to: &payload)
        for part in others { writePolling(part, to: &payload) }
    }

    private func writePolling(_ part: Part, to payload: inout ByteBuffer) {
        if payload.readableBytes > 0 { payload.writeInteger(Self.recordSeparator) }
        let bytes = slice(part.offset, part.length)
        if part.isBinary {
            payload.writeInteger(UInt8(ascii: "b"))
            Base64.encode(bytes, into: &payload)
        } else {
            payload.writeImmutableBuffer(bytes)
        }
    }

    /// The size of the packet in a long-polling payload, without a leading separator, in bytes.
    public var pollingByteCount: Int {
        others.reduce(Self.pollingSize(first)) { $0 + 1 + Self.pollingSize($1) }
    }

    private static func pollingSize(_ part: Part) -> Int {
        part.isBinary ? 1 + (part.length + 2) / 3 * 4 : part.length
    }
}
