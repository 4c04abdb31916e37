// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

extension Handshake {
    /// When the connection was opened, as JavaScript prints dates: `Sat Nov 21 2026 11:14:46 GMT+0000 (Coordinated Universal Time)`.
    /// ``issued`` is the same as a number.
    public var time: String { JavaScriptDate.text(milliseconds: issued) }
}

/// Encoded with the names of Node.js: `headers`, `time`, `address`, `xdomain`, `secure`, `issued`, `url`, `query` and `auth`.
///
/// Headers and `auth` contain cookies and tokens: send only what the receiver may see.
extension Handshake: Encodable {
    private enum Keys: String, CodingKey {
        case headers, time, address, secure, issued, url, query, auth
        case isCrossDomain = "xdomain"
    }

    /// Encodes the handshake; `auth` is an empty object if the client sent none.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: `DecodingError` if `auth` cannot be decoded; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(headers, forKey: .headers)
        try container.encode(time, forKey: .time)
        try container.encode(address, forKey: .address)
        try container.encode(isCrossDomain, forKey: .isCrossDomain)
        try container.encode(secure, forKey: .secure)
        try container.encode(issued, forKey: .issued)
        try container.encode(url, forKey: .url)
        try container.encode(query, forKey: .query)
        try container.encode(auth?.decode(SocketIOValue.self) ?? [:], forKey: .auth)
    }
}
