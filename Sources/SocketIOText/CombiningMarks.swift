// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Text that Swift compares in quadratic time.
///
/// To compare or hash a string, Swift sorts each run of combining marks: 60 KB of them take two seconds. Text that is longer than a name may
/// be, and that the application is given as a `String`, is therefore refused if it has more marks in a row than ``limit``. Unicode's
/// stream-safe format allows 30 (UAX #15, section 13); the most that people stack up for fun is a few dozen. With twice as many, a megabyte
/// of such runs takes no longer than the slowest text without them.
@usableFromInline
package enum CombiningMarks {
    /// The marks that may follow each other.
    @inlinable
    package static var limit: Int { 64 }

    /// The problem of text that has more, to follow "the string has".
    package static let complaint = "more than \(limit) combining marks in a row: to compare it, Swift would need quadratic time"

    /// Whether text has more marks in a row than ``limit``.
    @inlinable
    package static func exceedLimit(in text: String) -> Bool {
        text.utf8.count > 2 * limit && hasLongRun(text)
    }

    @usableFromInline
    package static func hasLongRun(_ text: String) -> Bool {
        Bytewise.withBytes(text) { exceedLimit(in: UnsafeRawBufferPointer($0)) }
    }

    /// Whether text has more marks in a row than ``limit``.
    ///
    /// - Parameter bytes: UTF-8. Of what is not valid anything may be said, but nothing beyond its end is read.
    package static func exceedLimit(in bytes: UnsafeRawBufferPointer) -> Bool {
        // A mark has two bytes or more, so that short text, and the end of a long one, need no look.
        guard bytes.count > 2 * limit else { return false }
        var run = 0
        var index = 0
        while index < bytes.count {
            let first = bytes[index]
            // The first mark is U+0300: CC 80.
            guard first >= 0xCC else {
                index += 1
                run = 0
                continue
            }
            let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
            run = index + length <= bytes.count && isMark(scalar(at: index, length, bytes)) ? run + 1 : 0
            if run > limit { return true }
            index += length
        }
        return false
    }

    private static func scalar(at index: Int, _ length: Int, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var value = UInt32(bytes[index]) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for offset in 1..<length { value = value << 6 | UInt32(bytes[index + offset] & 0x3F) }
        return value
    }

    @inline(__always)
    private static func isMark(_ value: UInt32) -> Bool {
        // Chinese, Japanese and Korean text has none, and is what most long text of this kind is.
        if value >= 0x3100, value < 0xA66F { return false }
        if value >= 0xAC00, value < 0xFB1E { return false }
        guard value <= lastWithMarks else { return hasClass(value) }
        return table[Int(value >> 6)] >> UInt64(value & 63) & 1 == 1
    }

    /// Where the planes end that have marks; the others hold rare Chinese characters, and nothing.
    private static let lastWithMarks: UInt32 = 0x1FFFF

    /// A bit for each scalar. To ask Swift takes thirty times as long, so that a megabyte of marks took 20 ms.
    private static let table: [UInt64] = (0...Int(lastWithMarks >> 6)).map { word in
        (0..<64).reduce(0) { bits, bit in hasClass(UInt32(word << 6 | bit)) ? bits | 1 << UInt64(bit) : bits }
    }

    private static func hasClass(_ value: UInt32) -> Bool {
        // Three vowel signs count as letters but are made of marks.
        if value == 0x0F73 || value == 0x0F75 || value == 0x0F81 { return true }
        guard let scalar = Unicode.Scalar(value) else { return false }
        return scalar.properties.canonicalCombiningClass != .notReordered
    }
}
