// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// Keeps copies of a namespace's sessions in the backend: what has changed is written a little later, many at a time.
final class SnapshotKeeper: Sendable {
    fileprivate struct Session {
        /// Two while it moves from one loop to another, none for a moment or when it has ended.
        var sockets = 0
        var start: MessageID?
        var isMoved = false
        /// Whether there may be a copy of it.
        var isStored = false
    }

    fileprivate struct State {
        var sessions: [Name: Session] = [:]
        var changed: Set<Name> = []
        var ended: Set<Name> = []
        /// Copies of sessions that have ended.
        var obsolete: Set<Name> = []
        /// When all copies were written last.
        var renewed = ContinuousClock.now
        var isRunning = false
        /// Until when it may write; set when it is stopped.
        var deadline: ContinuousClock.Instant?

        var isStopped: Bool { deadline != nil }
        var isLate: Bool { deadline.map { $0 <= .now } ?? false }
        var isClean: Bool { changed.isEmpty && ended.isEmpty && obsolete.isEmpty }
    }

    /// How long changes are gathered.
    private static let gathering = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)
    /// Copies that are not renewed are deleted after that.
    private static let lifetime = Duration.seconds(24 * 3_600)
    /// Copies that wait to be removed; those beyond that are there until their lifetime is over.
    private static let obsoleteLimit = 100_000

    private let node: ClusterNode
    private let store: any SnapshotStore
    private let namespace: String
    private let local: CoreLocalAdapter
    private let state = Mutex(State())
    private let stopping = Signal()
    private let end = Signal()

    /// nil if no copies are wanted.
    init?(node: ClusterNode, namespace: String, local: CoreLocalAdapter) {
        guard node.configuration.snapshotsSessions, local.recovers, let store = node.driver.snapshotStore else { return nil }
        self.node = node
        self.store = store
        self.namespace = namespace
        self.local = local
    }

    // MARK: Life

    func start() { local.observeSessions { [weak self] event in self?.change { $0.apply(event) } } }

    /// Writes no more. Returns when nothing is being written, or when the write deadline has passed.
    func stop() async {
        var time = node.configuration.writeTimeout
        if let end = node.beginClosingNamespace() { time = min(time, .nanoseconds(max(0, (end - .now()).nanoseconds))) }
        let limit = ContinuousClock.now + time
        state.withLock { $0.deadline = limit }
        stopping.raise()
        // What was raised before counts once.
        while state.withLock({ $0.isRunning }), ContinuousClock.now < limit { await end.wait(atMost: limit - .now) }
    }

    /// Removes what is left of sessions that have ended, within the write deadline of ``stop()``.
    func close() async {
        guard !state.withLock({ $0.isRunning || $0.isClean }) else { return }
        await flush()
    }

    /// Writes until nothing is left to write.
    private func run() async {
        var failures = 0
        repeat {
            await pause(for: min(Self.longestPause, Self.gathering * (1 << min(failures, 10))))
            failures = await flush() ? 0 : failures + 1
        } while state.withLock { $0.goesOn() }
        end.raise()
    }

    private func pause(for duration: Duration) async {
        await withTaskGroup { group in
            group.addTask { try? await self.node.sleep(for: duration) }
            group.addTask { await self.stopping.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Has all copies written again, because this node goes on as another.
    func renew() { change { $0.changed = Set($0.sessions.keys) } }

    /// Has all copies written again before they are deleted. Called from time to time.
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
        guard starts, !node.keepers.add({ [weak self] in await self?.run() }) else { return }
        // The next change tries again.
        state.withLock { $0.isRunning = false }
    }

    /// A session has come from another node. It is known already that it is here.
    ///
    /// - Parameter start: How far its first node had come when the client connected; nil if that is not known.
    func adopted(pid: String, start: MessageID?) {
        let pid = Name(pid)
        change { state in
            // Its client may have gone again.
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
        for copy in await local.copySessions(pids) {
            guard let data = copy.data else {
                refused.append(copy.pid)
                continue
            }
            let known = state.withLock { $0.sessions[Name(copy.pid)] }
            let snapshot = SessionSnapshot(
                owner: owner,
                id: copy.id,
                rooms: copy.rooms,
                data: data,
                start: known?.start,
                isMoved: known?.isMoved ?? true
            )
            guard let payload = try? ClusterPayloadCoder.encode(snapshot) else { continue }
            let session = StoredSession(namespace: namespace, pid: copy.pid, payload: payload, isSnapshot: true)
            if !batches.add(session) { refused.append(copy.pid) }
        }
        if !refused.isEmpty {
            log("sessions are too large to be kept", nil, count: refused.count)
            // An older copy would put their clients back into rooms that they have left.
            guard await remove(refused) else { return false }
        }
        do {
            for batch in batches.all { try await store.store(batch, of: owner, for: Self.lifetime) }
            return true
        } catch {
            log("copies of sessions could not be stored, and are tried again", error, count: pids.count)
            return false
        }
    }

    private func remove(_ pids: [String]) async -> Bool {
        do {
            try await store.remove(pids, in: namespace, of: node.id)
            return true
        } catch {
            log("copies of sessions could not be removed, and are tried again", error, count: pids.count)
            return false
        }
    }

    private func log(_ text: Logger.Message, _ error: (any Error)?, count: Int) {
        var metadata: Logger.Metadata = ["nsp": "\(QuotedText(namespace))", "count": "\(count)"]
        if let error { metadata["error"] = "\(QuotedText("\(error)", limit: 300))" }
        node.log.session(text, metadata)
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
