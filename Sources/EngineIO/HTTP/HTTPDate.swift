// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The field `Date` of the answers of one event loop, which is made once a second (RFC 9110, section 5.6.7).
struct HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private var second = Int64.min
    /// The value of the field.
    private(set) var text = ""
    /// The field with its name and the end of its line.
    private(set) var line: [UInt8] = []

    /// Makes the field for another time, if the second is another one.
    ///
    /// - Parameter time: Seconds since 1970; before that, the clock is not set, and the time is taken to be then.
    mutating func update(_ time: Double) {
        let now = Int64(max(time, 0))
        guard now != second else { return }
        second = now
        text = Self.text(now)
        line = Array("Date: \(text)\r\n".utf8)
    }

    /// A time in the form `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(_ seconds: Int64) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = seconds / 86_400
        let (year, month, dayOfMonth) = date(day)
        let time = "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return "\(days[Int(day % 7)]), \(two(dayOfMonth)) \(months[Int(month) - 1]) \(year) \(time) GMT"
    }

    /// The date of a day since 1970, not before that. Years are taken to begin in March, so that the day of a leap year is their last.
    private static func date(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let sinceMarch0 = day + 719_468
        let era = sinceMarch0 / 146_097
        let dayOfEra = sinceMarch0 % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}
