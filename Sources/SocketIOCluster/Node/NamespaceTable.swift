// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText
import Synchronization

/// The adapters of a node's namespaces.
final class NamespaceTable: Sendable {
    private let adapters = Mutex<[Name: ClusterAdapter]>([:])

    /// Adds an adapter, in one step with something else.
    func add<Value: Sendable>(_ adapter: ClusterAdapter, with body: () -> Value) -> Value {
        adapters.withLock { adapters in
            adapters[Name(adapter.namespace)] = adapter
            return body()
        }
    }

    /// Removes an adapter, in one step with something else; does nothing if another one has replaced it.
    func remove(_ adapter: ClusterAdapter, with body: () -> Void) {
        adapters.withLock { adapters in
            guard adapters[Name(adapter.namespace)] === adapter else { return }
            adapters[Name(adapter.namespace)] = nil
            body()
        }
    }

    subscript(_ namespace: String) -> ClusterAdapter? { adapters.withLock { $0[Name(namespace)] } }

    /// Those that move the sessions of the namespaces; namespaces without recovery have none.
    var movers: [SessionMover] { adapters.withLock { $0.values.compactMap(\.mover) } }

    /// Hands an event of the cluster to recovery.
    func happened(_ event: ClusterEvent) { for mover in movers { mover.happened(event) } }
}
