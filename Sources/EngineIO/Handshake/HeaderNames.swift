// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// One byte for each of the header names that nearly every handshake has, as it is written by browsers, other clients and proxies.
///
/// A server keeps the handshakes of all its clients, and names are a third of them.
enum HeaderNames {
    /// Codes begin here: no header name has such bytes.
    private static let firstCode: UInt8 = 0x80

    private static let names: [String] = {
        let names = [
            "Host", "Connection", "Upgrade", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Pragma",
            "Origin", "Referer", "Cookie", "Authorization", "Content-Type", "Content-Length", "DNT", "Sec-GPC", "Priority",
            "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol",
            "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform",
            "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
            "X-Request-ID",
        ]
        // Those that all write in lower case are there already.
        return names + names.map { $0.lowercased() }
    }()

    private struct Entry {
        let name: [UInt8]
        let code: UInt8
    }

    /// By length.
    private static let entries: [[Entry]] = {
        var result = Array(repeating: [Entry](), count: (names.map(\.utf8.count).max() ?? 0) + 1)
        for (index, name) in names.enumerated() {
            result[name.utf8.count].append(Entry(name: Array(name.utf8), code: firstCode + UInt8(index)))
        }
        return result
    }()

    /// The byte for a name that is written exactly like this.
    static func code(of name: String) -> UInt8? {
        guard name.utf8.count < entries.count else { return nil }
        return entries[name.utf8.count].first { name.utf8.elementsEqual($0.name) }?.code
    }

    /// The byte for a name that is written exactly like this.
    static func code(of name: UnsafeRawBufferPointer) -> UInt8? {
        guard !name.isEmpty, name.count < entries.count else { return nil }
        return entries[name.count].first { $0.name[0] == name[0] && $0.name.elementsEqual(name) }?.code
    }

    /// The name that a byte stands for.
    static func name(of code: UInt8) -> String? {
        let index = Int(code) - Int(firstCode)
        return names.indices.contains(index) ? names[index] : nil
    }
}
