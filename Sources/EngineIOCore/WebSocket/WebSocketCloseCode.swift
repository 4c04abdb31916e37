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
    /// What is wrong with the payload of a client's close frame, a code and a reason (RFC 6455, sections 5.5.1 and 7.4); nil if nothing is.
    var problemOfClosePayload: WebSocketCloseCode? {
        guard readableBytes > 0 else { return nil }
        // A single byte has no code.
        switch getInteger(at: readerIndex, as: UInt16.self) ?? 0 {
        // 1004, 1005, 1006 and 1015 are never sent; those up to 2999 are for later versions and extensions.
        case 1000...1003, 1007...1014, 3000...4999: break
        default: return .protocolError
        }
        return getSlice(at: readerIndex + 2, length: readableBytes - 2)?.isValidUTF8 == false ? .invalidData : nil
    }
}
