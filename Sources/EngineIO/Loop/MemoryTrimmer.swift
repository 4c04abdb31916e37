// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import NIOCore
import NIOPosix
import Synchronization

/// Gives memory back to the system after many connections have closed, or a few that held much; glibc keeps it otherwise.
final class MemoryTrimmer: Sendable {
    private static let closesPerTrim = 1000
    /// How many freed bytes count as one more connection.
    private static let bytesPerClose = 16 << 10
    /// Long enough for a mass close to be over, and at most one trim in this time.
    private static let delay = TimeAmount.seconds(5)

    private struct State {
        var closes = 0
        var isScheduled = false
    }

    private let state = Mutex(State())

    /// Counts a closed connection and schedules a trim if there were many.
    ///
    /// - Parameters:
    ///   - eventLoop: Where the trim is scheduled.
    ///   - bytes: How many bytes it held in addition to those that every connection holds.
    func connectionClosed(on eventLoop: any EventLoop, freed bytes: Int = 0) {
        count(1 + bytes / Self.bytesPerClose, on: eventLoop)
    }

    /// Counts bytes that are not needed any more.
    func freed(_ bytes: Int, on eventLoop: any EventLoop) {
        if bytes >= Self.bytesPerClose { count(bytes / Self.bytesPerClose, on: eventLoop) }
    }

    private func count(_ closes: Int, on eventLoop: any EventLoop) {
        #if canImport(Glibc)
        let isDue = state.withLock { state in
            state.closes += closes
            guard state.closes >= Self.closesPerTrim, !state.isScheduled else { return false }
            state.isScheduled = true
            return true
        }
        guard isDue else { return }
        eventLoop.scheduleTask(in: Self.delay) { self.trim() }
        #endif
    }

    private func trim() {
        state.withLock { $0 = State() }
        // It takes milliseconds for a large heap, too long for an event loop.
        NIOSingletons.posixBlockingThreadPool.submit { _ in socketio_trim_memory() }
    }
}
