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

    /// What may come next.
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
        self.walker = JSONWalker(bytes)
        self.maximumDepth = min(maximumDepth, JSONWalker.deepestNesting)
    }

    /// The next token; nil at the end of the text, which must be one value.
    package mutating func next() throws(JSONSyntaxError) -> Token? {
        self.walker.skipSpace()
        switch self.expected {
        case .nothing:
            try self.walker.expectEnd()
            return nil
        case .value: return try self.value()
        case .valueOrEnd: return try self.walker.byte() == UInt8(ascii: "]") ? self.close() : self.value()
        case .keyOrEnd: return try self.walker.byte() == UInt8(ascii: "}") ? self.close() : self.key()
        case .separator: return try self.separator()
        }
    }

    private var isInObject: Bool { self.stack & 1 == 1 }

    private mutating func separator() throws(JSONSyntaxError) -> Token {
        let byte = try self.walker.byte()
        guard byte != (self.isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return self.close() }
        guard byte == UInt8(ascii: ",") else { throw JSONSyntaxError(.unexpectedByte, at: self.walker.position) }
        self.walker.position += 1
        self.walker.skipSpace()
        return self.isInObject ? try self.key() : try self.value()
    }

    private mutating func close() -> Token {
        self.walker.position += 1
        self.stack >>= 1
        self.depth -= 1
        self.valueEnds()
        return .end
    }

    private mutating func valueEnds() { self.expected = self.depth == 0 ? .nothing : .separator }

    private mutating func key() throws(JSONSyntaxError) -> Token {
        let start = self.walker.position
        guard try self.walker.byte() == UInt8(ascii: "\"") else { throw JSONSyntaxError(.unexpectedByte, at: start) }
        let escaped = try self.walker.string()
        let content = start + 1..<self.walker.position - 1
        self.walker.skipSpace()
        guard try self.walker.byte() == UInt8(ascii: ":") else { throw JSONSyntaxError(.unexpectedByte, at: self.walker.position) }
        self.walker.position += 1
        self.expected = .value
        return .key(content, escaped: escaped)
    }

    private mutating func value() throws(JSONSyntaxError) -> Token {
        let start = self.walker.position
        switch try self.walker.byte() {
        case UInt8(ascii: "{"): return try self.open(isObject: true)
        case UInt8(ascii: "["): return try self.open(isObject: false)
        case UInt8(ascii: "\""):
            let escaped = try self.walker.string()
            self.valueEnds()
            return .string(start + 1..<self.walker.position - 1, escaped: escaped)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            _ = try self.walker.number()
            self.valueEnds()
            return .number(start..<self.walker.position)
        case let byte:
            try self.walker.literal()
            self.valueEnds()
            return byte == UInt8(ascii: "n") ? .null : .bool(byte == UInt8(ascii: "t"))
        }
    }

    private mutating func open(isObject: Bool) throws(JSONSyntaxError) -> Token {
        guard self.depth < self.maximumDepth else { throw JSONSyntaxError(.tooDeep, at: self.walker.position) }
        self.walker.position += 1
        self.stack = self.stack << 1 | (isObject ? 1 : 0)
        self.depth += 1
        self.expected = isObject ? .keyOrEnd : .valueOrEnd
        return isObject ? .beginObject : .beginArray
    }

    // MARK: Values

    /// What a string or a key says; a lone surrogate becomes U+FFFD.
    package func text(_ range: Range<Int>, escaped: Bool) -> String {
        JSONText.string(UnsafeRawBufferPointer(rebasing: self.walker.bytes[range]), escaped: escaped)
    }

    /// The bytes of a string or a key that has no escapes, or of a number.
    package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.walker.bytes[range]) }

    /// A number as JavaScript has it: infinite if it is too large. -0 keeps its sign.
    package func number(_ range: Range<Int>) -> Double {
        let bytes = self.bytes(range)
        if let value = JSONNumber.double(bytes) { return value }
        return bytes.first == UInt8(ascii: "-") ? -.infinity : .infinity
    }
}

extension ByteBuffer {
    /// Appends a finite number, in the fewest digits that give it back.
    package mutating func writeJSONNumber(_ value: Double) { self.append(value) }

    /// Appends a string, with its quotes, whose bytes are UTF-8. Escapes what JSON demands and nothing else.
    package mutating func writeJSONString(utf8 bytes: UnsafeRawBufferPointer) { self.append(string: bytes) }
}
