// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOZlib
import NIOCore

/// Compresses whole bodies (RFC 1952).
///
/// The response compressor of swift-nio-extras works inside a channel's pipeline, on the event loop. Long bodies are compressed on other
/// threads here (``Compressor``), so zlib is called directly.
enum Gzip {
    /// The gzip form of the readable bytes; nil if zlib has no memory.
    static func compress(_ source: ByteBuffer) -> ByteBuffer? {
        var stream = z_stream()
        // Window bits above 15 ask for a gzip header.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
            return nil
        }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(source.readableBytes)))
        var result = ByteBuffer()
        var status = Z_OK
        _ = source.withUnsafeReadableBytes { input in
            result.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { output in
                // zlib does not write through next_in.
                stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
                stream.avail_in = UInt32(clamping: input.count)
                stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(clamping: output.count)
                status = deflate(&stream, Z_FINISH)
                return Int(stream.total_out)
            }
        }
        return status == Z_STREAM_END ? result : nil
    }
}
