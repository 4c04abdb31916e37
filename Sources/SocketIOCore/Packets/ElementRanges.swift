// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The positions of an array's elements in a buffer. The first four need no allocation, since most events have fewer arguments.
@usableFromInline
package struct ElementRanges: Sendable {
    /// The indices of a `ByteBuffer` fit 32 bits.
    private struct Span: Sendable {
        var start: UInt32 = 0
        var end: UInt32 = 0
    }

    private var inline: InlineArray<4, Span> = .init(repeating: Span())
    private var others: [Span] = []
    private var skipped = 0
    private var end = 0

    @usableFromInline package init() {}

    /// The number of elements.
    @usableFromInline package var count: Int { end - skipped }

    package mutating func append(_ range: Range<Int>) {
        let span = Span(start: UInt32(truncatingIfNeeded: range.lowerBound), end: UInt32(truncatingIfNeeded: range.upperBound))
        if end < 4 { inline[end] = span } else { others.append(span) }
        end += 1
    }

    /// The position of an element; nil if there are fewer.
    @usableFromInline
    package subscript(index: Int) -> Range<Int>? {
        guard index >= 0, index < count else { return nil }
        let position = index + skipped
        let span = position < 4 ? inline[position] : others[position - 4]
        return Int(span.start)..<Int(span.end)
    }

    /// The positions in a buffer that begins with the first element.
    package func startingAtZero() -> ElementRanges {
        var result = ElementRanges()
        let start = self[0]?.lowerBound ?? 0
        for index in 0..<count {
            if let range = self[index] { result.append((range.lowerBound - start)..<(range.upperBound - start)) }
        }
        return result
    }

    package func dropFirst() -> ElementRanges {
        var result = self
        result.skipped = min(skipped + 1, end)
        return result
    }

    package func dropLast() -> ElementRanges {
        guard count > 0 else { return self }
        var result = self
        if end > 4 { result.others.removeLast() }
        result.end -= 1
        return result
    }
}
