// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// The end of a server. It is not cancelled with whoever waits for it: sessions must be stored and the other nodes told also if another
/// service of the application has failed, which cancels all of them. Its time is limited instead.
extension SocketIOServer {
    /// Ends the server: no new clients, the connected ones go in random batches, then the adapters close. Called again, it waits for the
    /// end. The cancellation of the caller changes nothing; the time is limited by ``SocketIOConfiguration/closeTimeout``.
    ///
    /// - Parameter duration: The time over which clients are let go, so that they do not all come back at once elsewhere. Default: at once.
    public func close(over duration: Duration = .zero) async { await beginClosing(over: duration).value }

    /// The same for whoever runs the server.
    func closeAsService() async { await beginClosing(over: configuration.drainDuration).value }

    /// - Returns: What ends when the server is closed.
    @discardableResult
    func beginClosing(over duration: Duration) -> Task<Void, Never> {
        lifecycle.withLock { lifecycle in
            var starting: Task<Void, any Error>?
            switch lifecycle {
            case .closed(let end): return end
            case .started(let task): starting = task
            case .created: break
            }
            let end = Task { [self, starting] in
                starting?.cancel()
                await self.end(over: duration, after: starting)
            }
            lifecycle = .closed(end)
            return end
        }
    }

    /// Ends the server in order, or without it if that takes too long.
    private func end(over duration: Duration, after starting: Task<Void, any Error>?) async {
        let isEnded = Gate()
        let work = Task {
            _ = await starting?.result
            await endInOrder(over: duration)
            isEnded.open()
        }
        let limit = duration + configuration.closeTimeout
        let watch = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            logger.warning("closing takes too long and is cut off", metadata: ["limit": "\(limit)"])
            work.cancel()
            // What does not heed that either is given up.
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            isEnded.open()
        }
        await isEnded.wait()
        watch.cancel()
        namespaces.removeAll()
    }

    private func endInOrder(over duration: Duration) async {
        let wasServing = isServing.exchange(false, ordering: .acquiringAndReleasing)
        startSettled.open()
        // Nobody knows of a server whose start has failed.
        if wasServing { await adapters.drain() }
        await engine.shutdown(over: duration)
        let grace = min(configuration.closeTimeout / 4, .seconds(10))
        // The hooks of the last sockets may still tell the other processes.
        await tasks.finish(grace: grace)
        await close(namespaces.close())
        await adapters.close()
        await tasks.close(grace: grace)
    }

    /// Some at a time: one after the other, many of them would take longer than there is.
    private func close(_ namespaces: [Namespace]) async {
        await withDiscardingTaskGroup { group in
            let next = SharedIterator(namespaces)
            for _ in 0..<min(32, namespaces.count) {
                group.addTask { while let namespace = next() { await namespace.adapter.close() } }
            }
        }
    }
}
