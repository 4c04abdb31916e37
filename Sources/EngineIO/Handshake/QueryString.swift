// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Reads query parameters (WHATWG URL, `application/x-www-form-urlencoded`).
enum QueryString {
    /// The parameters of a URL's query, percent-decoded, in order.
    static func parse(_ url: String) -> [(name: String, value: String)] {
        guard let start = url.utf8.firstIndex(of: UInt8(ascii: "?")) else { return [] }
        let query = url.utf8[url.utf8.index(after: start)...].prefix { $0 != UInt8(ascii: "#") }
        return query.split(separator: UInt8(ascii: "&")).map { pair in
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            return (decode(name), decode(pair.dropFirst(name.count + 1)))
        }
    }

    private static func decode(_ part: Substring.UTF8View.SubSequence) -> String {
        var result: [UInt8] = []
        var index = part.startIndex
        while index < part.endIndex {
            let byte = part[index]
            let next = part.index(after: index)
            if byte == UInt8(ascii: "%"), let high = hex(part, next), let low = hex(part, part.index(after: next)) {
                result.append(high << 4 | low)
                index = part.index(next, offsetBy: 2)
            } else {
                result.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index = next
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hex(_ part: Substring.UTF8View.SubSequence, _ index: Substring.UTF8View.Index) -> UInt8? {
        guard index < part.endIndex else { return nil }
        switch part[index] {
        case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}
