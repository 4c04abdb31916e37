// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

extension ByteBuffer {
    /// A copy of the readable bytes with a client's mask taken off (RFC 6455, section 5.3); the mask's first byte is its lowest.
    ///
    /// The copy has exactly the message's size, so that a receiver that keeps it does not keep the connection's receive buffer.
    package func webSocketUnmasked(_ mask: UInt32) -> ByteBuffer {
        guard readableBytes > 0 else { return ByteBuffer() }
        var result = ByteBufferAllocator().buffer(capacity: readableBytes)
        writeWebSocketUnmasked(mask, to: &result)
        return result
    }

    /// Appends the readable bytes, with a client's mask taken off, to `buffer`.
    package func writeWebSocketUnmasked(_ mask: UInt32, to buffer: inout ByteBuffer) {
        let count = readableBytes
        let wide = UInt64(mask) | UInt64(mask) << 32
        _ = withUnsafeReadableBytes { source in
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
                var index = 0
                while index + 8 <= count {
                    let word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ wide
                    target.storeBytes(of: word.littleEndian, toByteOffset: index, as: UInt64.self)
                    index += 8
                }
                while index < count {
                    target[index] = source[index] ^ UInt8(truncatingIfNeeded: mask >> UInt32((index & 3) * 8))
                    index += 1
                }
                return count
            }
        }
    }
}
