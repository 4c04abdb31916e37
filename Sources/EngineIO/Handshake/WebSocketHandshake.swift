// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import NIOHTTP1
import SocketIOText

/// The header fields of a WebSocket handshake (RFC 6455, section 4.2).
enum WebSocketHandshake {
    /// How long a key is: 16 bytes in base64.
    static let keyLength = 24

    /// Whether this is the base64 of 16 bytes.
    static func isKey(_ key: some Collection<UInt8>) -> Bool {
        guard key.count == keyLength else { return false }
        var (position, isValid) = (0, true)
        for byte in key {
            isValid = isValid && (position < keyLength - 2 ? byte.isBase64 : byte == UInt8(ascii: "="))
            position += 1
        }
        return isValid
    }

    /// The value of `Sec-WebSocket-Accept` for a valid key.
    static func accept(_ key: String) -> String {
        var key = key
        return String(unsafeUninitializedCapacity: 28) { output in
            key.withUTF8 { socketio_websocket_accept($0.baseAddress, UInt($0.count), output.baseAddress) }
            return 28
        }
    }

    /// The subprotocols that a client offers, in its order.
    ///
    /// - Parameter fields: The values of `Sec-WebSocket-Protocol`.
    /// - Returns: nil if one of them is not a token. Empty elements of the list do not count.
    static func subprotocols(_ fields: [String]) -> [String]? {
        var result: [String] = []
        for field in fields {
            for element in field.utf8.split(separator: UInt8(ascii: ",")).map(\.trimmed) where !element.isEmpty {
                guard element.allSatisfy(\.isTokenByte) else { return nil }
                result.append(String(Substring(element)))
            }
        }
        return result
    }
}

extension EngineConfiguration {
    /// The subprotocol that a handshake gets: the first that the client offers, or what ``selectSubprotocol`` chooses of them; nil for none.
    func subprotocol(of offered: [String], _ handshake: @autoclosure () -> EngineHandshake) -> String? {
        guard let first = offered.first else { return nil }
        guard let selectSubprotocol else { return first }
        // Clients fail a connection whose subprotocol they have not offered.
        return selectSubprotocol(offered, handshake()).flatMap { offered.contains($0) ? $0 : nil }
    }
}

extension HTTPRequestHead {
    /// Why a request that asks for a WebSocket does not get one; nil if it may.
    var webSocketProblem: RefusalCause? {
        guard version.major == 1, version.minor >= 1 else { return .webSocketOverHTTP10 }
        let versions = headers["sec-websocket-version"]
        guard versions.count == 1, versions[0].utf8[...].trimmed.elementsEqual("13".utf8) else { return .webSocketVersion }
        let keys = headers["sec-websocket-key"]
        guard keys.count == 1, WebSocketHandshake.isKey(keys[0].utf8) else { return .webSocketKey }
        switch WebSocketHandshake.subprotocols(headers["sec-websocket-protocol"]) {
        case .none: return .webSocketProtocol
        case .some: return nil
        }
    }
}

extension UInt8 {
    /// Whether base64 is made of this: one bit for each byte, since every handshake has two dozen of them.
    @inline(__always)
    fileprivate var isBase64: Bool {
        // Digits, `+` and `/` are below 64, letters between 64 and 127.
        let bits: UInt64 = self < 64 ? 0x03ff_8800_0000_0000 : self < 128 ? 0x07ff_fffe_07ff_fffe : 0
        return bits >> UInt64(self & 63) & 1 == 1
    }
}
