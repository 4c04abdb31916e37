// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a ``JSONWalker`` reports. Offsets are from the start of the text; a container is `begin` … `end`.
protocol JSONVisitor {
    mutating func begin(at offset: Int, isObject: Bool, depth: Int) throws(JSONSyntaxError)
    mutating func end(at offset: Int, depth: Int)
    /// A string, or the key of a member; `range` has the quotes.
    mutating func string(_ range: Range<Int>, escaped: Bool, depth: Int) throws(JSONSyntaxError)
    mutating func number(_ range: Range<Int>, isInteger: Bool, depth: Int) throws(JSONSyntaxError)
    mutating func literal(_ range: Range<Int>, isNull: Bool, depth: Int) throws(JSONSyntaxError)
    mutating func key(_ range: Range<Int>, escaped: Bool) throws(JSONSyntaxError)
}

/// Walks once over a JSON text (RFC 8259, UTF-8) and checks every byte of it. No recursion and no allocation.
struct JSONWalker {
    /// The deepest nesting that can be walked: one bit each.
    static let deepestNesting = 64

    let bytes: UnsafeRawBufferPointer
    var position = 0
    /// Whether a string was not pure ASCII.
    var hasSeenNonASCII = false
    /// Whether a key was not pure ASCII, or had escapes.
    private(set) var hasUnusualKeys = false

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Walks over a whole text: one value with white space around it.
    mutating func document(_ visitor: inout some JSONVisitor, maximumDepth: Int) throws(JSONSyntaxError) {
        try value(&visitor, maximumDepth: min(maximumDepth, Self.deepestNesting))
        try expectEnd()
    }

    /// Walks over a whole text that is an array, with white space around it. Its elements may be nested as deeply as a document: the bit
    /// that is lost then is the array's, which is zero, as is the one that comes back in its place.
    mutating func array(_ visitor: inout some JSONVisitor, maximumDepth: Int) throws(JSONSyntaxError) {
        skipSpace()
        guard try byte() == UInt8(ascii: "[") else { throw JSONSyntaxError(.notAnArray, at: position) }
        try value(&visitor, maximumDepth: min(maximumDepth, Self.deepestNesting) + 1)
        try expectEnd()
    }

    mutating func expectEnd() throws(JSONSyntaxError) {
        skipSpace()
        guard position == bytes.count else { throw JSONSyntaxError(.trailingBytes, at: position) }
    }

    /// Walks over one value. `stack` has a bit per open container, set for objects.
    @inline(__always)
    private mutating func value(_ visitor: inout some JSONVisitor, maximumDepth: Int) throws(JSONSyntaxError) {
        var stack: UInt64 = 0
        var depth = 0
        while true {
            skipSpace()
            let byte = try self.byte()
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard depth < maximumDepth else { throw JSONSyntaxError(.tooDeep, at: position) }
                let isObject = byte == UInt8(ascii: "{")
                try visitor.begin(at: position, isObject: isObject, depth: depth)
                stack = stack << 1 | (isObject ? 1 : 0)
                depth += 1
                position += 1
                skipSpace()
                if try self.byte() != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    if isObject { try key(&visitor) }
                    continue
                }
            } else {
                try scalar(byte, &visitor, depth: depth)
                if depth == 0 { return }
                skipSpace()
            }
            // After a value, or at the end of an empty container.
            if try afterValue(&visitor, &stack, &depth) { return }
        }
    }

    /// Closes what ends here and steps over a comma. Returns true at the end of the outermost value.
    @inline(__always)
    private mutating func afterValue(
        _ visitor: inout some JSONVisitor,
        _ stack: inout UInt64,
        _ depth: inout Int
    ) throws(JSONSyntaxError) -> Bool {
        while true {
            let isObject = stack & 1 == 1
            let byte = try self.byte()
            if byte == UInt8(ascii: ",") {
                position += 1
                guard isObject else { return false }
                skipSpace()
                try key(&visitor)
                return false
            }
            guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw JSONSyntaxError(.unexpectedByte, at: position)
            }
            position += 1
            stack >>= 1
            depth -= 1
            visitor.end(at: position, depth: depth)
            if depth == 0 { return true }
            skipSpace()
        }
    }

    @inline(__always)
    private mutating func scalar(_ byte: UInt8, _ visitor: inout some JSONVisitor, depth: Int) throws(JSONSyntaxError) {
        let start = position
        switch byte {
        case UInt8(ascii: "\""):
            let escaped = try string()
            try visitor.string(start..<position, escaped: escaped, depth: depth)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let isInteger = try number()
            try visitor.number(start..<position, isInteger: isInteger, depth: depth)
        default:
            try literal()
            try visitor.literal(start..<position, isNull: byte == UInt8(ascii: "n"), depth: depth)
        }
    }

    @inline(__always)
    private mutating func key(_ visitor: inout some JSONVisitor) throws(JSONSyntaxError) {
        let start = position
        guard try byte() == UInt8(ascii: "\"") else { throw JSONSyntaxError(.unexpectedByte, at: position) }
        hasSeenNonASCII = false
        let escaped = try string()
        if escaped || hasSeenNonASCII { hasUnusualKeys = true }
        try visitor.key(start..<position, escaped: escaped)
        skipSpace()
        guard try byte() == UInt8(ascii: ":") else { throw JSONSyntaxError(.unexpectedByte, at: position) }
        position += 1
    }

    // MARK: Tokens

    @inline(__always)
    func byte() throws(JSONSyntaxError) -> UInt8 {
        guard position < bytes.count else { throw JSONSyntaxError(.unexpectedEnd, at: position) }
        return bytes[position]
    }

    @inline(__always)
    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
    }

    /// Steps over `true`, `false` or `null`.
    mutating func literal() throws(JSONSyntaxError) {
        let word: StaticString =
            switch try byte() {
            case UInt8(ascii: "t"): "true"
            case UInt8(ascii: "f"): "false"
            case UInt8(ascii: "n"): "null"
            default: throw JSONSyntaxError(.unexpectedByte, at: position)
            }
        for index in 0..<word.utf8CodeUnitCount {
            guard try byte() == word.utf8Start[index] else { throw JSONSyntaxError(.unexpectedByte, at: position) }
            position += 1
        }
    }

    /// Steps over a number. Returns whether it has neither fraction nor exponent.
    mutating func number() throws(JSONSyntaxError) -> Bool {
        if try byte() == UInt8(ascii: "-") { position += 1 }
        if try byte() == UInt8(ascii: "0") { position += 1 } else { try digits() }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            let sign = try byte()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        // "01", "1x": a digit or letter right after a number is an error whatever follows.
        guard position < bytes.count else { return isInteger }
        guard !Self.isDigit(bytes[position]) else { throw JSONSyntaxError(.invalidNumber, at: position) }
        return isInteger
    }

    private mutating func digits() throws(JSONSyntaxError) {
        guard Self.isDigit(try byte()) else { throw JSONSyntaxError(.invalidNumber, at: position) }
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
