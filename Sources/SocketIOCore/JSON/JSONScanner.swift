// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Checks JSON texts (RFC 8259, strictly: one value, valid UTF-8, nothing after it) without decoding them, in one pass and without
/// recursion.
///
/// Escapes of lone surrogates are accepted, as by `JSON.parse`; decoding makes them U+FFFD.
package struct JSONScanner: Sendable {
    /// The deepest nesting of arrays and objects in a value, or in each element of an array whose elements are found. Default and upper
    /// bound: 64.
    package var maximumDepth: Int

    /// The largest number of elements that ``elements(of:)`` returns. Default: 65 536.
    package var maximumElements: Int

    /// The largest number of values and keys, at all depths, of an array whose elements are found. Default: no limit.
    package var maximumValues: Int

    package init(maximumDepth: Int = 64, maximumElements: Int = 1 << 16, maximumValues: Int = .max) {
        self.maximumDepth = min(maximumDepth, JSONWalker.deepestNesting)
        self.maximumElements = maximumElements
        self.maximumValues = maximumValues
    }

    /// Checks that a buffer holds exactly one JSON value. Allocates nothing.
    package func validate(_ buffer: ByteBuffer) throws(JSONSyntaxError) {
        var visitor = NoVisitor()
        try walk(buffer, &visitor)
    }

    /// Checks that memory holds exactly one JSON value. Allocates nothing.
    package func validate(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) {
        var visitor = NoVisitor()
        var walker = JSONWalker(bytes)
        try walker.document(&visitor, maximumDepth: maximumDepth)
    }

    /// Checks that a buffer holds exactly one JSON array, and finds its elements. Few elements cost no allocation.
    package func elements(of buffer: ByteBuffer) throws(JSONSyntaxError) -> JSONElements {
        JSONElements(buffer: buffer, ranges: try ranges(of: buffer, from: buffer.readerIndex, base: 0))
    }

    /// The elements of the array that is the rest of a buffer from an index on; their positions count from `base` at that index.
    func ranges(of buffer: ByteBuffer, from index: Int, base: Int) throws(JSONSyntaxError) -> ElementRanges {
        var visitor = ElementsVisitor(base: base, maximum: maximumElements, values: maximumValues)
        try find(&visitor, in: buffer, from: index).get()
        return visitor.ranges
    }

    /// The elements before the first error.
    func rangesBeforeError(of buffer: ByteBuffer, from index: Int, base: Int) -> ElementRanges {
        var visitor = ElementsVisitor(base: base, maximum: maximumElements, values: maximumValues)
        _ = find(&visitor, in: buffer, from: index)
        return visitor.ranges
    }

    @inline(__always)
    private func find(_ visitor: inout ElementsVisitor, in buffer: ByteBuffer, from index: Int) -> Result<Void, JSONSyntaxError> {
        let (skipped, maximumDepth) = (index - buffer.readerIndex, self.maximumDepth)
        return buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONSyntaxError) in
                var walker = JSONWalker(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(skipped)))
                try walker.array(&visitor, maximumDepth: maximumDepth)
            }
        }
    }

    private func walk(_ buffer: ByteBuffer, _ visitor: inout some JSONVisitor) throws(JSONSyntaxError) {
        let maximumDepth = self.maximumDepth
        try buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONSyntaxError) in
                var walker = JSONWalker(bytes)
                try walker.document(&visitor, maximumDepth: maximumDepth)
            }
        }.get()
    }
}

/// The elements of a JSON array, each the undecoded bytes of one value.
package struct JSONElements: Sendable, RandomAccessCollection {
    private let buffer: ByteBuffer
    /// In bytes from the reader index of the buffer.
    package let ranges: ElementRanges

    fileprivate init(buffer: ByteBuffer, ranges: ElementRanges) {
        self.buffer = buffer
        self.ranges = ranges
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { ranges.count }

    /// The bytes of an element, as a slice of the buffer.
    package subscript(position: Int) -> ByteBuffer {
        guard let range = ranges[position] else { return ByteBuffer() }
        return buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }
}

private struct NoVisitor: JSONVisitor {
    func begin(at offset: Int, isObject: Bool, depth: Int) {}
    func end(at offset: Int, depth: Int) {}
    func string(_ range: Range<Int>, escaped: Bool, depth: Int) {}
    func number(_ range: Range<Int>, isInteger: Bool, depth: Int) {}
    func literal(_ range: Range<Int>, isNull: Bool, depth: Int) {}
    func key(_ range: Range<Int>, escaped: Bool) {}
}

/// Notes the values at depth 1.
private struct ElementsVisitor: JSONVisitor {
    private(set) var ranges = ElementRanges()
    private let base: Int
    private let maximum: Int
    private var valuesLeft: Int
    private var start = 0

    init(base: Int, maximum: Int, values: Int) {
        self.base = base
        self.maximum = maximum
        valuesLeft = values
    }

    mutating func begin(at offset: Int, isObject: Bool, depth: Int) throws(JSONSyntaxError) {
        try countValue(offset)
        guard depth == 1 else { return }
        try checkCount(offset)
        start = offset
    }

    mutating func end(at offset: Int, depth: Int) {
        if depth == 1 { append(start..<offset) }
    }

    mutating func string(_ range: Range<Int>, escaped: Bool, depth: Int) throws(JSONSyntaxError) { try add(range, depth) }
    mutating func number(_ range: Range<Int>, isInteger: Bool, depth: Int) throws(JSONSyntaxError) { try add(range, depth) }
    mutating func literal(_ range: Range<Int>, isNull: Bool, depth: Int) throws(JSONSyntaxError) { try add(range, depth) }
    mutating func key(_ range: Range<Int>, escaped: Bool) throws(JSONSyntaxError) { try countValue(range.lowerBound) }

    private mutating func add(_ range: Range<Int>, _ depth: Int) throws(JSONSyntaxError) {
        try countValue(range.lowerBound)
        guard depth == 1 else { return }
        try checkCount(range.lowerBound)
        append(range)
    }

    private mutating func append(_ range: Range<Int>) {
        ranges.append((range.lowerBound + base)..<(range.upperBound + base))
    }

    @inline(__always)
    private mutating func countValue(_ offset: Int) throws(JSONSyntaxError) {
        guard valuesLeft > 0 else { throw JSONSyntaxError(.tooManyValues, at: offset) }
        valuesLeft -= 1
    }

    private func checkCount(_ offset: Int) throws(JSONSyntaxError) {
        guard ranges.count < maximum else { throw JSONSyntaxError(.tooManyElements, at: offset) }
    }
}
