import DequeModule
public import SocketIOCore
import Synchronization

/// A bus inside one process, for tests and for several servers in one process. Nothing is lost on it, and nothing outlives it.
///
/// ```swift
/// let cluster = InMemoryCluster()
/// let first = SocketIOServer(adapter: ClusterNode(driver: cluster.makeDriver()))
/// let second = SocketIOServer(adapter: ClusterNode(driver: cluster.makeDriver()))
/// ```
public final class InMemoryCluster: Sendable {
    struct Watcher {
        var node: NodeID
        var stream: AsyncStream<DriverItem>.Continuation
    }

    private struct State {
        var watchers: [UInt64: Watcher] = [:]
        var lastID: UInt64 = 0
        /// Nodes whose stream was ended because they did not keep up.
        var behind: Set<NodeID> = []
        var sessions: [SessionKey: (session: StoredSession, until: ContinuousClock.Instant)] = [:]
    }

    private struct SessionKey: Hashable {
        var namespace: String
        var pid: String
    }

    /// Sessions beyond this number are not stored.
    private static let sessionLimit = 100_000

    private let state = Mutex(State())
    private let bufferLimit: Int

    /// Creates a bus without nodes.
    ///
    /// - Parameter bufferLimit: The number of messages that a node may leave unread; beyond it the node's stream ends, and the next one
    ///   says that messages were lost. Default: 100 000.
    public init(bufferLimit: Int = 100_000) { self.bufferLimit = bufferLimit }

    /// Makes the driver of one node.
    public func makeDriver() -> InMemoryDriver { InMemoryDriver(cluster: self) }

    func watch(as node: NodeID) -> AsyncStream<DriverItem> {
        let (stream, continuation) = AsyncStream.makeStream(of: DriverItem.self, bufferingPolicy: .bufferingOldest(bufferLimit))
        state.withLock { state in
            state.lastID += 1
            let id = state.lastID
            continuation.yield(.opened(lost: state.behind.remove(node) != nil))
            state.watchers[id] = Watcher(node: node, stream: continuation)
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
        }
        return stream
    }

    private func remove(_ id: UInt64) {
        let watcher = state.withLock { $0.watchers.removeValue(forKey: id) }
        _ = watcher
    }

    func emit(_ batch: [ClusterMessage]) {
        let full = state.withLock { state in
            var full: [AsyncStream<DriverItem>.Continuation] = []
            for (id, watcher) in state.watchers where !Self.deliver(batch, to: watcher) {
                state.watchers[id] = nil
                state.behind.insert(watcher.node)
                full.append(watcher.stream)
            }
            return full
        }
        for stream in full { stream.finish() }
    }

    // MARK: Sessions

    func store(_ sessions: [StoredSession], for duration: Duration) throws {
        let now = ContinuousClock.now
        try state.withLock { state in
            state.sessions = state.sessions.filter { $0.value.until > now }
            guard state.sessions.count + sessions.count <= Self.sessionLimit else {
                throw ClusterError(.notSent, "\(Self.sessionLimit) sessions are stored already")
            }
            for session in sessions {
                state.sessions[SessionKey(namespace: session.namespace, pid: session.pid)] = (session, now + duration)
            }
        }
    }

    func take(_ pid: String, in namespace: String) -> StoredSession? {
        let entry = state.withLock { $0.sessions.removeValue(forKey: SessionKey(namespace: namespace, pid: pid)) }
        return entry.flatMap { $0.until > .now ? $0.session : nil }
    }

    private static func deliver(_ batch: [ClusterMessage], to watcher: Watcher) -> Bool {
        for message in batch {
            let header = message.header
            let item: DriverItem
            if header.origin.id == watcher.node {
                item = .own(header.id, origin: header.origin)
            } else if header.target == nil || header.target == watcher.node {
                item = .message(header, .decoded(message.body))
            } else {
                continue
            }
            if case .dropped = watcher.stream.yield(item) { return false }
        }
        return true
    }
}

/// The driver of one node on an ``InMemoryCluster``.
public struct InMemoryDriver: Driver {
    private let cluster: InMemoryCluster

    init(cluster: InMemoryCluster) { self.cluster = cluster }

    /// 16 MB, as with MongoDB, so that what works here works there.
    public var messageLimit: Int { 16_000_000 }

    /// Opens the stream.
    public func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { cluster.watch(as: node) }

    /// Hands the batch to all nodes.
    public func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        cluster.emit(batch)
        return .written
    }

    /// Sessions are kept as long as the bus exists.
    public var keepsSessions: Bool { true }

    /// Stores sessions on the bus.
    public func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try cluster.store(sessions, for: duration)
    }

    /// Takes a session from the bus.
    public func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? { cluster.take(pid, in: namespace) }
}
