// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import SocketIOConcurrency
import SocketIOText
import Synchronization

/// Closing a server.
///
/// It is not cancelled with its caller: when another service of the application fails, which cancels all of them, sessions must still be stored
/// and the other nodes notified. Its time is limited instead.
extension SocketIOServer {
    /// Closes the server: it accepts no new clients, disconnects the connected ones in random batches, then closes the adapters.
    ///
    /// If the server has a port of its own, it stops listening then, and `run` returns when the last responses have been sent. Further calls wait
    /// for the first. Cancelling the caller has no effect; ``SocketIOConfiguration/closeTimeout`` limits the time.
    ///
    /// - Parameter duration: The time over which clients are disconnected, so that they do not all reconnect elsewhere at once. Default: at
    ///   once.
    public func close(over duration: Duration = .zero) async {
        _ = await beginClosing(over: duration).value
        // The services that run them shut them down; a response that waits for this call can still be sent afterwards.
        for server in httpServers.withLock({ $0 }) { await server.waitUntilClosed() }
    }

    /// Closes the server at the end of the service that runs it.
    ///
    /// - Returns: When the process should have no connection of the server any more.
    @discardableResult
    func closeAsService() async -> ContinuousClock.Instant { await beginClosing(over: configuration.drainDuration).value }

    /// - Returns: A task that ends when the server is closed, with the time by which its last connection has to end.
    @discardableResult
    func beginClosing(over duration: Duration) -> Task<ContinuousClock.Instant, Never> {
        lifecycle.close { [self] start in await end(over: duration, after: start) }
    }

    /// Closes the server in order, and aborts that if it takes too long.
    private func end(over duration: Duration, after starting: Task<Void, any Error>?) async -> ContinuousClock.Instant {
        let limit = duration + configuration.closeTimeout
        let deadline = ContinuousClock.now + limit
        let isEnded = Gate()
        let work = Task {
            _ = await starting?.result
            await endInOrder(over: duration)
            isEnded.open()
        }
        let watch = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            logger.warning("closing takes too long and is aborted", metadata: [LogKey.limit: "\(limit)"])
            work.cancel()
            // Work that ignores the cancellation is abandoned.
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            isEnded.open()
        }
        await isEnded.wait()
        watch.cancel()
        errors.reportSuppressed()
        namespaces.removeAll()
        return deadline
    }

    private func endInOrder(over duration: Duration) async {
        let wasServing = lifecycle.stopServing()
        // The other nodes do not know a server whose start has failed.
        if wasServing { await adapters.drain() }
        await engine.shutdown(over: duration)
        let grace = min(configuration.closeTimeout / 4, .seconds(10))
        // The hooks of the last sockets may still send to other processes.
        await tasks.finish(grace: grace)
        await close(namespaces.close())
        await adapters.close()
        await tasks.close(grace: grace)
    }

    /// Closes several adapters at a time: one after the other, many of them would take too long.
    private func close(_ namespaces: [Namespace]) async {
        await withDiscardingTaskGroup { group in
            let next = SharedIterator(namespaces)
            for _ in 0..<min(32, namespaces.count) {
                group.addTask { while let namespace = next() { await namespace.adapter.close() } }
            }
        }
    }
}
