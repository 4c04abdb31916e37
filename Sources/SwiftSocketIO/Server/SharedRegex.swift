// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A regular expression that several threads may use: `Regex` is not `Sendable`, so a lock protects it.
final class SharedRegex<Output>: @unchecked Sendable {  // The expression is only used under the lock.
    private let regex: Regex<Output>
    private let lock = Mutex<Void>(())

    init(_ regex: Regex<Output>) { self.regex = regex }

    func matchesWhole(_ text: String) -> Bool {
        lock.withLock { _ in
            guard let match = try? regex.wholeMatch(in: text) else { return false }
            return match.range == text.startIndex..<text.endIndex
        }
    }
}
