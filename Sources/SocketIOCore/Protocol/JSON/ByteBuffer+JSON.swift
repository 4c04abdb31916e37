package import NIOCore

// Scalars as JSON, at the end of a buffer.
extension ByteBuffer {
    /// Appends a string with its quotes. Escapes what JSON demands and nothing else.
    package mutating func writeJSONString(_ string: String) {
        var string = string
        string.withUTF8 { self.writeJSONString(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a string, given as valid UTF-8, with its quotes.
    package mutating func writeJSONString(_ bytes: UnsafeRawBufferPointer) {
        let plain = JSONText.unescapedEnd(bytes, from: 0)
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + 2) { output in
            output[0] = UInt8(ascii: "\"")
            UnsafeMutableRawBufferPointer(rebasing: output[1..<(plain + 1)]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[..<plain])
            )
            guard plain == bytes.count else { return plain + 1 }
            output[plain + 1] = UInt8(ascii: "\"")
            return plain + 2
        }
        if plain < bytes.count { self.writeEscaped(bytes, from: plain) }
    }

    /// Appends the rest of a string, from a byte that must be escaped, and its closing quote.
    private mutating func writeEscaped(_ bytes: UnsafeRawBufferPointer, from start: Int) {
        var position = start
        while position < bytes.count {
            self.writeEscape(of: bytes[position])
            let end = JSONText.unescapedEnd(bytes, from: position + 1)
            self.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[(position + 1)..<end]))
            position = end
        }
        self.writeInteger(UInt8(ascii: "\""))
    }

    private mutating func writeEscape(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.writeStaticString("\\\"")
        case UInt8(ascii: "\\"): self.writeStaticString("\\\\")
        case 0x08: self.writeStaticString("\\b")
        case 0x0c: self.writeStaticString("\\f")
        case 0x0a: self.writeStaticString("\\n")
        case 0x0d: self.writeStaticString("\\r")
        case 0x09: self.writeStaticString("\\t")
        default:
            self.writeStaticString("\\u00")
            self.writeMultipleIntegers(Self.hexDigit(byte >> 4), Self.hexDigit(byte & 0x0f))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Appends an integer in decimal.
    package mutating func writeJSONInteger(_ value: Int64) {
        if value < 0 { self.writeInteger(UInt8(ascii: "-")) }
        self.writeJSONInteger(value.magnitude)
    }

    /// Appends an integer in decimal.
    package mutating func writeJSONInteger(_ value: UInt64) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { output in
            var count = 1
            var rest = value
            while rest >= 10 {
                rest /= 10
                count += 1
            }
            rest = value
            for position in stride(from: count - 1, through: 0, by: -1) {
                output[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return count
        }
    }

    /// Appends a finite number, in the fewest digits that give it back.
    mutating func writeJSONDouble(_ value: Double) {
        // Below 2^53 whole numbers need no exponent; JavaScript writes them the same way. -0 keeps its sign.
        if value.magnitude < 0x1p53, value.rounded(.towardZero) == value, value != 0 || value.sign == .plus {
            self.writeJSONInteger(Int64(value))
        } else {
            self.writeDescription(value.description)
        }
    }

    /// Appends a finite number, in the fewest digits that give it back.
    mutating func writeJSONFloat(_ value: Float) {
        self.writeDescription(value.description)
    }

    /// Swift's shortest form is JSON, but for a fraction of zero, which is left out.
    private mutating func writeDescription(_ description: String) {
        self.writeSubstring(description.hasSuffix(".0") ? description.dropLast(2) : Substring(description))
    }
}
