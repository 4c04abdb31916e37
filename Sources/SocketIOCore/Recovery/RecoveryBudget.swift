// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The memory that connection state recovery may use in one process, shared by all sessions of all namespaces.
///
/// A packet counts once as long as any session keeps it, however many do. In addition, each session's reference to it counts.
package final class RecoveryBudget: Sendable {
    /// An amount that counts until it is released.
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

    /// Creates a budget of a number of bytes.
    package init(bytes: Int) { self.limit = bytes }

    /// The bytes that count now.
    package var used: Int { count.load(ordering: .relaxed) }

    /// Whether sessions must discard the packets that they keep.
    var isExceeded: Bool { used > limit }

    /// Counts bytes until the charge is released.
    package func charge(_ bytes: Int) -> Charge { Charge(self, bytes: bytes) }
}
