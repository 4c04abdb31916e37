// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Scalars as JSON, at the end of a buffer.
extension ByteBuffer: JSONByteOutput {
    @inline(__always)
    mutating func append(upTo count: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { output in
            output.baseAddress.map(body) ?? 0
        }
    }

    /// Appends a string with its quotes. Escapes what JSON demands and nothing else.
    package mutating func writeJSONString(_ string: String) { append(string) }

    /// Appends an integer in decimal.
    package mutating func writeJSONInteger(_ value: Int64) { append(value) }
}
