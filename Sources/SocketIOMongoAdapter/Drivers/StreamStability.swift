// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore

/// How reliably a stream keeps its position: how long to wait before reopening it, and whether its node is healthy.
struct StreamStability {
    private static let longestPause = TimeAmount.seconds(5)
    private static let window = TimeAmount.seconds(60)
    private static let lossLimit = 3
    private static let attemptLimit = 5

    /// How often in a row the stream has ended without having moved.
    private var fruitless = 0
    /// How often in a row it has ended for an unknown reason.
    private var unclear = 0
    /// The last times at which the position was lost.
    private var losses: [NIODeadline] = []
    private var unstableUntil: NIODeadline?

    /// Whether the position was lost three times within a minute, and no minute has passed without a loss since then.
    func isUnstable(now: NIODeadline) -> Bool { unstableUntil.map { now < $0 } ?? false }

    /// How long to wait before the stream is reopened.
    func pause(now: NIODeadline) -> TimeAmount {
        if isUnstable(now: now) { return Self.longestPause }
        return fruitless > 1 ? min(Self.longestPause, .milliseconds(100) * (1 << min(fruitless, 6))) : .zero
    }

    /// Something was read.
    mutating func read() {
        fruitless = 0
        unclear = 0
    }

    /// The stream could not be opened, or has ended.
    mutating func ended() { fruitless += 1 }

    /// The stream has ended for an unknown reason.
    ///
    /// - Returns: Whether this has happened so often in a row that resuming at the same position will not help.
    mutating func failedUnclearly() -> Bool {
        unclear += 1
        return unclear >= Self.attemptLimit
    }

    /// The stream is going to begin at another position.
    mutating func moves() { unclear = 0 }

    /// The position is lost.
    mutating func lost(now: NIODeadline) {
        losses.removeAll { now - $0 > Self.window }
        losses.append(now)
        if losses.count > Self.lossLimit { losses.removeFirst() }
        if isUnstable(now: now) || losses.count >= Self.lossLimit { unstableUntil = now + Self.window }
    }
}
#endif
