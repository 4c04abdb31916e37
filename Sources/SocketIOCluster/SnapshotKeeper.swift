import Logging
import NIOCore
import SocketIOCore
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
        var sessions: [String: Session] = [:]
        var changed: Set<String> = []
        var ended: Set<String> = []
        /// Copies of sessions that have ended.
        var obsolete: Set<String> = []
        /// When all copies were written last.
        var renewed = ContinuousClock.now
        var isRunning = false
        var isClosed = false

        var isClean: Bool { changed.isEmpty && ended.isEmpty && obsolete.isEmpty }
    }

    /// How long changes are gathered.
    private static let gathering = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)
    /// Copies that are not renewed are deleted after that.
    private static let lifetime = Duration.seconds(24 * 3_600)
    /// Copies that wait to be removed; what is beyond that is deleted in the end.
    private static let obsoleteLimit = 100_000

    private let node: ClusterNode
    private let store: any SnapshotStore
    private let namespace: String
    private let local: CoreLocalAdapter
    private let state = Mutex(State())
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

    /// Writes what has changed, and ends.
    func close() async {
        state.withLock { $0.isClosed = true }
        let limit = ContinuousClock.now + node.configuration.writeDeadline
        // What was raised before counts once.
        while state.withLock({ $0.isRunning }), ContinuousClock.now < limit { await end.wait(atMost: limit - .now) }
        await flush()
    }

    /// Writes until nothing is left to write.
    private func run() async {
        var failures = 0
        repeat {
            try? await node.sleep(for: min(Self.longestPause, Self.gathering * (1 << min(failures, 10))))
            failures = await flush() ? 0 : failures + 1
        } while state.withLock { $0.goesOn() }
        end.raise()
    }

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
            guard !state.isRunning, !state.isClosed, !state.isClean else { return false }
            state.isRunning = true
            return true
        }
        guard starts, !node.keepers.add({ [weak self] in await self?.run() }) else { return }
        // The next change tries again.
        state.withLock { $0.isRunning = false }
    }

    /// A session comes from another node.
    ///
    /// - Parameter start: How far its first node had come when the client connected; nil if that is not known.
    func willAdopt(pid: String, start: MessageID?) {
        change { state in
            state.sessions[pid, default: Session()].isMoved = true
            state.sessions[pid]?.start = start
            // Nothing is left of it if the client has gone again.
            state.ended.insert(pid)
        }
    }

    // MARK: Writing

    /// - Returns: Whether everything is written.
    @discardableResult
    private func flush() async -> Bool {
        let (changed, obsolete) = state.withLock { $0.take(obsoleteLimit: Self.obsoleteLimit) }
        let owner = node.identity
        let size = max(1, node.configuration.batchMessages)
        var isComplete = true
        for pids in changed.chunks(of: size) where !(await write(pids, of: owner)) {
            isComplete = false
            state.withLock { state in state.changed.formUnion(pids.filter { state.sessions[$0] != nil }) }
        }
        for pids in obsolete.chunks(of: size) where !(await remove(pids)) {
            isComplete = false
            state.withLock { state in state.obsolete.formUnion(pids.filter { state.sessions[$0] == nil }) }
        }
        return isComplete
    }

    private func write(_ pids: [String], of owner: NodeIdentity) async -> Bool {
        var batches = SessionBatches(node.configuration, messageLimit: node.driver.messageLimit)
        for copy in await local.copySessions(pids) {
            let known = state.withLock { $0.sessions[copy.pid] }
            let snapshot = SessionSnapshot(
                owner: owner,
                id: copy.id,
                rooms: copy.rooms,
                data: copy.data,
                start: known?.start,
                isMoved: known?.isMoved ?? true
            )
            guard let payload = try? ClusterPayloadCoder.encode(snapshot) else { continue }
            batches.add(StoredSession(namespace: namespace, pid: copy.pid, payload: payload, isSnapshot: true))
        }
        if batches.refused > 0 { log("sessions are too large to be kept", nil, count: batches.refused) }
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
        var metadata: Logger.Metadata = ["nsp": "\(namespace)", "count": "\(count)"]
        if let error { metadata["error"] = "\(error)" }
        node.options.logger.warning(text, metadata: metadata)
    }
}

extension SnapshotKeeper.State {
    fileprivate mutating func apply(_ event: SessionEvent) {
        switch event {
        case .added(let pid, let position):
            let isNew = sessions[pid] == nil
            sessions[pid, default: .init()].sockets += 1
            if isNew { sessions[pid]?.start = position }
            ended.remove(pid)
            obsolete.remove(pid)
            changed.insert(pid)
        case .changed(let pid): if sessions[pid] != nil { changed.insert(pid) }
        case .removed(let pid):
            guard let left = sessions[pid].map({ $0.sockets - 1 }) else { break }
            sessions[pid]?.sockets = left
            if left <= 0 { ended.insert(pid) }
        }
    }

    /// Whether something is left to write; if not, the next change starts it.
    fileprivate mutating func goesOn() -> Bool {
        isRunning = !isClean && !isClosed && !Task.isCancelled
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
        return (Array(changed), Array(obsolete))
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
