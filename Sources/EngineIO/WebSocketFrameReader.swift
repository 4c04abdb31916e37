import NIOCore

/// A frame that a client has sent (RFC 6455, section 5.2).
struct ClientFrame {
    enum Opcode: UInt8 {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xa
    }

    let opcode: Opcode
    let isFinal: Bool
    /// The masking key, in the order of the bytes on the wire; its first byte is the lowest.
    let mask: UInt32
    /// The payload, still masked. It may share memory with what else was read.
    let payload: ByteBuffer
}

/// Takes frames out of the bytes of one connection.
struct WebSocketFrameReader {
    enum Failure: Error {
        case messageTooLarge
        case protocolError
    }

    private let maxPayload: Int
    /// The beginning of a frame whose rest has not come; never the connection's receive buffer, which it would keep.
    private var rest = ByteBuffer()
    private var hasFailed = false

    init(maxPayload: Int) { self.maxPayload = maxPayload }

    /// Gives up what has been read and does not come back for the rest.
    mutating func discard() {
        hasFailed = true
        rest = ByteBuffer()
    }

    /// Puts what has just been read behind what is left of the last read; the caller takes frames out of the result.
    mutating func begin(_ bytes: ByteBuffer) -> ByteBuffer {
        guard !hasFailed else { return ByteBuffer() }
        guard rest.readableBytes > 0 else { return bytes }
        var all = ByteBuffer()
        swap(&all, &rest)
        all.writeImmutableBuffer(bytes)
        return all
    }

    /// Keeps what is not a whole frame yet.
    mutating func end(_ bytes: ByteBuffer, isOwned: Bool) {
        guard !hasFailed, bytes.readableBytes > 0 else { return }
        if isOwned, bytes.readerIndex == 0 {
            rest = bytes
        } else {
            rest.writeImmutableBuffer(bytes)
        }
    }

    /// Takes the next frame from the front of `bytes`; nil if it is not complete.
    mutating func next(from bytes: inout ByteBuffer) throws(Failure) -> ClientFrame? {
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
        return ClientFrame(opcode: header.opcode, isFinal: header.isFinal, mask: header.mask, payload: payload)
    }

    private struct Header {
        enum Result {
            case incomplete
            case failure(Failure)
            case header(Header)
        }

        let opcode: ClientFrame.Opcode
        let isFinal: Bool
        let mask: UInt32
        let size: Int
        let payload: Int

        /// Refuses what can be refused before the payload has come.
        static func parse(_ bytes: UnsafeRawBufferPointer, maxPayload: Int) -> Result {
            guard bytes.count >= 2 else { return .incomplete }
            let (first, second) = (bytes[0], bytes[1])
            // No extension is negotiated, and clients must mask (section 5.1).
            guard let opcode = ClientFrame.Opcode(rawValue: first & 0x0f), first & 0x70 == 0, second & 0x80 != 0 else {
                return .failure(.protocolError)
            }
            let isFinal = first & 0x80 != 0
            var length = UInt64(second & 0x7f)
            // Control frames are short and whole (section 5.5).
            if first & 0x08 != 0, length > 125 || !isFinal { return .failure(.protocolError) }
            let extra = length == 126 ? 2 : length == 127 ? 8 : 0
            guard bytes.count >= 2 + extra + 4 else { return .incomplete }
            if extra > 0 {
                length = 0
                for position in 2..<(2 + extra) { length = length << 8 | UInt64(bytes[position]) }
            }
            guard length <= UInt64(maxPayload) else { return .failure(.messageTooLarge) }
            let mask = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 + extra, as: UInt32.self))
            return .header(Header(opcode: opcode, isFinal: isFinal, mask: mask, size: 2 + extra + 4, payload: Int(length)))
        }
    }
}
