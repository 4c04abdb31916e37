// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How much memory connection state recovery may take in one process, shared by all sessions of all namespaces.
///
/// A packet counts once as long as anybody keeps it, however many sessions do; each session's reference to it counts besides.
package final class RecoveryBudget: Sendable {
    /// Something that counts until it is released.
    package final class Charge: Sendable {
        private let budget: RecoveryBudget
        private let bytes: Int

        fileprivate init(_ budget: RecoveryBudget, bytes: Int) {
            self.budget = budget
            self.bytes = bytes
            budget.count.wrappingAdd(bytes, ordering: .relaxed)
        }

        deinit { budget.count.wrappingSubtract(bytes, ordering: .relaxed) }
    }

    private let limit: Int
    private let count = Atomic<Int>(0)

    /// Creates a budget of so many bytes.
    package init(bytes: Int) { self.limit = bytes }

    /// The bytes that count now.
    package var used: Int { count.load(ordering: .relaxed) }

    /// Whether sessions must let go of what they keep.
    var isExceeded: Bool { used > limit }

    /// Counts bytes until the charge is released.
    package func charge(_ bytes: Int) -> Charge { Charge(self, bytes: bytes) }
}
