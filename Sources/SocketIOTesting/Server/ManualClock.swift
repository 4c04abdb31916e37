// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
public import NIOCore
import NIOEmbedded

/// A clock that stands still until a test moves it, for servers whose timeouts would take too long.
///
/// ```swift
/// let clock = await ManualClock()
/// try await withTestServer(clock: clock) { server in
///     let client = try await server.connect(answersPings: false)
///     await clock.advance(by: .seconds(45))
///     await client.waitUntilClosed()
/// }
/// ```
///
/// It is the time of an event loop that does no I/O, see ``eventLoop``. Everything that a server, its connections and a node of a cluster
/// do by time they do by the time of their event loop: pings, timeouts of acknowledgements, of clients that join no namespace and of
/// requests, heartbeats, how long a session can be recovered. Of the time of the system are: the shutdown, `Task.sleep` in handlers, and
/// the patience of ``TestClient``.
public final class ManualClock: Sendable {
    /// The step of the time in ``letTimePass(while:)``.
    private static let step = Duration.milliseconds(50)
    /// How long the step takes: a hundredth, at least.
    private static let pause = Duration.microseconds(500)

    let loop = NIOAsyncTestingEventLoop()

    /// Creates a clock.
    public init() async {
        // Start at a later time than zero, as real clocks do.
        await loop.advanceTime(by: .hours(1))
    }

    deinit {
        // Cancels scheduled tasks, whose promises would otherwise be leaked.
        loop.shutdownGracefully(queue: .global()) { _ in }
    }

    /// The event loop that uses this clock: for a server that a test creates itself, and for `ClusterNode.Options.eventLoop`.
    public var eventLoop: any EventLoop { loop }

    /// The time of the clock.
    public var now: NIODeadline { loop.now }

    /// Moves the time, and does everything that becomes due, in order and each at its time. What follows from it on the event loop has
    /// been done when this returns.
    public func advance(by duration: Duration) async { await loop.advanceTime(by: TimeAmount(duration)) }

    /// Advances the time continuously, about a hundred times as fast as usual, while `body` runs.
    ///
    /// The total time depends on the machine: check the result, not the duration.
    ///
    /// - Parameter body: Code that waits for the time to pass.
    public func letTimePass<Value>(while body: () async throws -> Value) async rethrows -> Value {
        async let _: Void = pass()
        return try await body()
    }

    /// Waits.
    func sleep(for duration: Duration) async throws {
        let alarm = loop.scheduleTask(in: TimeAmount(duration)) {}
        try await withTaskCancellationHandler {
            try await alarm.futureResult.get()
        } onCancel: {
            alarm.cancel()
        }
    }

    private func pass() async {
        while !Task.isCancelled {
            await advance(by: Self.step)
            try? await Task.sleep(for: Self.pause)
        }
    }
}
