import CSystemShims
import NIOCore
import NIOPosix
import Synchronization

/// Gives memory back to the system after many connections have closed; glibc keeps it otherwise.
final class MemoryTrimmer: Sendable {
    private static let closesPerTrim = 1000
    /// Long enough for a mass close to be over, and at most one trim in this time.
    private static let delay = TimeAmount.seconds(5)

    private struct State {
        var closes = 0
        var isScheduled = false
    }

    private let state = Mutex(State())

    /// Counts a closed connection and schedules a trim if there were many.
    func connectionClosed(on eventLoop: any EventLoop) {
        #if canImport(Glibc)
        let isDue = state.withLock { state in
            state.closes += 1
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
        // It takes milliseconds for a large heap, which no event loop has.
        NIOSingletons.posixBlockingThreadPool.submit { _ in socketio_trim_memory() }
    }
}
