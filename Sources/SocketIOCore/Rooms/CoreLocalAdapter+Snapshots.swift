// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOText
import Synchronization

/// What the adapter of a cluster needs to keep snapshots of sessions elsewhere.
extension CoreLocalAdapter {
    /// Reports every change of a session that can be recovered to `observer`, on the session's event loop. Must be called before the first
    /// socket is added.
    package func observeSessions(_ observer: @escaping @Sendable (SessionEvent) -> Void) {
        for (loop, shard) in zip(loops, shards) {
            if loop.inEventLoop { shard.value.onSession = observer } else { loop.execute { shard.value.onSession = observer } }
        }
    }

    /// Takes snapshots of sessions. Sessions that have ended are left out; the state of one that is too large to be kept is nil.
    package func snapshotSessions(_ pids: [String]) async -> [(pid: String, state: SessionState?)] {
        let pending = zip(loops, shards).map { loop, shard in
            loop.submit { [self] in
                let index = shard.value
                return pids.compactMap { pid in index.member(pid: pid).map { (pid, snapshot(of: $0.socket, in: index)) } }
            }
        }
        var result: [(pid: String, state: SessionState?)] = []
        // A loop that is shut down has no sessions left.
        for future in pending { result += (try? await future.get()) ?? [] }
        return result
    }

    private func snapshot(of socket: any LocalSocket, in index: RoomIndex) -> SessionState? {
        let data = socket.describe().data
        // The caller reports it. A snapshot is taken after each change, so this must not count every time.
        guard isSmallEnough(data) else { return nil }
        return SessionState(id: socket.id, rooms: index.rooms(of: socket.id), data: data)
    }

    // MARK: Positions

    /// The position of the loop that the caller runs on, if it is one of the server's.
    package var positionOfCurrentLoop: MessageID?? {
        for (loop, shard) in zip(loops, shards) where loop.inEventLoop { return .some(shard.value.position) }
        return nil
    }

    /// Sets the position of all loops, each after what is enqueued there now.
    ///
    /// - Parameters:
    ///   - position: The position; nil if it is not known any more.
    ///   - onEnd: Called when all loops have it.
    package func enqueuePosition(_ position: MessageID?, onEnd: @escaping @Sendable () -> Void = {}) {
        let countdown = Countdown(loops.count, onEnd)
        for (loop, shard) in zip(loops, shards) {
            loop.execute {
                shard.value.position = position
                countdown.down()
            }
        }
    }
}

/// Calls a function after a number of calls.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let onEnd: @Sendable () -> Void

    init(_ count: Int, _ onEnd: @escaping @Sendable () -> Void) {
        self.left = Atomic(count)
        self.onEnd = onEnd
    }

    func down() { if left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { onEnd() } }
}
