// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore

/// Descriptions of sockets, in parts that fit into messages.
struct SocketAnswers {
    /// At least one; the last may be empty.
    private(set) var parts: [[SocketDescription]] = [[]]
    /// Set if a socket's description does not fit into a message at all.
    private(set) var tooLarge: ClusterError?
    private var bytes = 0
    private let countLimit: Int
    private let byteLimit: Int

    init(countLimit: Int, byteLimit: Int) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    mutating func add(_ socket: SocketDescription) {
        let size = socket.estimatedByteCount
        guard size <= byteLimit else {
            let text =
                "the description of socket \(socket.id) takes about \(size) bytes and \(byteLimit) can be carried; keep less in its data"
            tooLarge = tooLarge ?? ClusterError(.tooLarge, text)
            return
        }
        if let last = parts.last, last.count >= countLimit || bytes + size > byteLimit, !last.isEmpty {
            parts.append([])
            bytes = 0
        }
        parts[parts.count - 1].append(socket)
        bytes += size
    }
}
