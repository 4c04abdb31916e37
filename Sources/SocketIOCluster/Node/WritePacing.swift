// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// How fast a lane writes at most, for receivers that buffer only few messages and drop the others.
public struct WritePacing: Sendable, Hashable {
    /// The maximum number of messages in a batch. Bounds: at least 1.
    public var batchMessages: Int
    /// The maximum number of messages a second: after a batch, the next one waits in proportion to its size. Bounds: at least 1.
    public var messagesPerSecond: Int

    /// Creates a limit.
    public init(batchMessages: Int, messagesPerSecond: Int) {
        self.batchMessages = batchMessages
        self.messagesPerSecond = messagesPerSecond
    }

    /// No limit.
    public static let unlimited = WritePacing(batchMessages: .max, messagesPerSecond: .max)

    /// How long a batch takes at least.
    func time(of count: Int) -> TimeAmount {
        .nanoseconds(Int64(Double(count) * 1_000_000_000 / Double(max(1, messagesPerSecond))))
    }
}
