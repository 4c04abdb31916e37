// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The codes of WebSocket close frames that a server sends (RFC 6455, section 7.4).
package enum WebSocketCloseCode: UInt16, Sendable {
    case normal = 1000
    case goingAway = 1001
    case protocolError = 1002
    case invalidData = 1007
    case policyViolation = 1008
    case messageTooLarge = 1009
}

extension ByteBuffer {
    /// Whether a client's close frame may carry this payload (RFC 6455, section 7.4).
    var isValidClosePayload: Bool {
        guard readableBytes > 0 else { return true }
        switch getInteger(at: readerIndex, as: UInt16.self) {
        case 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014: return true
        case .some(let code): return code >= 3000 && code < 5000
        case nil: return false
        }
    }
}
