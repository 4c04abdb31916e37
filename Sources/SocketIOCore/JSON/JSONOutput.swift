// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Where JSON is written to.
protocol JSONByteOutput: ~Copyable {
    /// Gives memory for at least `count` bytes; `body` says how many of them it has filled.
    mutating func append(upTo count: Int, _ body: (UnsafeMutableRawPointer) -> Int)
}

/// Bytes that only grow. A `ByteBuffer` asks at each write whether its storage is shared; this one is never shared.
struct JSONOutput: ~Copyable, JSONByteOutput {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 256
        base = .allocate(byteCount: capacity, alignment: 1)
    }

    deinit { base.deallocate() }

    /// The bytes written so far; valid until the next write.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func truncate(to count: Int) { self.count = count }

    @inline(__always)
    mutating func append(upTo count: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        if capacity - self.count < count { grow(by: count) }
        self.count += body(base + self.count)
    }

    @inline(never)
    private mutating func grow(by count: Int) {
        let capacity = max(self.capacity * 2, self.count + count)
        let base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        base.copyMemory(from: self.base, byteCount: self.count)
        self.base.deallocate()
        self.base = base
        self.capacity = capacity
    }
}

/// Scalars as JSON.
extension JSONByteOutput where Self: ~Copyable {
    @inline(__always)
    mutating func append(_ byte: UInt8) {
        append(upTo: 1) { output in
            output.storeBytes(of: byte, as: UInt8.self)
            return 1
        }
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(upTo: text.utf8CodeUnitCount) { output in
            output.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
            return text.utf8CodeUnitCount
        }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        append(upTo: bytes.count) { output in
            output.copyMemory(from: base, byteCount: bytes.count)
            return bytes.count
        }
    }

    /// Appends text that needs no quotes and no escapes.
    mutating func append(verbatim text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a string with its quotes. Escapes what JSON demands and nothing else.
    mutating func append(_ string: String) {
        var string = string
        string.withUTF8 { append(string: UnsafeRawBufferPointer($0)) }
    }

    mutating func append(string bytes: UnsafeRawBufferPointer) {
        let plain = JSONText.unescapedEnd(bytes, from: 0)
        append(upTo: plain + 2) { output in
            output.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
            if let base = bytes.baseAddress { (output + 1).copyMemory(from: base, byteCount: plain) }
            (output + plain + 1).storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
            // The closing quote is left out if more is to come.
            return plain == bytes.count ? plain + 2 : plain + 1
        }
        if plain < bytes.count { append(escaping: bytes, from: plain) }
    }

    /// Appends the rest of a string, from a byte that must be escaped, and its closing quote.
    private mutating func append(escaping bytes: UnsafeRawBufferPointer, from start: Int) {
        var position = start
        while position < bytes.count {
            append(escapeOf: bytes[position])
            let end = JSONText.unescapedEnd(bytes, from: position + 1)
            append(UnsafeRawBufferPointer(rebasing: bytes[(position + 1)..<end]))
            position = end
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(escapeOf byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"" as StaticString)
        case UInt8(ascii: "\\"): append("\\\\" as StaticString)
        case 0x08: append("\\b" as StaticString)
        case 0x0c: append("\\f" as StaticString)
        case 0x0a: append("\\n" as StaticString)
        case 0x0d: append("\\r" as StaticString)
        case 0x09: append("\\t" as StaticString)
        default:
            append("\\u00" as StaticString)
            append(byte >> 4 == 0 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let digit = byte & 0x0f
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    mutating func append(_ value: Bool) { append(value ? "true" : "false" as StaticString) }

    mutating func append(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(value.magnitude)
    }

    mutating func append(_ value: UInt64) {
        append(upTo: 20) { output in
            var count = 1
            var rest = value
            while rest >= 10 {
                rest /= 10
                count += 1
            }
            rest = value
            for position in stride(from: count - 1, through: 0, by: -1) {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                output.storeBytes(of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit), toByteOffset: position, as: UInt8.self)
                rest = quotient
            }
            return count
        }
    }

    /// Appends a finite number, in the fewest digits that give it back.
    mutating func append(_ value: Double) {
        // Below 2^53 whole numbers need no exponent; JavaScript writes them the same way. -0 keeps its sign.
        if value.magnitude < 0x1p53, value.rounded(.towardZero) == value, value != 0 || value.sign == .plus {
            append(Int64(value))
        } else {
            append(description: value.description)
        }
    }

    /// Appends a finite number, in the fewest digits that give it back.
    mutating func append(_ value: Float) {
        append(description: value.description)
    }

    /// Swift's shortest form is JSON, but for a fraction of zero, which is left out.
    private mutating func append(description: String) {
        var description = description
        description.withUTF8 { digits in
            let isWhole = digits.suffix(2).elementsEqual(".0".utf8)
            append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits).dropLast(isWhole ? 2 : 0)))
        }
    }
}
