// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOCore

/// Makes the ids of a process's messages.
struct MessageIDs: Sendable {
    private let generator = MessageIDGenerator(seed: UInt64.random(in: .min ... .max))

    func next() -> MessageID { generator.next(seconds: WallClock.secondsSince1970()) }
}
