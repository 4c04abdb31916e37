// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// Faults between a server and the cluster in memory, which a test controls.
public final class ClusterFaults: Sendable {
    private struct State {
        /// Opens when the server is connected again.
        var barrier: Gate?
        var losesHistory = false
        var writeDelay: Duration = .zero
    }

    private let state = Mutex(State())
    /// What the server writes to the cluster, for this package's own tests.
    package let record = DriverRecord()

    init() {}

    /// Whether the server is disconnected from the cluster.
    public var isCutOff: Bool { state.withLock { $0.barrier != nil } }

    /// The additional time of each write of the server, on its clock. Default: zero.
    public var writeDelay: Duration {
        get { state.withLock { $0.writeDelay } }
        set { state.withLock { $0.writeDelay = newValue } }
    }

    /// Disconnects the server from the cluster, as if its connection to the database were broken: no messages arrive in either direction. The
    /// server continues to serve its clients; after the heartbeat timeout the others consider it dead.
    public func cutOff() { state.withLock { $0.barrier = $0.barrier ?? Gate() } }

    /// Ends ``cutOff()``: the server receives the messages that the others have sent in the meantime, and sends its own.
    ///
    /// - Parameter losingHistory: Whether the messages of the others are lost, as when the oplog is too short. The server then reports a gap.
    public func reconnect(losingHistory: Bool = false) {
        let barrier = state.withLock { state in
            defer { state.barrier = nil }
            state.losesHistory = state.losesHistory || (losingHistory && state.barrier != nil)
            return state.barrier
        }
        barrier?.open()
    }

    /// Returns when the server is connected to the cluster, or when the task is cancelled.
    fileprivate func passage() async {
        while !Task.isCancelled, let barrier = state.withLock({ $0.barrier }) { await barrier.wait() }
    }

    fileprivate var losesHistory: Bool { state.withLock { $0.losesHistory } }

    fileprivate func loseHistory() -> Bool {
        state.withLock { state in
            defer { state.losesHistory = false }
            return state.losesHistory
        }
    }
}

/// A driver in memory that encodes messages, as one over a network does, and fails on request.
struct FaultyDriver: Driver, SnapshotStore {
    let base: InMemoryDriver
    let faults: ClusterFaults
    let clock: ManualClock?

    var messageLimit: Int { base.messageLimit }

    func watch(as node: NodeID) async throws -> Items {
        await faults.passage()
        let isLost = faults.loseHistory()
        return Items(base: try await base.watch(as: node), faults: faults, isLost: isLost)
    }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        faults.record.note(batch)
        let delay = faults.writeDelay
        if delay > .zero { try? await sleep(for: delay) }
        return faults.isCutOff ? .notWritten(CutOff()) : await base.emit(batch)
    }

    private func sleep(for duration: Duration) async throws {
        if let clock { try await clock.sleep(for: duration) } else { try await Task.sleep(for: duration) }
    }

    var keepsSessions: Bool { true }

    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        guard !faults.isCutOff else { throw CutOff() }
        try await base.storeSessions(sessions, for: duration)
    }

    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? {
        guard !faults.isCutOff else { throw CutOff() }
        return try await base.takeSession(pid, in: namespace)
    }

    var snapshotStore: (any SnapshotStore)? { self }

    func store(_ sessions: [StoredSession], of owner: NodeIdentity, for duration: Duration) async throws {
        guard !faults.isCutOff else { throw CutOff() }
        try await base.store(sessions, of: owner, for: duration)
        faults.record.note(stored: sessions)
    }

    func remove(_ pids: [String], in namespace: String, of owner: NodeID) async throws {
        guard !faults.isCutOff else { throw CutOff() }
        try await base.remove(pids, in: namespace, of: owner)
        faults.record.note(removed: pids)
    }

    func take(_ pid: String, in namespace: String, sparing owners: Set<NodeIdentity>) async throws -> StoredSession? {
        guard !faults.isCutOff else { throw CutOff() }
        return try await base.take(pid, in: namespace, sparing: owners)
    }

    private struct CutOff: Error, CustomStringConvertible {
        var description: String { "the test has cut the server off" }
    }

    struct Items: AsyncSequence, Sendable {
        fileprivate let base: AsyncStream<DriverItem>
        fileprivate let faults: ClusterFaults
        fileprivate let isLost: Bool

        func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), faults: faults, isLost: isLost) }

        struct Iterator: AsyncIteratorProtocol {
            fileprivate var base: AsyncStream<DriverItem>.Iterator
            fileprivate let faults: ClusterFaults
            fileprivate let isLost: Bool

            mutating func next() async -> DriverItem? {
                guard let item = await base.next(isolation: #isolation) else { return nil }
                await faults.passage()
                // Ends this stream with everything that waits in it; the next one reports that.
                guard !faults.losesHistory else { return nil }
                switch item {
                case .opened(let lost): return .opened(lost: lost || isLost)
                case .message(let header, let payload): return Self.encoded(header, payload)
                case .own, .skipped, .untrusted: return item
                }
            }

            private static func encoded(_ header: ClusterHeader, _ payload: ClusterPayload) -> DriverItem {
                do { return .message(header, .encoded(try ClusterPayloadCoder.encode(try payload.body(for: header)))) } catch {
                    return .skipped("\(error)")
                }
            }
        }
    }
}
