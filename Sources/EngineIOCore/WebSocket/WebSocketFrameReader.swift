// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A WebSocket frame that a client has sent (RFC 6455, section 5.2).
package struct WebSocketClientFrame {
    package enum Opcode: UInt8, Sendable {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xa
    }

    package let opcode: Opcode
    /// Whether the message ends with this frame.
    package let isFinal: Bool
    /// The masking key; the first byte on the wire is its lowest.
    package let mask: UInt32
    /// The payload, still masked. It may share memory with other bytes of the read.
    package let payload: ByteBuffer
}

/// Takes frames out of the bytes of one connection, as they come.
///
/// An invalid frame is refused as soon as its header has arrived, before anything is kept for its payload. The reader never keeps more than
/// one frame of the allowed size and one read.
package struct WebSocketFrameReader {
    package enum Failure: Error {
        /// The payload is larger than allowed: close code 1009.
        case messageTooLarge
        /// Close code 1002.
        case protocolError
    }

    let maxPayload: Int
    /// The beginning of a frame whose rest has not arrived; never the connection's receive buffer, which it would keep.
    private var rest = ByteBuffer()
    /// Whether ``rest`` is what the last read has been put behind.
    private var readIsBehindRest = false
    private var hasEnded = false

    /// - Parameter maxPayload: The largest payload of a frame, in bytes.
    package init(maxPayload: Int) { self.maxPayload = maxPayload }

    /// How much is kept of a frame whose rest has not arrived, in bytes.
    package var bufferedBytes: Int { rest.readableBytes }

    /// Discards everything that has been read and everything that still arrives.
    package mutating func discard() {
        hasEnded = true
        rest = ByteBuffer()
    }

    /// Takes what has just been read. The caller takes frames out of the result with ``next(from:)`` and gives what is left to ``end(_:)``.
    package mutating func begin(_ bytes: ByteBuffer) -> ByteBuffer {
        guard !hasEnded else { return ByteBuffer() }
        readIsBehindRest = rest.readableBytes > 0
        guard readIsBehindRest else { return bytes }
        // Moved, so that a large frame is not copied with every read.
        var all = ByteBuffer()
        swap(&all, &rest)
        all.writeImmutableBuffer(bytes)
        return all
    }

    /// Keeps the beginning of a frame.
    package mutating func end(_ bytes: consuming ByteBuffer) {
        guard !hasEnded, bytes.readableBytes > 0 else { return }
        if readIsBehindRest, bytes.readerIndex == 0 {
            rest = bytes
        } else {
            rest.writeImmutableBuffer(bytes)
        }
    }

    /// Takes the next frame from the front of `bytes`; nil if it is not complete.
    package mutating func next(from bytes: inout ByteBuffer) throws(Failure) -> WebSocketClientFrame? {
        let header: Header
        switch bytes.withUnsafeReadableBytes({ Header.parse($0, maxPayload: maxPayload) }) {
        case .incomplete: return nil
        case .failure(let failure):
            discard()
            throw failure
        case .header(let parsed): header = parsed
        }
        guard bytes.readableBytes - header.size >= header.payload else { return nil }
        bytes.moveReaderIndex(forwardBy: header.size)
        guard let payload = bytes.readSlice(length: header.payload) else { return nil }
        return WebSocketClientFrame(opcode: header.opcode, isFinal: header.isFinal, mask: header.mask, payload: payload)
    }

    private struct Header {
        enum Result {
            case incomplete
            case failure(Failure)
            case header(Header)
        }

        let opcode: WebSocketClientFrame.Opcode
        let isFinal: Bool
        let mask: UInt32
        let size: Int
        let payload: Int

        /// Refuses invalid frames as early as possible, before the payload has arrived.
        static func parse(_ bytes: UnsafeRawBufferPointer, maxPayload: Int) -> Result {
            guard bytes.count >= 2 else { return .incomplete }
            let (first, second) = (bytes[0], bytes[1])
            // No extension is negotiated, and clients must mask (section 5.1).
            guard let opcode = WebSocketClientFrame.Opcode(rawValue: first & 0x0f), first & 0x70 == 0, second & 0x80 != 0 else {
                return .failure(.protocolError)
            }
            let isFinal = first & 0x80 != 0
            var length = UInt64(second & 0x7f)
            // Control frames are short and whole (section 5.5).
            if first & 0x08 != 0, length > 125 || !isFinal { return .failure(.protocolError) }
            let extra = length == 126 ? 2 : length == 127 ? 8 : 0
            guard bytes.count >= 2 + extra else { return .incomplete }
            if extra > 0 {
                length = 0
                for position in 2..<(2 + extra) { length = length << 8 | UInt64(bytes[position]) }
            }
            guard length <= UInt64(clamping: maxPayload) else { return .failure(.messageTooLarge) }
            guard bytes.count >= 2 + extra + 4 else { return .incomplete }
            let mask = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 + extra, as: UInt32.self))
            return .header(Header(opcode: opcode, isFinal: isFinal, mask: mask, size: 2 + extra + 4, payload: Int(length)))
        }
    }
}
