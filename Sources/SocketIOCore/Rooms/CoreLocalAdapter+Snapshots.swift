// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
package import SocketIOText
import Synchronization

/// What is needed to keep copies of sessions elsewhere.
extension CoreLocalAdapter {
    /// A session as it is now.
    package struct SessionCopy: Sendable {
        /// The private session id.
        package var pid: String
        /// The socket's id.
        package var id: SocketID
        /// The rooms that the socket is in, its own included.
        package var rooms: NameSet
        /// The socket's data; nil if it is too large to be kept.
        package var data: EncodedValue?
    }

    /// From here on `observer` is told of every session that can be recovered, on the session's event loop. To be called before the first
    /// socket is added.
    package func observeSessions(_ observer: @escaping @Sendable (SessionEvent) -> Void) {
        for (loop, shard) in zip(loops, shards) {
            if loop.inEventLoop { shard.value.onSession = observer } else { loop.execute { shard.value.onSession = observer } }
        }
    }

    /// Reads sessions; those that are gone are left out.
    package func copySessions(_ pids: [String]) async -> [SessionCopy] {
        let pending = zip(loops, shards).map { loop, shard in
            loop.submit { [self] in
                let index = shard.value
                return pids.compactMap { pid in
                    index.member(pid: pid).map { member in
                        let socket = member.socket
                        let data = socket.describe().data
                        let kept = mayKeep(data, of: socket.id) ? data : nil
                        return SessionCopy(pid: pid, id: socket.id, rooms: index.rooms(of: socket.id), data: kept)
                    }
                }
            }
        }
        var result: [SessionCopy] = []
        // A loop that is shut down has no sessions left.
        for future in pending { result += (try? await future.get()) ?? [] }
        return result
    }

    // MARK: Positions

    /// How far the loop that the caller runs on has come, if it is one of the server's.
    package var positionOfCurrentLoop: MessageID?? {
        for (loop, shard) in zip(loops, shards) where loop.inEventLoop { return .some(shard.value.position) }
        return nil
    }

    /// All loops have come so far when they have done what waits there now.
    ///
    /// - Parameters:
    ///   - position: How far; nil if that is not known any more.
    ///   - onEnd: Called when all have.
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

/// Calls something when it was called so often.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let onEnd: @Sendable () -> Void

    init(_ count: Int, _ onEnd: @escaping @Sendable () -> Void) {
        self.left = Atomic(count)
        self.onEnd = onEnd
    }

    func down() { if left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { onEnd() } }
}
