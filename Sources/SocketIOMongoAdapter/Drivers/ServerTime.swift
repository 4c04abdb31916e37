// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore
import Synchronization

/// The time of day by the server's clock, by which the server deletes documents: this process's clock may be wrong by any amount.
final class ServerTime: Sendable {
    private let clock: @Sendable () -> Int64
    private let state = Mutex(ServerTimeStateMachine())
    /// Asks for the time, one at a time: an answer may take long while the server is busy with an election.
    private let asking = Mutex(Asking())

    private struct Asking {
        var task: Task<Void, Never>?
        var isClosed = false
    }

    /// - Parameter clock: The time of day by this process's clock, in milliseconds since 1970.
    init(clock: @escaping @Sendable () -> Int64) { self.clock = clock }

    /// Milliseconds since 1970.
    var milliseconds: Int64 {
        let time = clock()
        return state.withLock { $0.milliseconds(time) }
    }

    private var now: ServerTimeStateMachine.Instant { .init(time: clock(), uptime: .now()) }

    /// Asks for the server's time.
    ///
    /// - Parameter ask: Returns the server's time in milliseconds; nil if it does not tell.
    func measure(_ ask: () async throws -> Int64?) async {
        let sent = now
        state.withLock { $0.asks(sent) }
        guard let server = try? await ask() else { return }
        let received = now
        state.withLock { $0.measured(server, sent: sent, received: received) }
    }

    /// Asks for the server's time in a task of its own, if it is time to and the last question is answered.
    ///
    /// - Parameter ask: As of ``measure(_:)``.
    func measureIfDue(_ ask: @escaping @Sendable () async throws -> Int64?) {
        let now = now
        guard state.withLock({ $0.isDue(now) }) else { return }
        asking.withLock { asking in
            guard asking.task == nil, !asking.isClosed else { return }
            // Owned: `close` ends it and waits for it.
            asking.task = Task {
                await self.measure(ask)
                self.asking.withLock { $0.task = nil }
            }
        }
    }

    /// Asks no more.
    func close() async {
        let task = asking.withLock { asking in
            asking.isClosed = true
            return asking.task
        }
        task?.cancel()
        await task?.value
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
    /// How long an answer may take that replaces an earlier one.
    private static let patience = TimeAmount.seconds(1)
    /// Milliseconds by which the two clocks of this process may differ before the measurement is no longer trusted.
    private static let tolerance: Int64 = 1_000

    private var difference: Int64 = 0
    private var measuredAt: Instant?
    private var attemptedAt: NIODeadline?

    /// The server's time, at a time of this process.
    func milliseconds(_ time: Int64) -> Int64 { time &+ difference }

    /// The server is being asked.
    mutating func asks(_ now: Instant) { attemptedAt = now.uptime }

    /// Whether the server should be asked: the last answer is old, or the clock of this process has been set since.
    func isDue(_ now: Instant) -> Bool {
        if let attemptedAt, now.uptime - attemptedAt < Self.pause { return false }
        guard let measuredAt else { return true }
        let passed = now.uptime - measuredAt.uptime
        let leap = (now.time &- measuredAt.time) &- passed.nanoseconds / 1_000_000
        return passed >= Self.interval || !(-Self.tolerance...Self.tolerance).contains(leap)
    }

    /// The server has told its time.
    mutating func measured(_ server: Int64, sent: Instant, received: Instant) {
        // Half of the time that the answer took; the clock may have been set in between. An answer that took long says little.
        guard measuredAt == nil || received.uptime - sent.uptime <= Self.patience else { return }
        let half = (received.uptime - sent.uptime).nanoseconds / 2_000_000
        difference = server &- (received.time &- half)
        measuredAt = received
    }
}
#endif
