// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOEmitter
import Synchronization

/// A backend whose outcomes are given; it then writes everything.
final class ScriptedDriver: Driver {
    private struct State {
        var outcomes: [BatchOutcome]
        var batches: [[ClusterMessage]] = []
        var isClosed = false
    }

    private let state: Mutex<State>
    let messageLimit = 1_000_000

    init(_ outcomes: [BatchOutcome] = []) { self.state = Mutex(State(outcomes: outcomes)) }

    var batches: [[ClusterMessage]] { state.withLock { $0.batches } }
    var messages: [ClusterMessage] { batches.flatMap { $0 } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func watch(as node: NodeID) async throws -> AsyncStream<DriverItem> { AsyncStream { nil } }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        state.withLock { state in
            state.batches.append(batch)
            return state.outcomes.isEmpty ? .written : state.outcomes.removeFirst()
        }
    }

    func close() async { state.withLock { $0.isClosed = true } }
}

struct Failure: Error {}

extension ClusterMessage {
    /// The text of a broadcast's packet.
    var text: String? {
        guard case .broadcast(let packet, _) = body else { return nil }
        return String(buffer: packet.encoded.message)
    }

    var selection: BroadcastOptions? {
        switch body {
        case .broadcast(_, let options), .addSockets(let options, _), .removeSockets(let options, _), .disconnectSockets(let options, _):
            options
        default: nil
        }
    }
}
