// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText
import Synchronization

/// The children of dynamic namespaces that exist because one client asked for them. They outlive the client, and keep only this object of it.
final class ChildAllowance: Sendable {
    let limit: Int
    private let children = Mutex<Set<Name>>([])

    init(limit: Int) { self.limit = limit }

    var isUsedUp: Bool { children.withLock { $0.count >= limit } }

    var names: Set<Name> { children.withLock { $0 } }

    func add(_ name: Name) { children.withLock { _ = $0.insert(name) } }

    func remove(_ name: Name) { children.withLock { _ = $0.remove(name) } }
}
