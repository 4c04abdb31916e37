// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Dates as JavaScript has them in JSON: `2026-01-31T12:00:00.000Z`, what `Date.prototype.toISOString` gives.
package enum JSONDate {
    /// The largest date of JavaScript, in milliseconds from 1970 (ECMA-262, 21.4.1.1).
    private static let maximumMilliseconds = 8.64e15

    /// The text of a date, to the millisecond; nil if JavaScript has no such date.
    static func string(_ date: Date) -> String? {
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded()
        guard milliseconds.magnitude <= maximumMilliseconds else { return nil }
        return string(milliseconds: Int64(milliseconds))
    }

    /// The text of a date in milliseconds from 1970; nil if JavaScript has no such date.
    package static func string(milliseconds: Int64) -> String? {
        guard Double(milliseconds).magnitude <= maximumMilliseconds else { return nil }
        let total = Int(milliseconds)
        let day = floorDivide(total, 86_400_000)
        let time = total - day * 86_400_000
        let civil = self.civil(fromDay: day)
        let year =
            (0...9_999).contains(civil.year)
            ? padded(civil.year, 4) : (civil.year < 0 ? "-" : "+") + padded(abs(civil.year), 6)
        let calendar = "\(year)-\(padded(civil.month, 2))-\(padded(civil.day, 2))"
        let clock = "\(padded(time / 3_600_000, 2)):\(padded(time / 60_000 % 60, 2)):\(padded(time / 1_000 % 60, 2))"
        return "\(calendar)T\(clock).\(padded(time % 1_000, 3))Z"
    }

    /// Reads the date-time format of ECMA-262 (21.4.1.32): a date, or a date and a time with `Z` or an offset.
    static func date(_ text: String) -> Date? {
        var cursor = Cursor(text: Array(text.utf8.prefix(40)))
        guard text.utf8.count <= 40, let year = cursor.year() else { return nil }
        var month = 1
        var day = 1
        if cursor.take("-") {
            guard let value = cursor.number(2), (1...12).contains(value) else { return nil }
            month = value
            if cursor.take("-") {
                guard let value = cursor.number(2), (1...self.days(inMonth: month, of: year)).contains(value) else { return nil }
                day = value
            }
        }
        var seconds = 0.0
        if cursor.take("T") {
            guard let time = cursor.time() else { return nil }
            seconds = time
        }
        guard cursor.isAtEnd else { return nil }
        return Date(timeIntervalSince1970: Double(self.day(year: year, month: month, day: day)) * 86_400 + seconds)
    }

    /// Milliseconds since 1970, what `Date.now()` gives.
    static func date(milliseconds: Double) -> Date? {
        guard milliseconds.magnitude <= maximumMilliseconds else { return nil }
        return Date(timeIntervalSince1970: milliseconds / 1_000)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }

    // MARK: The proleptic Gregorian calendar, in years that begin in March

    private static func civil(fromDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func day(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private struct Cursor {
        let text: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == text.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        mutating func number(_ digits: Int) -> Int? {
            guard position + digits <= text.count else { return nil }
            var value = 0
            for byte in text[position..<(position + digits)] {
                guard JSONWalker.isDigit(byte) else { return nil }
                value = value * 10 + Int(byte & 0x0f)
            }
            position += digits
            return value
        }

        mutating func year() -> Int? {
            if take("+") { return number(6) }
            guard take("-") else { return number(4) }
            guard let year = number(6), year != 0 else { return nil }
            return -year
        }

        /// The seconds of `HH:mm`, `HH:mm:ss` or `HH:mm:ss.s…` with its offset from UTC.
        mutating func time() -> Double? {
            guard let hour = number(2), take(":"), let minute = number(2), hour <= 24, minute < 60 else { return nil }
            var seconds = Double(hour * 3_600 + minute * 60)
            if take(":") {
                guard let second = number(2), second < 60 else { return nil }
                seconds += Double(second)
                if take(".") {
                    guard let fraction = self.fraction() else { return nil }
                    seconds += fraction
                }
            }
            guard seconds <= 86_400, let offset = self.offset() else { return nil }
            return seconds - Double(offset)
        }

        private mutating func fraction() -> Double? {
            let start = position
            var value = 0
            var scale = 1
            while position < text.count, JSONWalker.isDigit(text[position]) {
                if scale < 1_000_000_000 {
                    value = value * 10 + Int(text[position] & 0x0f)
                    scale *= 10
                }
                position += 1
            }
            return position > start ? Double(value) / Double(scale) : nil
        }

        private mutating func offset() -> Int? {
            if take("Z") { return 0 }
            let isNegative = take("-")
            guard isNegative || take("+"), let hours = number(2), take(":"), let minutes = number(2),
                hours < 24, minutes < 60
            else { return nil }
            let seconds = hours * 3_600 + minutes * 60
            return isNegative ? -seconds : seconds
        }
    }
}
