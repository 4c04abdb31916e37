// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gives each element to one of several tasks.
final class SharedIterator<Element: Sendable>: Sendable {
    private let elements: [Element]
    private let next = Atomic<Int>(0)

    init(_ elements: [Element]) { self.elements = elements }

    func callAsFunction() -> Element? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < elements.count ? elements[index] : nil
    }
}
