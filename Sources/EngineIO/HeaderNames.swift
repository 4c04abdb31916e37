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

    private static let codes = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, firstCode + UInt8($0)) })

    /// The byte for a name that is written exactly like this.
    static func code(of name: String) -> UInt8? { codes[name] }

    /// The name that a byte stands for.
    static func name(of code: UInt8) -> String? {
        let index = Int(code) - Int(firstCode)
        return names.indices.contains(index) ? names[index] : nil
    }
}
