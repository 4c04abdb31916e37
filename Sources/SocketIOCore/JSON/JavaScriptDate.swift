// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Dates as JavaScript prints them.
package enum JavaScriptDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The result of `new Date(milliseconds).toString()` in the time zone UTC.
    package static func text(milliseconds: Int64) -> String {
        guard let iso = JSONDate.string(milliseconds: milliseconds), let end = iso.utf8.firstIndex(of: UInt8(ascii: "T")) else {
            return "Invalid Date"
        }
        let date = iso.utf8[..<end].split(separator: UInt8(ascii: "-")).compactMap { String($0) }
        guard date.count == 3, let month = Int(date[1]), months.indices.contains(month - 1) else { return "Invalid Date" }
        let time = iso[iso.utf8.index(after: end)...].prefix(8)
        // The first day of 1970 was a Thursday.
        let day = Int(milliseconds >= 0 ? milliseconds / 86_400_000 : -((86_399_999 - milliseconds) / 86_400_000))
        let weekday = ((day + 4) % 7 + 7) % 7
        return "\(days[weekday]) \(months[month - 1]) \(date[2]) \(date[0]) \(time) GMT+0000 (Coordinated Universal Time)"
    }
}
