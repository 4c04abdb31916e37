// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore
import Synchronization

/// The time of day by the server's clock, by which the server deletes documents: this process's clock may be wrong by any amount.
final class ServerTime: Sendable {
    private let clock: @Sendable () -> Int64
    private let state = Mutex(ServerTimeStateMachine())

    /// - Parameter clock: The time of day by this process's clock, in milliseconds since 1970.
    init(clock: @escaping @Sendable () -> Int64) { self.clock = clock }

    /// Milliseconds since 1970.
    var milliseconds: Int64 {
        let time = clock()
        return state.withLock { $0.milliseconds(time) }
    }

    /// Asks for the server's time, if it is time to.
    ///
    /// - Parameter ask: Returns the server's time in milliseconds; nil if it does not tell.
    func update(_ ask: () async throws -> Int64?) async {
        let sent = ServerTimeStateMachine.Instant(time: clock(), uptime: .now())
        guard state.withLock({ $0.begin(sent) }), let server = try? await ask() else { return }
        let received = ServerTimeStateMachine.Instant(time: clock(), uptime: .now())
        state.withLock { $0.measured(server, sent: sent, received: received) }
    }
}

/// Keeps the difference between the server's clock and the one of this process.
struct ServerTimeStateMachine {
    /// A moment by both clocks of this process.
    struct Instant: Hashable {
        /// Milliseconds since 1970; it may leap.
        var time: Int64
        /// It never leaps, but may stand still while the machine sleeps.
        var uptime: NIODeadline
    }

    /// How long a measurement is used.
    private static let interval = TimeAmount.seconds(60)
    /// How soon after an attempt the next one is made.
    private static let pause = TimeAmount.seconds(5)
    /// Milliseconds by which the two clocks of this process may differ before the measurement is no longer trusted.
    private static let tolerance: Int64 = 1_000

    private var difference: Int64 = 0
    private var measuredAt: Instant?
    private var attemptedAt: NIODeadline?

    /// The server's time, at a time of this process.
    func milliseconds(_ time: Int64) -> Int64 { time &+ difference }

    /// The server can be asked.
    ///
    /// - Returns: Whether it should be: the last answer is old, or the clock of this process has been set since.
    mutating func begin(_ now: Instant) -> Bool {
        if let attemptedAt, now.uptime - attemptedAt < Self.pause { return false }
        guard isDue(now) else { return false }
        attemptedAt = now.uptime
        return true
    }

    private func isDue(_ now: Instant) -> Bool {
        guard let measuredAt else { return true }
        let passed = now.uptime - measuredAt.uptime
        let leap = (now.time &- measuredAt.time) &- passed.nanoseconds / 1_000_000
        return passed >= Self.interval || !(-Self.tolerance...Self.tolerance).contains(leap)
    }

    /// The server has told its time.
    mutating func measured(_ server: Int64, sent: Instant, received: Instant) {
        // Half of the time that the answer took; the clock may have been set in between.
        let half = (received.uptime - sent.uptime).nanoseconds / 2_000_000
        difference = server &- (received.time &- half)
        measuredAt = received
    }
}
#endif
