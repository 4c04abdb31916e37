// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Base64 with padding (RFC 4648, section 4), the form of binary messages in long-polling payloads.
package enum Base64 {
    private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The value of each byte in the standard or the URL alphabet; 255 for all others.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        return table
    }()

    /// Appends the base64 form of the readable bytes of `source`.
    package static func encode(_ source: ByteBuffer, into buffer: inout ByteBuffer) {
        source.withUnsafeReadableBytes { input in
            let size = (input.count + 2) / 3 * 4
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { output in
                alphabet.withUnsafeBufferPointer { encode(input, into: output, alphabet: $0) }
                return size
            }
        }
    }

    private static func encode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer,
        alphabet: UnsafeBufferPointer<UInt8>
    ) {
        var position = 0
        var index = 0
        while index < input.count {
            let left = input.count - index
            let first = UInt32(input[index])
            let second = left > 1 ? UInt32(input[index + 1]) : 0
            let third = left > 2 ? UInt32(input[index + 2]) : 0
            let group = first << 16 | second << 8 | third
            output[position] = alphabet[Int(group >> 18)]
            output[position + 1] = alphabet[Int(group >> 12 & 63)]
            output[position + 2] = left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "=")
            output[position + 3] = left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "=")
            index += 3
            position += 4
        }
    }

    /// The bytes that `source` stands for, or nil if it is not base64. Padding may be missing, and the URL alphabet is accepted.
    package static func decode(_ source: ByteBuffer) -> ByteBuffer? {
        source.withUnsafeReadableBytes { input in
            var end = input.count
            while end > 0, input.count - end < 2, input[end - 1] == UInt8(ascii: "=") { end -= 1 }
            guard end % 4 != 1, end == input.count || input.count % 4 == 0 else { return nil }
            return decode(UnsafeRawBufferPointer(rebasing: input[..<end]))
        }
    }

    private static func decode(_ input: UnsafeRawBufferPointer) -> ByteBuffer? {
        var result = ByteBuffer()
        let size = input.count * 3 / 4
        var valid = true
        result.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { output in
            var bits: UInt32 = 0
            var count = 0
            var position = 0
            for byte in input {
                let value = values[Int(byte)]
                if value == 255 {
                    valid = false
                    return 0
                }
                bits = bits << 6 | UInt32(value)
                count += 6
                if count >= 8 {
                    count -= 8
                    output[position] = UInt8(truncatingIfNeeded: bits >> UInt32(count))
                    position += 1
                }
            }
            return position
        }
        return valid ? result : nil
    }
}
