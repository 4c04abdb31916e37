// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Text from outside as it may stand in a line of a log: in quotes, on one line and of bounded length, so that it can neither forge a line
/// nor fill a disk.
package struct QuotedText: Sendable, CustomStringConvertible {
    /// The text in quotes.
    package let description: String

    /// Quotes text.
    ///
    /// - Parameters:
    ///   - text: Text from outside.
    ///   - limit: The number of characters that are kept of it; the size of the whole is added if it is longer. Default 100.
    package init(_ text: String, limit: Int = 100) {
        var result = "\""
        var left = limit
        for scalar in text.unicodeScalars {
            guard left > 0 else {
                description = result + "…\" (\(text.utf8.count) bytes)"
                return
            }
            left -= 1
            Self.append(scalar, to: &result)
        }
        description = result + "\""
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case " ": result += " "
        default:
            if isVisible(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
    }

    /// Whether it can be seen and changes nothing about what stands around it: marks, separators and everything that gives directions to
    /// a terminal or to the layout of text do not count.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value > 0x20 && scalar.value < 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator,
            .nonspacingMark, .spacingMark, .enclosingMark:
            return false
        default: return true
        }
    }
}
