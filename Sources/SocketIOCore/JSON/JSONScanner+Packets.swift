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
    /// - Throws: ``PacketError`` with `tooManyValues`, `nestedTooDeeply` or `illegalPayload`.
    static func elements(of message: ByteBuffer, from index: Int, maximumValues: Int) throws(PacketError) -> ElementRanges {
        guard index <= message.writerIndex else { throw PacketError(.illegalPayload) }
        do {
            return try JSONScanner(maximumValues: maximumValues).ranges(of: message, from: index, base: index)
        } catch {
            throw PacketError(error)
        }
    }

    /// Whether every placeholder in a value stands for an attachment of its own.
    ///
    /// - Parameter isPayload: Whether the value is the array of a packet, whose elements may be nested as deeply as another value.
    package static func hasSoundPlaceholders(_ value: ByteBuffer, _ attachments: [ByteBuffer], isPayload: Bool = false) -> Bool {
        let tape = try? JSONTape(value, attachments: attachments, maximumDepth: JSONWalker.deepestNesting, isPayload: isPayload)
        return tape?.hasSoundPlaceholders ?? false
    }

    /// Whether a payload names more placeholders than it has attachments, or may name some in escapes. Cheap, and nearly always false.
    static func mayHaveOtherPlaceholders(_ payload: ByteBuffer, _ attachments: Int) -> Bool {
        let key: StaticString = "_placeholder\""
        return payload.withUnsafeReadableBytes { bytes in
            var left = attachments
            var position = 0
            while position < bytes.count {
                if bytes[position] == UInt8(ascii: "_"), bytes.count - position >= key.utf8CodeUnitCount,
                    (0..<key.utf8CodeUnitCount).allSatisfy({ bytes[position + $0] == key.utf8Start[$0] })
                {
                    guard left > 0 else { return true }
                    left -= 1
                } else if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") {
                    return true
                }
                position += 1
            }
            return false
        }
    }

    /// Checks that the bytes are exactly one JSON value.
    static func validate(_ bytes: ByteBuffer) throws(PacketError) {
        do { try JSONScanner().validate(bytes) } catch { throw PacketError(error) }
    }

    /// The name of an event: a string, or a number, which becomes a name as JavaScript makes it one. nil for anything else. The bytes have
    /// been scanned.
    static func eventName(in message: ByteBuffer, at range: Range<Int>) -> String? {
        let start = range.lowerBound - message.readerIndex
        return message.withUnsafeReadableBytes { bytes in
            let name = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + range.count)])
            guard let first = name.first else { return nil }
            switch first {
            case UInt8(ascii: "\""):
                let content = UnsafeRawBufferPointer(rebasing: name.dropFirst().dropLast())
                return JSONText.string(content, escaped: content.contains(UInt8(ascii: "\\")))
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                // What is beyond a double is JavaScript's Infinity.
                return JavaScriptNumber.string(JSONNumber.double(name) ?? (first == UInt8(ascii: "-") ? -.infinity : .infinity))
            default: return nil
            }
        }
    }
}

extension PacketError {
    fileprivate init(_ error: JSONSyntaxError) {
        switch error.reason {
        case .tooManyValues: self.init(.tooManyValues)
        case .tooDeep: self.init(.nestedTooDeeply)
        default: self.init(.illegalPayload)
        }
    }
}
