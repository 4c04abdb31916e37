// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Reads a JSON text token by token, for those who write it down in another form. Checks every byte; no recursion.
package struct JSONTokenReader {
    /// A piece of a text. Ranges are positions in it.
    package enum Token: Hashable, Sendable {
        /// `{`
        case beginObject
        /// `[`
        case beginArray
        /// `}` or `]`
        case end
        /// The key of a member, without its quotes, and whether it has escapes.
        case key(Range<Int>, escaped: Bool)
        /// A string without its quotes, and whether it has escapes.
        case string(Range<Int>, escaped: Bool)
        /// A number.
        case number(Range<Int>)
        /// `true` or `false`.
        case bool(Bool)
        /// `null`.
        case null
    }

    /// The tokens that may follow.
    private enum Expected {
        /// A value.
        case value
        /// A value, or the end of the array that has just begun.
        case valueOrEnd
        /// A key, or the end of the object that has just begun.
        case keyOrEnd
        /// What follows a value.
        case separator
        /// White space only.
        case nothing
    }

    private var walker: JSONWalker
    private let maximumDepth: Int
    /// A bit for each open container, set for objects.
    private var stack: UInt64 = 0
    private var depth = 0
    private var expected = Expected.value

    /// - Parameters:
    ///   - bytes: The text; must stay valid while the reader is used.
    ///   - maximumDepth: The deepest nesting. Default and upper bound: 64.
    package init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64) {
        walker = JSONWalker(bytes)
        self.maximumDepth = min(maximumDepth, JSONWalker.deepestNesting)
    }

    /// The next token; nil at the end of the text, which must be one value.
    package mutating func next() throws(JSONSyntaxError) -> Token? {
        walker.skipSpace()
        switch expected {
        case .nothing:
            try walker.expectEnd()
            return nil
        case .value: return try value()
        case .valueOrEnd: return try walker.byte() == UInt8(ascii: "]") ? close() : value()
        case .keyOrEnd: return try walker.byte() == UInt8(ascii: "}") ? close() : key()
        case .separator: return try separator()
        }
    }

    private var isInObject: Bool { stack & 1 == 1 }

    private mutating func separator() throws(JSONSyntaxError) -> Token {
        let byte = try walker.byte()
        guard byte != (isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return close() }
        guard byte == UInt8(ascii: ",") else { throw JSONSyntaxError(.unexpectedByte, at: walker.position) }
        walker.position += 1
        walker.skipSpace()
        return isInObject ? try key() : try value()
    }

    private mutating func close() -> Token {
        walker.position += 1
        stack >>= 1
        depth -= 1
        valueEnds()
        return .end
    }

    private mutating func valueEnds() { expected = depth == 0 ? .nothing : .separator }

    private mutating func key() throws(JSONSyntaxError) -> Token {
        let start = walker.position
        guard try walker.byte() == UInt8(ascii: "\"") else { throw JSONSyntaxError(.unexpectedByte, at: start) }
        let escaped = try walker.string()
        let content = start + 1..<walker.position - 1
        walker.skipSpace()
        guard try walker.byte() == UInt8(ascii: ":") else { throw JSONSyntaxError(.unexpectedByte, at: walker.position) }
        walker.position += 1
        expected = .value
        return .key(content, escaped: escaped)
    }

    private mutating func value() throws(JSONSyntaxError) -> Token {
        let start = walker.position
        switch try walker.byte() {
        case UInt8(ascii: "{"): return try open(isObject: true)
        case UInt8(ascii: "["): return try open(isObject: false)
        case UInt8(ascii: "\""):
            let escaped = try walker.string()
            valueEnds()
            return .string(start + 1..<walker.position - 1, escaped: escaped)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            _ = try walker.number()
            valueEnds()
            return .number(start..<walker.position)
        case let byte:
            try walker.literal()
            valueEnds()
            return byte == UInt8(ascii: "n") ? .null : .bool(byte == UInt8(ascii: "t"))
        }
    }

    private mutating func open(isObject: Bool) throws(JSONSyntaxError) -> Token {
        guard depth < maximumDepth else { throw JSONSyntaxError(.tooDeep, at: walker.position) }
        walker.position += 1
        stack = stack << 1 | (isObject ? 1 : 0)
        depth += 1
        expected = isObject ? .keyOrEnd : .valueOrEnd
        return isObject ? .beginObject : .beginArray
    }

    // MARK: Values

    /// The content of a string or a key; a lone surrogate becomes U+FFFD.
    package func text(_ range: Range<Int>, escaped: Bool) -> String {
        JSONText.string(UnsafeRawBufferPointer(rebasing: walker.bytes[range]), escaped: escaped)
    }

    /// The bytes of a string or a key that has no escapes, or of a number.
    package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: walker.bytes[range]) }

    /// A number as JavaScript has it: infinite if it is too large. -0 keeps its sign.
    package func number(_ range: Range<Int>) -> Double {
        let bytes = self.bytes(range)
        if let value = JSONNumber.double(bytes) { return value }
        return bytes.first == UInt8(ascii: "-") ? -.infinity : .infinity
    }
}

extension ByteBuffer {
    /// Appends a finite number, in the fewest digits that give it back.
    package mutating func writeJSONNumber(_ value: Double) { append(value) }

    /// Appends a string, with its quotes, whose bytes are UTF-8. Escapes what JSON demands and nothing else.
    package mutating func writeJSONString(utf8 bytes: UnsafeRawBufferPointer) { append(string: bytes) }
}
