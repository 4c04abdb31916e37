// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Numbers as JavaScript makes strings of them.
enum JavaScriptNumber {
    /// The text of a number (ECMA-262, Number::toString): `1` for 1.0, `1e+21`, `0` for −0.
    static func string(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if let integer = Int64(exactly: value), integer.magnitude < 1 << 53 { return String(integer) }
        // Swift gives the same shortest digits, in another layout.
        let (digits, point) = decimal(value.magnitude)
        return (value < 0 ? "-" : "") + layOut(digits, point)
    }

    /// The significant digits, and the position of the decimal point relative to the first of them.
    private static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        let text = Array(value.description.utf8)
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte)
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"): exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
            default: break
            }
            if byte == UInt8(ascii: "e") { break }
        }
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        let position = (point ?? digits.count) + exponent - leading
        digits.removeFirst(leading)
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, position)
    }

    private static func layOut(_ digits: [UInt8], _ point: Int) -> String {
        let text = String(decoding: digits, as: UTF8.self)
        switch point {
        case digits.count...21 where point > 0: return text + String(repeating: "0", count: point - digits.count)
        case 1...21:
            return String(decoding: digits[..<point], as: UTF8.self) + "." + String(decoding: digits[point...], as: UTF8.self)
        case -5...0: return "0." + String(repeating: "0", count: -point) + text
        default:
            let fraction = digits.count > 1 ? "." + String(decoding: digits[1...], as: UTF8.self) : ""
            let exponent = point - 1
            return String(decoding: digits[..<1], as: UTF8.self) + fraction + "e" + (exponent < 0 ? "-" : "+") + String(abs(exponent))
        }
    }
}
