// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Waits for `work`, but not longer than `limit`. After the limit `work` is cancelled; it must return soon then.
package func withTimeLimit(_ limit: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
        group.addTask { await work() }
        group.addTask { try? await Task.sleep(for: limit) }
        await group.next()
        group.cancelAll()
    }
}
