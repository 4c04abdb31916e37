// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// The end of a node: one deadline for all of it, whatever the backend does, and nobody's cancellation ends it earlier.
extension ClusterNode {
    /// What is left for the last words, and then for the connections, when everything before has taken as long as it may.
    private static let lastWords = TimeAmount.milliseconds(500)

    /// Writes what waits, tells the others that this node has left, and ends everything.
    ///
    /// It takes at most ``ClusterConfiguration/closeTimeout``, the sessions that the namespaces have stored included, and
    /// ``ClusterConfiguration/unreachableCloseTimeout`` if the backend takes nothing. What is still waiting for the backend then
    /// ends by itself. Cancelling the task does not shorten it.
    public func close() async {
        await Self.shielded { await self.closeAll() }
    }

    private func closeAll() async {
        let running = state.withLock { state in
            state.isEnded = true
            return state.task
        }
        guard let task = running else { return }
        let deadline = beginClosing()
        await drain()
        await flush(by: deadline - .nanoseconds(3 * Self.lastWords.nanoseconds))
        await leave(by: deadline - .nanoseconds(2 * Self.lastWords.nanoseconds))
        perform { machine, _ in machine.close() }
        task.cancel()
        await Self.wait(until: deadline - Self.lastWords) { await task.value }
        await Self.wait(until: max(deadline, .now() + Self.lastWords)) { await self.driver.close() }
        state.withLock { $0.task = nil }
    }

    /// When everything that belongs to the end of this node must be over: set by whatever begins it.
    @discardableResult
    func beginClosing() -> NIODeadline {
        state.withLock { state in
            if let deadline = state.closingDeadline { return deadline }
            let isUnreachable = state.machine.isUnreachable(now: now)
            let time = isUnreachable ? min(configuration.unreachableCloseTimeout, configuration.closeTimeout) : configuration.closeTimeout
            let deadline = NIODeadline.now() + TimeAmount(time)
            state.closingDeadline = deadline
            return deadline
        }
    }

    /// When the closing of a namespace must be over: only at the end of the whole node is there a limit.
    func beginClosingNamespace() -> NIODeadline? {
        guard state.withLock({ $0.machine.isDraining }) else { return nil }
        return beginClosing() - .nanoseconds(4 * Self.lastWords.nanoseconds)
    }

    private func flush(by limit: NIODeadline) async {
        let start = NIODeadline.now()
        // What others have asked ends with the clients, who are gone, and says so. A client that is not gone is not waited for.
        let answered = min(start + .seconds(1), limit)
        while NIODeadline.now() < limit {
            let isAnswered = relays.isIdle && responders.isIdle || NIODeadline.now() >= answered
            if isAnswered, state.withLock({ $0.machine.isFlushed }) { return }
            // It is the end of the process, and nobody waits for milliseconds.
            do { try await Task.sleep(for: .milliseconds(10)) } catch { return }
        }
    }

    private func leave(by limit: NIODeadline) async {
        // Also if nothing was heard lately: those who do not get it wait until this node is missed.
        let left = limit - .now()
        guard left > .zero, state.withLock({ $0.machine.isOpen }) else { return }
        await Self.wait(until: limit) {
            _ = await self.write { machine, ticket, now in machine.leave(ticket: ticket, by: now + left, now: now) }
        }
    }

    /// Runs something that the cancellation of the calling task does not reach.
    static func shielded(_ body: @escaping @Sendable () async -> Void) async {
        // Awaited: it ends before this returns.
        await Task { await body() }.value
    }

    /// Runs something and waits for it, but no longer than until a deadline: then it is cancelled, and ends by itself.
    ///
    /// - Returns: Whether it has ended.
    @discardableResult
    static func wait(until limit: NIODeadline?, for body: @escaping @Sendable () async -> Void) async -> Bool {
        guard let limit else {
            await body()
            return true
        }
        let ended = Signal()
        let isOver = Mutex(false)
        let end: @Sendable () -> Void = {
            isOver.withLock { $0 = true }
            ended.raise()
        }
        let task = Task {
            await body()
            end()
        }
        await ended.wait(atMost: .nanoseconds(max(0, (limit - .now()).nanoseconds)))
        task.cancel()
        return isOver.withLock { $0 }
    }
}
