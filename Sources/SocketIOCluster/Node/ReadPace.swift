// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOCore

/// Keeps the reader from handing the event loops more changes of rooms than they apply in some ten milliseconds. A loop runs all that waits for
/// it before it reads and writes again, so thousands of changes would hold up its clients for seconds.
struct ReadPace {
    /// The weight of the changes after which the loops must catch up.
    private static let window = 2_000
    /// The weight of a change that names no room.
    private static let baseWeight = 20
    /// How long the reader waits for a loop that a handler blocks. It does not wait for it again: the node's own messages have to return.
    private static let patience = Duration.seconds(1)

    private var weight = 0
    private var last: Latch?

    /// Counts a message.
    ///
    /// - Returns: Whether ``catchUp(_:)`` must follow.
    mutating func isFull(after body: ClusterBody) -> Bool {
        switch body {
        case .addSockets(let options, let rooms), .removeSockets(let options, let rooms):
            weight += Self.baseWeight + options.rooms.count + options.except.count + rooms.count
        case .disconnectSockets(let options, _): weight += Self.baseWeight + options.rooms.count + options.except.count
        default: return false
        }
        return weight >= Self.window
    }

    /// Waits until the event loops have applied the changes so far.
    mutating func catchUp(_ local: CoreLocalAdapter) async {
        weight = 0
        if let last, !last.isOpen { return }
        let latch = local.caughtUp()
        last = latch
        await latch.wait(atMost: Self.patience)
    }
}
