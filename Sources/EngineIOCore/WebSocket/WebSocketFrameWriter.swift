// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// The header of a WebSocket frame as a server sends it: final and unmasked (RFC 6455, section 5.2).
@usableFromInline
package enum WebSocketFrameHeader {
    @usableFromInline static let maximumLength = 10

    /// The first bytes of frames: the opcode, and the bit that says that no other frame of the message follows.
    @inlinable package static var text: UInt8 { 0x81 }
    @inlinable package static var binary: UInt8 { 0x82 }
    @inlinable package static var close: UInt8 { 0x88 }
    @inlinable package static var pong: UInt8 { 0x8a }

    @inlinable
    static func length(forPayload length: Int) -> Int {
        length < 126 ? 2 : length <= 0xffff ? 4 : 10
    }

    /// Writes a header of `length(forPayload:)` bytes in place.
    @inlinable
    static func set(_ first: UInt8, payloadLength: Int, in buffer: inout ByteBuffer, at index: Int) {
        switch length(forPayload: payloadLength) {
        case 2: buffer.setInteger(UInt16(first) << 8 | UInt16(truncatingIfNeeded: payloadLength), at: index)
        case 4:
            buffer.setInteger(UInt16(first) << 8 | 126, at: index)
            buffer.setInteger(UInt16(truncatingIfNeeded: payloadLength), at: index + 2)
        default:
            buffer.setInteger(UInt16(first) << 8 | 127, at: index)
            buffer.setInteger(UInt64(payloadLength), at: index + 2)
        }
    }
}

extension ByteBuffer {
    /// Appends a WebSocket frame.
    ///
    /// - Parameters:
    ///   - first: The frame's first byte, one of ``WebSocketFrameHeader``'s.
    ///   - payload: The payload; at most 125 bytes of a control frame.
    package mutating func writeWebSocketFrame(_ first: UInt8, _ payload: ByteBuffer) {
        let header = writerIndex
        writeRepeatingByte(0, count: WebSocketFrameHeader.length(forPayload: payload.readableBytes))
        WebSocketFrameHeader.set(first, payloadLength: payload.readableBytes, in: &self, at: header)
        writeImmutableBuffer(payload)
    }

    /// A WebSocket frame in a buffer of its own.
    package static func webSocketFrame(_ first: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
        let size = WebSocketFrameHeader.length(forPayload: payload.readableBytes) + payload.readableBytes
        var frame = ByteBufferAllocator().buffer(capacity: size)
        frame.writeWebSocketFrame(first, payload)
        return frame
    }

    /// A close frame that a server sends first.
    package static func webSocketClose(_ code: WebSocketCloseCode) -> ByteBuffer {
        webSocketFrame(WebSocketFrameHeader.close, ByteBuffer(integer: code.rawValue))
    }
}
