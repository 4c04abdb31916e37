// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The characters of JSON strings: finding the special ones, and reading escapes.
enum JSONText {
    /// The offset of the first byte at or after `start` that is a quote, a backslash, a control character or not ASCII; the end if there
    /// is none. Looks at eight bytes at a time.
    @inline(__always)
    static func plainEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let special = escapable(word) | (word & 0x8080_8080_8080_8080)
            if special != 0 { return position + special.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < bytes.count, isPlain(bytes[position]), bytes[position] < 0x80 { position += 1 }
        return position
    }

    /// The offset of the first byte at or after `start` that must be escaped; the end if there is none.
    @inline(__always)
    static func unescapedEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            if escapable(word) != 0 { break }
            position += 8
        }
        while position < bytes.count, isPlain(bytes[position]) { position += 1 }
        return position
    }

    /// The high bit of each byte below 0x20, of each quote and backslash; bits above the lowest one that is set may be wrong.
    @inline(__always)
    private static func escapable(_ word: UInt64) -> UInt64 {
        let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
        let backslash = (word ^ 0x5c5c_5c5c_5c5c_5c5c) &- 0x0101_0101_0101_0101
        let control = word &- 0x2020_2020_2020_2020
        return (quote | backslash | control) & ~word & 0x8080_8080_8080_8080
    }

    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// The content of a validated string without its quotes.
    static func string(_ content: UnsafeRawBufferPointer, escaped: Bool) -> String {
        guard escaped else { return String(decoding: content, as: UTF8.self) }
        // A resolved escape is never longer than the escape itself.
        return String(unsafeUninitializedCapacity: content.count) { unescape(content, into: $0) }
    }

    /// Resolves the escapes of a validated string; a lone surrogate becomes U+FFFD. Returns the number of bytes written.
    private static func unescape(_ content: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var read = 0
        var written = 0
        while read < content.count {
            let byte = content[read]
            guard byte == UInt8(ascii: "\\"), read + 1 < content.count else {
                output[written] = byte
                written += 1
                read += 1
                continue
            }
            let scalar = escape(content, &read)
            for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                output[written] = unit
                written += 1
            }
        }
        return written
    }

    /// Reads one escape, or two that are a surrogate pair.
    private static func escape(_ content: UnsafeRawBufferPointer, _ position: inout Int) -> Unicode.Scalar {
        let letter = content[position + 1]
        guard letter == UInt8(ascii: "u"), let first = codeUnit(content, at: position) else {
            position += 2
            return Unicode.Scalar(simpleEscape(letter))
        }
        position += 6
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, let second = codeUnit(content, at: position), (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { return "\u{fffd}" }
        position += 6
        return scalar
    }

    /// The number of a `\uXXXX` that begins at `position`.
    private static func codeUnit(_ content: UnsafeRawBufferPointer, at position: Int) -> UInt32? {
        guard position + 6 <= content.count, content[position] == UInt8(ascii: "\\"), content[position + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var value: UInt32 = 0
        for index in 2..<6 {
            guard let digit = hexDigit(content[position + index]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func simpleEscape(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }
}
