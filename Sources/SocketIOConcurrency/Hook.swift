// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A function that can be replaced while it is used.
///
/// The function is in a struct: reading a function that is itself the value of a mutex wraps it and stores the result, so that after many
/// reads a call exhausts the stack.
package final class Hook<Argument>: Sendable {
    private struct Function: Sendable {
        let body: @Sendable (Argument) -> Void
    }

    private let function = Mutex<Function?>(nil)

    package init() {}

    /// Replaces the function.
    package func set(_ body: @escaping @Sendable (Argument) -> Void) { function.withLock { $0 = Function(body: body) } }

    /// Calls the function.
    ///
    /// - Returns: Whether there is one.
    package func call(_ argument: @autoclosure () -> Argument) -> Bool {
        guard let function = function.withLock({ $0 }) else { return false }
        function.body(argument())
        return true
    }
}
