// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency

/// Events that wait for their handlers. Used on one event loop.
protocol EventBacklog: AnyObject {
    /// A number that grows with each event whose handler starts or returns; nil if no event waits.
    var progress: UInt64? { get }
    /// No event has been taken for ``StandstillWatch/limit``. Called once for each standstill.
    func stoodStill()
    /// No event waits any more.
    func watchEnded()
}

/// Notices events that wait for long behind a handler that does not return. Used on one event loop.
///
/// It has one timer, and only while events wait somewhere on the loop.
final class StandstillWatch {
    private struct Entry {
        let backlog: any EventBacklog
        var progress: UInt64
        var since: NIODeadline
        var isReported = false
    }

    static let limit = TimeAmount.seconds(10)
    private static let interval = Duration.seconds(1)

    private let loop: any EventLoop
    private let timers: LoopTimers
    private var entries: [Entry] = []

    init(loop: any EventLoop, timers: LoopTimers) {
        self.loop = loop
        self.timers = timers
    }

    /// Watches events that have begun to wait, until none does.
    func add(_ backlog: any EventBacklog) {
        entries.append(Entry(backlog: backlog, progress: backlog.progress ?? 0, since: loop.now))
        if entries.count == 1 { schedule() }
    }

    // The timer keeps the watch, which belongs to the loop as the timer does.
    private func schedule() { _ = timers.schedule(in: Self.interval) { [self] in look() } }

    private func look() {
        let now = loop.now
        var still: [any EventBacklog] = []
        var ended: [any EventBacklog] = []
        entries = entries.compactMap { entry in
            guard let progress = entry.backlog.progress else {
                ended.append(entry.backlog)
                return nil
            }
            guard progress == entry.progress else { return Entry(backlog: entry.backlog, progress: progress, since: now) }
            guard !entry.isReported, now - entry.since >= Self.limit else { return entry }
            still.append(entry.backlog)
            var entry = entry
            entry.isReported = true
            return entry
        }
        if !entries.isEmpty { schedule() }
        for backlog in ended { backlog.watchEnded() }
        for backlog in still { backlog.stoodStill() }
    }
}
