// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// How many messages wait, and how many may.
///
/// Volatile messages have a part of their own, a quarter, which other messages do not see: they are dropped when it is full, and never make
/// the sender of another message wait.
struct LaneRoom {
    private struct Load {
        var messages = 0
        var bytes = 0

        func hasRoom(for more: Int, _ messageLimit: Int, _ byteLimit: Int) -> Bool {
            messages < messageLimit && bytes + more <= max(byteLimit, more)
        }
    }

    /// The part of volatile messages.
    private static let volatilePart = 4

    private let messageLimit: Int
    private let byteLimit: Int
    private var ordinary = Load()
    private var volatile = Load()

    init(_ limits: ClusterConfiguration) {
        messageLimit = limits.maximumQueuedMessages
        byteLimit = limits.maximumQueuedBytes
    }

    /// Whether one more message may wait. The only one may have any size.
    func fits(_ bytes: Int, _ certainty: Outgoing.Certainty) -> Bool {
        guard ordinary.hasRoom(for: bytes, messageLimit, byteLimit) else { return false }
        guard certainty == .volatile else { return true }
        return volatile.hasRoom(for: bytes, max(1, messageLimit / Self.volatilePart), byteLimit / Self.volatilePart)
    }

    /// A message waits.
    mutating func add(_ bytes: Int, _ certainty: Outgoing.Certainty) { change(by: 1, bytes, certainty) }

    /// A message waits no longer.
    mutating func remove(_ bytes: Int, _ certainty: Outgoing.Certainty) { change(by: -1, -bytes, certainty) }

    private mutating func change(by messages: Int, _ bytes: Int, _ certainty: Outgoing.Certainty) {
        if certainty == .volatile {
            volatile.messages += messages
            volatile.bytes += bytes
        } else {
            ordinary.messages += messages
            ordinary.bytes += bytes
        }
    }
}
