// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// Keeps snapshots of a namespace's sessions in the backend. Changes are written after a short delay, many at a time.
final class SnapshotKeeper: Sendable {
    fileprivate struct Session {
        /// Two while the session moves from one loop to another; none for a moment then, or when it has ended.
        var sockets = 0
        var start: MessageID?
        var isMoved = false
        /// Whether there may be a snapshot of it.
        var isStored = false
    }

    fileprivate struct State {
        var sessions: [Name: Session] = [:]
        var changed: Set<Name> = []
        var ended: Set<Name> = []
        /// Sessions that have ended and may have a snapshot.
        var obsolete: Set<Name> = []
        /// When all snapshots were written last.
        var renewed = ContinuousClock.now
        var isRunning = false
        /// The deadline for writing; set when it is stopped.
        var deadline: ContinuousClock.Instant?

        var isStopped: Bool { deadline != nil }
        var isLate: Bool { deadline.map { $0 <= .now } ?? false }
        var isClean: Bool { changed.isEmpty && ended.isEmpty && obsolete.isEmpty }
    }

    /// How long changes are collected.
    private static let gathering = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)
    /// Snapshots that are not renewed are deleted after this time.
    private static let lifetime = Duration.seconds(24 * 3_600)
    /// The number of snapshots that wait to be removed; additional ones stay until their lifetime has passed.
    private static let obsoleteLimit = 100_000

    private let node: ClusterNode
    private let store: any SnapshotStore
    private let namespace: String
    private let local: CoreLocalAdapter
    private let state = Mutex(State())
    private let stopping = Signal()
    private let end = Signal()

    /// nil if snapshots are off.
    init?(node: ClusterNode, namespace: String, local: CoreLocalAdapter) {
        guard node.configuration.snapshotsSessions, local.recovers, let store = node.driver.snapshotStore else { return nil }
        self.node = node
        self.store = store
        self.namespace = namespace
        self.local = local
    }

    // MARK: Life

    func start() { local.observeSessions { [weak self] event in self?.change { $0.apply(event) } } }

    /// Stops writing. Returns when nothing is being written, or when the write timeout has passed.
    func stop() async {
        var time = node.configuration.writeTimeout
        if let end = node.namespaceDeadline() { time = min(time, end.timeLeft) }
        let limit = ContinuousClock.now + time
        state.withLock { $0.deadline = limit }
        stopping.raise()
        // The signal may have been raised before.
        while state.withLock({ $0.isRunning }), ContinuousClock.now < limit { await end.wait(atMost: limit - .now) }
    }

    /// Removes the snapshots of sessions that have ended, within the write timeout of ``stop()``.
    func close() async {
        guard !state.withLock({ $0.isRunning || $0.isClean }) else { return }
        await flush()
    }

    /// Writes until nothing is left to write.
    private func run() async {
        var failures = 0
        repeat {
            await pause(atMost: min(Self.longestPause, Self.gathering * (1 << min(failures, 10))))
            failures = await flush() ? 0 : failures + 1
        } while state.withLock { $0.goesOn() }
        end.raise()
    }

    private func pause(atMost duration: Duration) async {
        let clock = node.clock
        await withTimeLimit(duration, sleep: { try await clock.sleep(for: $0) }) { await self.stopping.wait() }
    }

    /// Writes all snapshots again, because this node continues with a new epoch.
    func renew() { change { $0.changed = Set($0.sessions.keys) } }

    /// Writes all snapshots again before they are deleted. Called about once a second.
    func renewIfDue() {
        change { state in
            guard state.renewed.duration(to: .now) >= Self.lifetime / 2 else { return }
            state.renewed = .now
            state.changed = Set(state.sessions.keys)
        }
    }

    // MARK: Changes

    private func change(_ body: (inout State) -> Void) {
        let starts = state.withLock { state in
            body(&state)
            guard !state.isRunning, !state.isStopped, !state.isClean else { return false }
            state.isRunning = true
            return true
        }
        guard starts, !node.snapshotWriters.add({ [weak self] in await self?.run() }) else { return }
        // The next change retries.
        state.withLock { $0.isRunning = false }
    }

    /// A session was restored from another node. Its socket was reported already.
    ///
    /// - Parameter start: The position of its first node when the client connected; nil if it is not known.
    func restored(pid: String, start: MessageID?) {
        let pid = Name(pid)
        change { state in
            // Its client may have disconnected again.
            guard state.sessions[pid] != nil else { return }
            state.sessions[pid]?.isMoved = true
            state.sessions[pid]?.start = start
            state.changed.insert(pid)
        }
    }

    // MARK: Writing

    /// - Returns: Whether everything is written.
    @discardableResult
    private func flush() async -> Bool {
        let (changed, obsolete) = state.withLock { $0.take(obsoleteLimit: Self.obsoleteLimit) }
        let owner = node.identity
        let size = max(1, node.configuration.maximumBatchMessages)
        var isComplete = true
        for pids in changed.chunks(of: size) {
            if !isLate, await write(pids, of: owner) { continue }
            isComplete = false
            state.withLock { state in state.changed.formUnion(pids.map { Name($0) }.filter { state.sessions[$0] != nil }) }
        }
        for pids in obsolete.chunks(of: size) {
            if !isLate, await remove(pids) { continue }
            isComplete = false
            state.withLock { state in state.obsolete.formUnion(pids.map { Name($0) }.filter { state.sessions[$0] == nil }) }
        }
        return isComplete
    }

    private var isLate: Bool { state.withLock { $0.isLate } }

    private func write(_ pids: [String], of owner: NodeIdentity) async -> Bool {
        var refused: [String] = []
        var batches = SessionBatches(node.configuration, messageLimit: node.driver.messageLimit)
        for (pid, sessionState) in await local.snapshotSessions(pids) {
            guard let sessionState else {
                refused.append(pid)
                continue
            }
            let known = state.withLock { $0.sessions[Name(pid)] }
            let snapshot = SessionSnapshot(
                owner: owner,
                state: sessionState,
                start: known?.start,
                isMoved: known?.isMoved ?? true
            )
            guard let payload = try? ClusterPayloadCoder.encode(snapshot) else { continue }
            let session = StoredSession(namespace: namespace, pid: pid, payload: payload, isSnapshot: true)
            if !batches.add(session) { refused.append(pid) }
        }
        if !refused.isEmpty {
            log("sessions are too large for a snapshot", nil, count: refused.count)
            // An older snapshot would put their clients back into rooms that they have left.
            guard await remove(refused) else { return false }
        }
        do {
            for batch in batches.all { try await store.store(batch, of: owner, for: Self.lifetime) }
            return true
        } catch {
            log("snapshots of sessions could not be stored; retrying", error, count: pids.count)
            return false
        }
    }

    private func remove(_ pids: [String]) async -> Bool {
        do {
            try await store.remove(pids, in: namespace, of: node.id)
            return true
        } catch {
            log("snapshots of sessions could not be removed; retrying", error, count: pids.count)
            return false
        }
    }

    private func log(_ text: Logger.Message, _ error: (any Error)?, count: Int) {
        node.log.session(text, namespace: namespace, error: error, count: count)
    }
}

extension SnapshotKeeper.State {
    fileprivate mutating func apply(_ event: SessionEvent) {
        switch event {
        case .added(let pid, let position):
            let pid = Name(pid)
            let isNew = sessions[pid] == nil
            sessions[pid, default: .init()].sockets += 1
            if isNew { sessions[pid]?.start = position }
            ended.remove(pid)
            obsolete.remove(pid)
            changed.insert(pid)
        case .changed(let pid): if sessions[Name(pid)] != nil { changed.insert(Name(pid)) }
        case .removed(let pid):
            let pid = Name(pid)
            guard let left = sessions[pid].map({ $0.sockets - 1 }) else { break }
            sessions[pid]?.sockets = left
            if left <= 0 { ended.insert(pid) }
        }
    }

    /// Whether something is left to write; if not, the next change starts it.
    fileprivate mutating func goesOn() -> Bool {
        isRunning = !isClean && !isStopped && !Task.isCancelled
        return isRunning
    }

    /// What is to be written and removed now.
    fileprivate mutating func take(obsoleteLimit: Int) -> (changed: [String], obsolete: [String]) {
        for pid in ended where sessions[pid].map({ $0.sockets <= 0 }) ?? false {
            let session = sessions.removeValue(forKey: pid)
            changed.remove(pid)
            if session?.isStored ?? false, obsolete.count < obsoleteLimit { obsolete.insert(pid) }
        }
        for pid in changed { sessions[pid]?.isStored = true }
        defer {
            changed = []
            ended = []
            obsolete = []
        }
        return (changed.map(\.text), obsolete.map(\.text))
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
