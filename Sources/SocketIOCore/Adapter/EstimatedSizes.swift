// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
package import SocketIOText

extension Sequence<String> {
    /// About how many bytes the strings take in a message.
    package var byteCount: Int { reduce(0) { $0 + $1.utf8.count + 5 } }
}

extension BroadcastOptions {
    /// About how many bytes the rooms take.
    package var estimatedByteCount: Int { rooms.byteCount + except.byteCount }
}

extension EncodedValue {
    /// The bytes of the value and its attachments.
    package var estimatedByteCount: Int { attachments.reduce(bytes.readableBytes) { $0 + $1.readableBytes } }
}

extension SocketDescription {
    /// The bytes that a description carries if nothing else is configured.
    package static let defaultByteLimit = 32 << 10

    /// Leaves out what makes the description larger than a number of bytes: what the application put into it comes first.
    package mutating func limit(to bytes: Int) {
        guard estimatedByteCount > bytes else { return }
        var left = bytes - 64 - id.utf8.count - handshake.address.utf8.count
        func fits(_ size: Int) -> Bool {
            guard size <= left else { return false }
            left -= size
            return true
        }
        if !fits(data.estimatedByteCount) {
            data = EncodedObject.empty
            omitted.insert(.data)
        }
        if !fits(rooms.byteCount) {
            rooms = [id]
            omitted.insert(.rooms)
        }
        if let auth = handshake.auth, !fits(auth.estimatedByteCount) {
            handshake.auth = nil
            omitted.insert(.auth)
        }
        if !fits(handshake.headers.estimatedByteCount + handshake.query.estimatedByteCount + handshake.url.utf8.count) {
            (handshake.headers, handshake.query, handshake.url) = ([:], [:], "")
            omitted.insert(.request)
        }
    }

    /// About how many bytes the description takes, rather more than less.
    package var estimatedByteCount: Int {
        let values = data.estimatedByteCount + (handshake.auth?.estimatedByteCount ?? 0)
        let fields = handshake.headers.estimatedByteCount + handshake.query.estimatedByteCount
        return 64 + id.utf8.count + rooms.byteCount + values + fields + handshake.url.utf8.count + handshake.address.utf8.count
    }
}

extension NameMap<String> {
    /// About how many bytes the pairs take in a message.
    package var estimatedByteCount: Int { reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 10 } }
}
