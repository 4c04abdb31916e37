// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The numbers of JSON: from their bytes, which have been validated, and to bytes.
enum JSONNumber {
    /// The sign, the significant digits and the power of ten of a number.
    private struct Parts {
        var isNegative = false
        var digits: UInt64 = 0
        var exponent = 0
        /// Whether `digits` holds all of them.
        var isExact = true
    }

    @inline(__always)
    private static func parts(_ bytes: UnsafeRawBufferPointer) -> Parts {
        var parts = Parts()
        var position = 0
        if bytes.count > 0, bytes[0] == UInt8(ascii: "-") {
            parts.isNegative = true
            position = 1
        }
        var isFraction = false
        while position < bytes.count {
            let byte = bytes[position]
            if JSONWalker.isDigit(byte) {
                append(byte & 0x0f, isFraction: isFraction, to: &parts)
            } else if byte == UInt8(ascii: ".") {
                isFraction = true
            } else {
                break
            }
            position += 1
        }
        if position < bytes.count { parts.exponent += exponent(bytes, from: position + 1) }
        return parts
    }

    @inline(__always)
    private static func append(_ digit: UInt8, isFraction: Bool, to parts: inout Parts) {
        // Up to 18 digits never overflow, nor does one more.
        if parts.digits < 1_000_000_000_000_000_000, parts.isExact {
            parts.digits = parts.digits * 10 + UInt64(digit)
            if isFraction { parts.exponent -= 1 }
        } else if parts.isExact, case let (product, overflow) = parts.digits.multipliedReportingOverflow(by: 10), !overflow,
            case let (sum, overflow) = product.addingReportingOverflow(UInt64(digit)), !overflow
        {
            parts.digits = sum
            if isFraction { parts.exponent -= 1 }
        } else {
            // A zero that is left out changes nothing but the exponent.
            if digit != 0 { parts.isExact = false }
            if !isFraction { parts.exponent += 1 }
        }
    }

    private static func exponent(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        var isNegative = false
        if position < bytes.count, !JSONWalker.isDigit(bytes[position]) {
            isNegative = bytes[position] == UInt8(ascii: "-")
            position += 1
        }
        var value = 0
        while position < bytes.count {
            // Beyond this every number is zero or too large, however many digits it has.
            if value < 1 << 40 { value = value * 10 + Int(bytes[position] & 0x0f) }
            position += 1
        }
        return isNegative ? -value : value
    }

    /// An integer; nil if the number is not whole or does not fit.
    @inline(__always)
    static func integer<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as type: T.Type) -> T? {
        var parts = self.parts(bytes)
        guard parts.isExact else { return nil }
        if parts.exponent != 0, !shift(&parts) { return nil }
        guard parts.isNegative else { return T(exactly: parts.digits) }
        guard parts.digits <= 1 << 63 else { return nil }
        return T(exactly: Int64(truncatingIfNeeded: 0 &- parts.digits))
    }

    /// An integer that may need more than 64 bits; nil if the number is not whole or does not fit.
    static func wide<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as type: T.Type) -> T? {
        integer(bytes, as: type) ?? T(String(decoding: bytes, as: UTF8.self))
    }

    /// Brings the exponent to zero; false if that is not possible without loss.
    private static func shift(_ parts: inout Parts) -> Bool {
        if parts.digits == 0 { return true }
        while parts.exponent > 0 {
            let (product, overflow) = parts.digits.multipliedReportingOverflow(by: 10)
            guard !overflow else { return false }
            parts.digits = product
            parts.exponent -= 1
        }
        while parts.exponent < 0 {
            let (quotient, remainder) = parts.digits.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { return false }
            parts.digits = quotient
            parts.exponent += 1
        }
        return true
    }

    /// A double, correctly rounded; nil if it is too large to be finite.
    static func double(_ bytes: UnsafeRawBufferPointer) -> Double? {
        let parts = self.parts(bytes)
        // Both operands are exact, so one operation rounds once.
        if parts.isExact, parts.digits <= 1 << 53, parts.exponent.magnitude <= 22 {
            let digits = Double(parts.digits)
            let value = parts.exponent < 0 ? digits / powers[-parts.exponent] : digits * powers[parts.exponent]
            return parts.isNegative ? -value : value
        }
        guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    /// A float, correctly rounded; nil if it is too large to be finite.
    static func float(_ bytes: UnsafeRawBufferPointer) -> Float? {
        guard let value = Float(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    private static let powers: InlineArray<23, Double> = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
