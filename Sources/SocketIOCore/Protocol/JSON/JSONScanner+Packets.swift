import NIOCore

/// What the packet decoder asks of a JSON payload.
extension JSONScanner {
    /// The elements of the array that starts at an index of a message and ends with it; nil if there is none.
    static func elements(of message: ByteBuffer, from index: Int) -> ElementRanges? {
        guard let payload = message.getSlice(at: index, length: message.writerIndex - index),
            let elements = try? JSONScanner().elements(of: payload)
        else { return nil }
        var ranges = ElementRanges()
        for position in 0..<elements.count {
            let range = elements.range(at: position)
            ranges.append(range.lowerBound + index..<range.upperBound + index)
        }
        return ranges
    }

    /// Whether the bytes are exactly one JSON value.
    static func isValid(_ bytes: ByteBuffer) -> Bool { (try? JSONScanner().validate(bytes)) != nil }

    /// The name of an event: a string, or a number, which then is the name as it stands there. nil for anything else.
    static func eventName(in message: ByteBuffer, at range: Range<Int>) -> String? {
        guard let bytes = message.getSlice(at: range.lowerBound, length: range.count), let first = bytes.readableBytesView.first else {
            return nil
        }
        switch first {
        case UInt8(ascii: "\""): return try? JSONArgumentDecoder().decode(String.self, from: bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return String(buffer: bytes)
        default: return nil
        }
    }
}
