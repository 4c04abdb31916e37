// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The questions of the packet decoder about a JSON payload.
extension JSONScanner {
    /// The elements of the array that starts at an index of a message and ends with it; nil if there is none.
    package static func elements(of message: ByteBuffer, from index: Int) -> ElementRanges? {
        try? elements(of: message, from: index, maximumValues: .max)
    }

    /// The same with a limit for the values and keys of the array, at all depths.
    ///
    /// - Throws: ``PacketError`` with `tooManyValues` or `illegalPayload`.
    static func elements(of message: ByteBuffer, from index: Int, maximumValues: Int) throws(PacketError) -> ElementRanges {
        guard index <= message.writerIndex else { throw PacketError(.illegalPayload) }
        do {
            return try JSONScanner(maximumValues: maximumValues).ranges(of: message, from: index, base: index)
        } catch {
            throw PacketError(error.reason == .tooManyValues ? .tooManyValues : .illegalPayload)
        }
    }

    /// Whether every placeholder in a value stands for an attachment of its own.
    package static func hasSoundPlaceholders(_ value: ByteBuffer, _ attachments: [ByteBuffer]) -> Bool {
        let tape = try? JSONTape(value, attachments: attachments, maximumDepth: JSONWalker.deepestNesting)
        return tape?.hasSoundPlaceholders ?? false
    }

    /// Whether the bytes are exactly one JSON value.
    static func isValid(_ bytes: ByteBuffer) -> Bool { (try? JSONScanner().validate(bytes)) != nil }

    /// The name of an event: a string, or a number, which then is the name as it stands there. nil for anything else. The bytes have been
    /// scanned.
    static func eventName(in message: ByteBuffer, at range: Range<Int>) -> String? {
        let start = range.lowerBound - message.readerIndex
        return message.withUnsafeReadableBytes { bytes in
            let name = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + range.count)])
            guard let first = name.first else { return nil }
            switch first {
            case UInt8(ascii: "\""):
                let content = UnsafeRawBufferPointer(rebasing: name.dropFirst().dropLast())
                return JSONText.string(content, escaped: content.contains(UInt8(ascii: "\\")))
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return String(decoding: name, as: UTF8.self)
            default: return nil
            }
        }
    }
}
