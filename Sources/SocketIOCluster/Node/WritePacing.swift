// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// How fast a lane writes broadcasts at most, for receivers whose clients have small buffers and lose the rest.
///
/// Only broadcasts count, those with acknowledgements included. Heartbeats and answers to other nodes are not delayed: they are written
/// before the broadcasts that wait. So are requests such as `fetchSockets`, unless a command waits whose effect they must see, such as
/// `socketsJoin`.
public struct WritePacing: Sendable, Hashable {
    /// The maximum number of broadcasts in a batch. Bounds: at least 1.
    public var batchMessages: Int
    /// The maximum number of broadcasts a second: after a batch, the next ones wait in proportion to its size. Bounds: at least 1.
    public var messagesPerSecond: Int

    /// Creates a limit.
    public init(batchMessages: Int, messagesPerSecond: Int) {
        self.batchMessages = batchMessages
        self.messagesPerSecond = messagesPerSecond
    }

    /// No limit.
    public static let unlimited = WritePacing(batchMessages: .max, messagesPerSecond: .max)

    /// How long this many broadcasts take at least.
    func time(of count: Int) -> TimeAmount {
        .nanoseconds(Int64(Double(count) * 1_000_000_000 / Double(max(1, messagesPerSecond))))
    }
}
