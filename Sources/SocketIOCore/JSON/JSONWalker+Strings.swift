// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

extension JSONWalker {
    /// Steps over a string, from quote to quote. Returns whether it has escapes.
    mutating func string() throws(JSONSyntaxError) -> Bool {
        position += 1
        var escaped = false
        while true {
            position = JSONText.plainEnd(bytes, from: position)
            switch try byte() {
            case UInt8(ascii: "\""):
                position += 1
                return escaped
            case UInt8(ascii: "\\"):
                escaped = true
                try escape()
            case 0x80...:
                hasSeenNonASCII = true
                try nonASCII()
            default:
                throw JSONSyntaxError(.controlCharacter, at: position)
            }
        }
    }

    private mutating func escape() throws(JSONSyntaxError) {
        position += 1
        switch try byte() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard JSONText.hexDigit(try byte()) != nil else { throw JSONSyntaxError(.invalidEscape, at: position) }
                position += 1
            }
        default: throw JSONSyntaxError(.invalidEscape, at: position)
        }
    }

    /// Steps over characters of more than one byte (Unicode, table 3-7).
    private mutating func nonASCII() throws(JSONSyntaxError) {
        while true {
            plainNonASCII()
            guard position < bytes.count else { return }
            let first = bytes[position]
            guard first >= 0x80 else { return }
            switch first {
            case 0xc2...0xdf: try continuation(1, second: 0x80...0xbf)
            case 0xe0: try continuation(2, second: 0xa0...0xbf)
            case 0xed: try continuation(2, second: 0x80...0x9f)
            case 0xe1...0xef: try continuation(2, second: 0x80...0xbf)
            case 0xf0: try continuation(3, second: 0x90...0xbf)
            case 0xf1...0xf3: try continuation(3, second: 0x80...0xbf)
            case 0xf4: try continuation(3, second: 0x80...0x8f)
            default: throw JSONSyntaxError(.invalidUTF8, at: position)
            }
        }
    }

    /// Steps over the characters that nearly all text beyond ASCII has, of two and of three bytes. The others, and what is wrong, are left.
    @inline(__always)
    private mutating func plainNonASCII() {
        var position = self.position
        while position + 3 <= bytes.count {
            let first = bytes[position]
            let rest = bytes.loadUnaligned(fromByteOffset: position + 1, as: UInt16.self)
            if first &- 0xc2 < 0x1e, bytes[position + 1] & 0xc0 == 0x80 {
                position += 2
            } else if first &- 0xe1 < 0x0f, first != 0xed, rest & 0xc0c0 == 0x8080 {
                position += 3
            } else {
                break
            }
        }
        self.position = position
    }

    @inline(__always)
    private mutating func continuation(_ count: Int, second: ClosedRange<UInt8>) throws(JSONSyntaxError) {
        guard position + count < bytes.count else {
            throw JSONSyntaxError(.invalidUTF8, at: position)
        }
        guard second.contains(bytes[position + 1]) else { throw JSONSyntaxError(.invalidUTF8, at: position) }
        for index in 1...count where bytes[position + index] & 0xc0 != 0x80 {
            throw JSONSyntaxError(.invalidUTF8, at: position)
        }
        position += count + 1
    }
}
