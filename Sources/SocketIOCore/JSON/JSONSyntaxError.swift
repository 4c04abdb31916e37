// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The reason why bytes are not the expected JSON, and its position.
package struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case unexpectedEnd = "the text ends inside a value"
        case unexpectedByte = "a byte that cannot be here"
        case trailingBytes = "bytes after the value"
        case invalidNumber = "a number that JSON does not allow"
        case invalidEscape = "an escape that JSON does not allow"
        case controlCharacter = "a control character inside a string"
        case invalidUTF8 = "bytes that are not UTF-8"
        case tooDeep = "nested too deeply"
        case tooLarge = "too large a text"
        case tooManyElements = "too many elements"
        case tooManyValues = "too many values"
        case notAnArray = "not an array"
    }

    package var reason: Reason
    /// In bytes from the start of the text.
    package var offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason.rawValue), at byte \(offset)" }
}
