// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import SocketIOCluster
import SocketIOCore
import SocketIOText
import Synchronization

/// What a server has written to its cluster since ``start()``: the headers of its messages, and its snapshots.
package final class DriverRecord: Sendable {
    private struct State {
        var isOn = false
        var headers: [ClusterHeader] = []
        var snapshots: [Name: SessionSnapshot] = [:]
    }

    private let state = Mutex(State())

    init() {}

    /// Starts recording, which takes memory for every message.
    package func start() { state.withLock { $0.isOn = true } }

    /// The messages of a kind, including those that a fault kept from being written.
    package func written(_ kind: ClusterMessageKind) -> [ClusterHeader] { state.withLock { $0.headers.filter { $0.kind == kind } } }

    /// Whether no snapshot is stored.
    package var hasNoSnapshots: Bool { state.withLock { $0.snapshots.isEmpty } }

    /// The snapshot that is stored for a session.
    package func snapshot(_ pid: String) -> SessionSnapshot? { state.withLock { $0.snapshots[Name(pid)] } }

    func note(_ batch: [ClusterMessage]) { state.withLock { if $0.isOn { $0.headers += batch.map(\.header) } } }

    func note(stored sessions: [StoredSession]) {
        state.withLock { state in
            guard state.isOn else { return }
            for session in sessions { state.snapshots[Name(session.pid)] = try? ClusterPayloadCoder.decodeSnapshot(session.payload) }
        }
    }

    func note(removed pids: [String]) { state.withLock { state in for pid in pids { state.snapshots[Name(pid)] = nil } } }
}
