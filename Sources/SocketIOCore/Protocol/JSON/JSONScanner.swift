package import NIOCore

/// Checks JSON texts (RFC 8259, strictly: one value, valid UTF-8, nothing after it) without decoding them, in one pass and without
/// recursion.
///
/// Escapes of lone surrogates are accepted, as by `JSON.parse`; decoding makes them U+FFFD.
package struct JSONScanner: Sendable {
    /// The deepest nesting of arrays and objects. Default and upper bound: 64.
    package var maximumDepth: Int

    /// The largest number of elements that ``elements(of:)`` returns. Default: 65 536.
    package var maximumElements: Int

    package init(maximumDepth: Int = 64, maximumElements: Int = 1 << 16) {
        self.maximumDepth = min(maximumDepth, JSONWalker.deepestNesting)
        self.maximumElements = maximumElements
    }

    /// Checks that a buffer holds exactly one JSON value. Allocates nothing.
    package func validate(_ buffer: ByteBuffer) throws(JSONSyntaxError) {
        var visitor = NoVisitor()
        try self.walk(buffer, &visitor)
    }

    /// Checks that memory holds exactly one JSON value. Allocates nothing.
    package func validate(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) {
        var visitor = NoVisitor()
        var walker = JSONWalker(bytes)
        try walker.document(&visitor, maximumDepth: self.maximumDepth)
    }

    /// Checks that a buffer holds exactly one JSON array, and finds its elements. Up to four elements cost no allocation.
    package func elements(of buffer: ByteBuffer) throws(JSONSyntaxError) -> JSONElements {
        guard buffer.readableBytes <= UInt32.max >> 1 else { throw JSONSyntaxError(.tooLarge, at: 0) }
        var visitor = ElementsVisitor(elements: JSONElements(buffer: buffer), maximum: self.maximumElements)
        try self.walk(buffer, &visitor)
        return visitor.elements
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
    fileprivate struct Span: Sendable {
        var start: UInt32
        var count: UInt32
    }

    private let buffer: ByteBuffer
    private var inline: InlineArray<4, Span> = .init(repeating: Span(start: 0, count: 0))
    private var rest: [Span] = []

    package private(set) var count = 0

    fileprivate init(buffer: ByteBuffer) {
        self.buffer = buffer
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { self.count }

    /// The bytes of an element, as a slice of the buffer.
    package subscript(position: Int) -> ByteBuffer {
        let range = self.range(at: position)
        return self.buffer.getSlice(at: self.buffer.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }

    /// Where an element is, in bytes from the reader index of the buffer.
    package func range(at position: Int) -> Range<Int> {
        let span = position < 4 ? self.inline[position] : self.rest[position - 4]
        return Int(span.start)..<Int(span.start + span.count)
    }

    fileprivate mutating func append(_ range: Range<Int>) {
        let span = Span(start: UInt32(range.lowerBound), count: UInt32(range.count))
        if self.count < 4 { self.inline[self.count] = span } else { self.rest.append(span) }
        self.count += 1
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
    var elements: JSONElements
    let maximum: Int
    private var start = 0

    init(elements: JSONElements, maximum: Int) {
        self.elements = elements
        self.maximum = maximum
    }

    mutating func begin(at offset: Int, isObject: Bool, depth: Int) throws(JSONSyntaxError) {
        if depth == 0, isObject { throw JSONSyntaxError(.notAnArray, at: offset) }
        guard depth == 1 else { return }
        try self.checkCount(offset)
        self.start = offset
    }

    mutating func end(at offset: Int, depth: Int) {
        if depth == 1 { self.elements.append(self.start..<offset) }
    }

    mutating func string(_ range: Range<Int>, escaped: Bool, depth: Int) throws(JSONSyntaxError) { try self.add(range, depth) }
    mutating func number(_ range: Range<Int>, isInteger: Bool, depth: Int) throws(JSONSyntaxError) { try self.add(range, depth) }
    mutating func literal(_ range: Range<Int>, isNull: Bool, depth: Int) throws(JSONSyntaxError) { try self.add(range, depth) }
    mutating func key(_ range: Range<Int>, escaped: Bool) throws(JSONSyntaxError) {}

    private mutating func add(_ range: Range<Int>, _ depth: Int) throws(JSONSyntaxError) {
        guard depth > 0 else { throw JSONSyntaxError(.notAnArray, at: range.lowerBound) }
        guard depth == 1 else { return }
        try self.checkCount(range.lowerBound)
        self.elements.append(range)
    }

    private func checkCount(_ offset: Int) throws(JSONSyntaxError) {
        guard self.elements.count < self.maximum else { throw JSONSyntaxError(.tooManyElements, at: offset) }
    }
}
