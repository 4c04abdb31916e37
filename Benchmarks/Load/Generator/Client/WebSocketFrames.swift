// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Writing a client's frames (RFC 6455, section 5.2).
enum WebSocketFrames {
    static let text: UInt8 = 0x81
    static let binary: UInt8 = 0x82
    static let close: UInt8 = 0x88
    static let pong: UInt8 = 0x8a

    /// Appends one masked frame.
    static func append(_ payload: Bytes, opcode: UInt8, mask: UInt32, to output: inout Bytes) {
        output.append(opcode)
        appendLength(payload.count, maskBit: 0x80, to: &output)
        for shift in stride(from: 0, to: 32, by: 8) { output.append(UInt8(truncatingIfNeeded: mask >> UInt32(shift))) }
        let begin = output.count
        output.append(payload.start, payload.count)
        apply(mask, to: output.start + begin, payload.count)
    }

    /// Appends one frame that is not masked, as servers send them.
    static func appendUnmasked(_ payload: Bytes, opcode: UInt8, to output: inout Bytes) {
        output.append(opcode)
        appendLength(payload.count, maskBit: 0, to: &output)
        output.append(payload.start, payload.count)
    }

    private static func appendLength(_ length: Int, maskBit: UInt8, to output: inout Bytes) {
        switch length {
        case ..<126: output.append(maskBit | UInt8(truncatingIfNeeded: length))
        case ..<65536:
            output.append(maskBit | 126)
            output.append(UInt8(truncatingIfNeeded: length >> 8))
            output.append(UInt8(truncatingIfNeeded: length))
        default:
            output.append(maskBit | 127)
            for shift in stride(from: 56, through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: length >> shift)) }
        }
    }

    static func apply(_ mask: UInt32, to bytes: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let wide = UInt64(mask) << 32 | UInt64(mask)
        let raw = UnsafeMutableRawPointer(bytes)
        var position = 0
        while position + 8 <= count {
            raw.storeBytes(of: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) ^ wide, toByteOffset: position, as: UInt64.self)
            position += 8
        }
        while position < count {
            bytes[position] ^= UInt8(truncatingIfNeeded: mask >> UInt32(8 * (position & 3)))
            position += 1
        }
    }
}

/// A frame in a buffer of received bytes.
struct ReceivedFrame {
    let opcode: UInt8
    let isFinal: Bool
    let mask: UInt32?
    /// Where the payload begins, counted from the frame's first byte.
    let header: Int
    let length: Int

    /// Reads a frame's header; nil if the frame is not complete.
    @inline(__always)
    init?(_ bytes: UnsafePointer<UInt8>, _ available: Int) {
        guard available >= 2 else { return nil }
        opcode = bytes[0] & 0x0f
        isFinal = bytes[0] & 0x80 != 0
        var header = 2
        var length = Int(bytes[1] & 0x7f)
        if length == 126 {
            guard available >= 4 else { return nil }
            length = Int(bytes[2]) << 8 | Int(bytes[3])
            header = 4
        } else if length == 127 {
            guard available >= 10 else { return nil }
            length = 0
            for position in 2..<10 { length = length << 8 | Int(bytes[position]) }
            guard length >= 0, length < 1 << 30 else { return nil }
            header = 10
        }
        if bytes[1] & 0x80 != 0 {
            guard available >= header + 4 else { return nil }
            mask = UnsafeRawPointer(bytes + header).loadUnaligned(as: UInt32.self)
            header += 4
        } else {
            mask = nil
        }
        guard available - header >= length else { return nil }
        self.header = header
        self.length = length
    }
}
