// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A packet as a client sends it (Engine.IO protocol v4, "Packet encoding").
package enum EnginePacket: Sendable, Equatable {
    case open
    case close
    /// `isProbe` is true for `2probe`, which a client sends over the WebSocket that is to replace polling.
    case ping(isProbe: Bool)
    case pong(isProbe: Bool)
    /// The message without its packet type.
    case text(ByteBuffer)
    case binary(ByteBuffer)
    case upgrade
    case noop

    /// Reads a packet from its text form; binary messages are `b` and base64 there.
    ///
    /// - Returns: nil if the text is not a packet. The caller has checked that it is UTF-8.
    package static func decode(_ text: ByteBuffer) -> EnginePacket? {
        var rest = text
        guard let type = rest.readInteger(as: UInt8.self) else { return nil }
        switch type {
        case UInt8(ascii: "4"): return .text(rest)
        case UInt8(ascii: "b"): return Base64.decode(rest).map { .binary($0) }
        case UInt8(ascii: "3"): return .pong(isProbe: isProbe(rest))
        case UInt8(ascii: "2"): return .ping(isProbe: isProbe(rest))
        case UInt8(ascii: "0"): return .open
        case UInt8(ascii: "1"): return .close
        case UInt8(ascii: "5"): return .upgrade
        case UInt8(ascii: "6"): return .noop
        default: return nil
        }
    }

    private static func isProbe(_ data: ByteBuffer) -> Bool {
        data.readableBytes == 5 && data.readableBytesView.elementsEqual("probe".utf8)
    }
}

/// Splits the payload of a long-polling request into packets (Engine.IO protocol v4, "HTTP long-polling"), in one pass.
package struct EnginePayloadDecoder: Sendable {
    /// An element of a payload.
    package enum Element: Sendable, Equatable {
        case packet(EnginePacket)
        /// The payload breaks the rules or the limit here; nothing follows.
        case invalid
    }

    private static let separator: UInt8 = 0x1e

    private var rest: ByteBuffer
    /// How many more packets are accepted.
    package private(set) var packetsLeft: Int
    private var isFinished = false

    /// - Parameters:
    ///   - payload: The body of the request.
    ///   - maximumPackets: The number of packets that are accepted.
    package init(_ payload: ByteBuffer, maximumPackets: Int) {
        self.rest = payload
        self.packetsLeft = maximumPackets
    }

    /// How many bytes follow.
    package var bytesLeft: Int { isFinished ? 0 : rest.readableBytes }

    /// Whether nothing follows.
    package var isAtEnd: Bool { isFinished }

    /// The next packet; nil at the end.
    package mutating func next() -> Element? {
        guard !isFinished else { return nil }
        guard packetsLeft > 0, let packet = EnginePacket.decode(nextSlice()) else {
            isFinished = true
            return .invalid
        }
        packetsLeft -= 1
        return .packet(packet)
    }

    private mutating func nextSlice() -> ByteBuffer {
        let length = rest.withUnsafeReadableBytes { $0.firstIndex(of: Self.separator) }
        guard let length, let slice = rest.readSlice(length: length) else {
            isFinished = true
            return rest
        }
        rest.moveReaderIndex(forwardBy: 1)
        return slice
    }
}

extension ByteBuffer {
    /// Whether the readable bytes are well-formed UTF-8.
    package var isValidUTF8: Bool {
        let bytes = self.readableBytesUInt8Span
        return (try? UTF8Span(validating: bytes)) != nil
    }
}
