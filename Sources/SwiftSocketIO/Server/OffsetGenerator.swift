// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOCore

/// Generates the offsets of packets that can be replayed.
struct OffsetGenerator: Sendable {
    private let ids: MessageIDGenerator

    init() {
        var random = SystemRandomNumberGenerator()
        self.ids = MessageIDGenerator(seed: random.next())
    }

    func next() -> MessageID { ids.next(seconds: WallClock.secondsSince1970()) }
}
