// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// A message bus inside one process, for tests and for several servers in one process. It loses no messages, and keeps nothing when the
/// process ends.
///
/// ```swift
/// let cluster = InMemoryCluster()
/// let first = SocketIOServer(adapter: ClusterNode(driver: cluster.makeDriver()))
/// let second = SocketIOServer(adapter: ClusterNode(driver: cluster.makeDriver()))
/// ```
public final class InMemoryCluster: Sendable {
    private struct Watcher {
        var node: NodeID
        var inbox: Inbox
    }

    private struct State {
        var watchers: [UInt64: Watcher] = [:]
        var lastID: UInt64 = 0
        /// Nodes whose stream was ended because they did not keep up.
        var behind: Set<Name> = []
        var sessions: [SessionKey: Entry] = [:]
    }

    private struct Entry {
        var session: StoredSession
        /// The node that still has it.
        var owner: NodeIdentity?
        var until: ContinuousClock.Instant
    }

    private struct SessionKey: Hashable {
        var namespace: Name
        var pid: Name

        init(namespace: String, pid: String) {
            self.namespace = Name(namespace)
            self.pid = Name(pid)
        }
    }

    /// Sessions beyond this number are not stored.
    private static let sessionLimit = 100_000

    private let state = Mutex(State())
    private let bufferLimit: Int

    /// Creates a bus without nodes.
    ///
    /// - Parameter bufferLimit: The maximum number of unread messages of a node. Beyond it the node's stream ends, and the next one reports
    ///   that messages were lost. Default: 100 000.
    public init(bufferLimit: Int = 100_000) { self.bufferLimit = bufferLimit }

    /// Makes the driver of one node.
    public func makeDriver() -> InMemoryDriver { InMemoryDriver(cluster: self) }

    func watch(as node: NodeID) -> AsyncStream<DriverItem> {
        let inbox = Inbox(limit: bufferLimit)
        let id = state.withLock { state in
            state.lastID += 1
            _ = inbox.put([.opened(lost: state.behind.remove(Name(node)) != nil)])
            state.watchers[state.lastID] = Watcher(node: node, inbox: inbox)
            return state.lastID
        }
        let subscription = Subscription { [weak self] in self?.remove(id) }
        return AsyncStream {
            // The stream lets go of it at its end.
            _ = subscription
            return await inbox.next()
        }
    }

    private func remove(_ id: UInt64) { state.withLock { $0.watchers[id] = nil } }

    func emit(_ batch: [ClusterMessage]) {
        let woken = state.withLock { state in
            let all = state.watchers.values.map(\.inbox)
            for (id, watcher) in state.watchers where !watcher.inbox.put(Self.items(of: batch, for: watcher.node)) {
                state.watchers[id] = nil
                state.behind.insert(Name(watcher.node))
            }
            return all
        }
        // Not under the lock: what a cancelled reader does takes it.
        for inbox in woken { inbox.wake() }
    }

    private static func items(of batch: [ClusterMessage], for node: NodeID) -> [DriverItem] {
        batch.compactMap { message in
            let header = message.header
            if header.origin.id == node { return .own(header.id, origin: header.origin) }
            return header.target == nil || header.target == node ? .message(header, .decoded(message.body)) : nil
        }
    }

    // MARK: Sessions

    func store(_ sessions: [StoredSession], of owner: NodeIdentity?, for duration: Duration) throws {
        let now = ContinuousClock.now
        try state.withLock { state in
            state.sessions = state.sessions.filter { $0.value.until > now }
            guard state.sessions.count + sessions.count <= Self.sessionLimit else {
                throw ClusterError(.notSent, "\(Self.sessionLimit) sessions are stored already")
            }
            for session in sessions {
                let key = SessionKey(namespace: session.namespace, pid: session.pid)
                state.sessions[key] = Entry(session: session, owner: owner, until: now + duration)
            }
        }
    }

    func remove(_ pids: [String], in namespace: String, of owner: NodeID) {
        state.withLock { state in
            for key in pids.map({ SessionKey(namespace: namespace, pid: $0) }) where state.sessions[key]?.owner?.id == owner {
                state.sessions[key] = nil
            }
        }
    }

    /// - Parameter owners: Nodes whose snapshots are left alone; nil means all nodes.
    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>?) -> StoredSession? {
        let key = SessionKey(namespace: namespace, pid: pid)
        return state.withLock { state in
            guard let entry = state.sessions[key] else { return nil }
            if let owner = entry.owner, owners?.contains(owner) ?? true { return nil }
            state.sessions[key] = nil
            return entry.until > .now ? entry.session : nil
        }
    }
}

/// The unread items of a node, for one reader. It is closed when there are too many.
private final class Inbox: Sendable {
    private struct State {
        var items: Deque<DriverItem> = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let signal = Signal()
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// - Returns: Whether there was room; ``wake()`` must follow.
    func put(_ items: [DriverItem]) -> Bool {
        state.withLock { state in
            state.isClosed = state.isClosed || state.items.count + items.count > limit
            if !state.isClosed { state.items.append(contentsOf: items) }
            return !state.isClosed
        }
    }

    func wake() { signal.raise() }

    /// The next item; nil when the reader is cancelled, or has read all items of a closed inbox.
    func next() async -> DriverItem? {
        while !Task.isCancelled {
            let (item, isClosed) = state.withLock { ($0.items.popFirst(), $0.isClosed) }
            if item != nil || isClosed { return item }
            await signal.wait()
        }
        return nil
    }
}

/// Calls a function when it is released.
private final class Subscription: Sendable {
    private let onEnd: @Sendable () -> Void

    init(onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

    deinit { onEnd() }
}

/// The driver of one node on an ``InMemoryCluster``.
public struct InMemoryDriver: Driver, SnapshotStore {
    private let cluster: InMemoryCluster

    init(cluster: InMemoryCluster) { self.cluster = cluster }

    /// 16 MB, as with MongoDB, so that what works here works there.
    public var messageLimit: Int { 16_000_000 }

    /// Opens the stream.
    public func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { cluster.watch(as: node) }

    /// Delivers the batch to all nodes.
    public func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        cluster.emit(batch)
        return .written
    }

    /// Sessions are kept as long as the bus exists.
    public var keepsSessions: Bool { true }

    /// Stores sessions on the bus.
    public func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try cluster.store(sessions, of: nil, for: duration)
    }

    /// Takes a session from the bus.
    public func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? {
        cluster.take(pid, in: namespace, sparing: nil)
    }

    /// The bus.
    public var snapshotStore: (any SnapshotStore)? { self }

    /// Stores snapshots on the bus.
    public func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws {
        try cluster.store(sessions, of: owner, for: duration)
    }

    /// Removes snapshots from the bus.
    public func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws {
        cluster.remove(pids, in: namespace, of: owner)
    }

    /// Takes a session from the bus.
    public func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession? {
        cluster.take(pid, in: namespace, sparing: owners)
    }
}
