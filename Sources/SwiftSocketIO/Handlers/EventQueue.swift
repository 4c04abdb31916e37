// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import SocketIOCore

/// The events of a socket that wait for their handlers.
struct EventQueue {
    enum Item {
        /// The handlers of the connection; always first.
        case connection
        case event(SocketEvent)
        /// An event that is only reported, since its arguments are nested more deeply than this.
        case discarded(event: String, nesting: Int)
    }

    private var items: Deque<Item> = []
    /// The size of the waiting events in bytes.
    private(set) var bytes = 0
    /// How many events have been taken from it.
    private(set) var taken: UInt64 = 0

    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }

    mutating func append(_ item: Item) {
        bytes += Self.size(item)
        items.append(item)
    }

    mutating func popFirst() -> Item? {
        guard let item = items.popFirst() else { return nil }
        bytes -= Self.size(item)
        taken &+= 1
        return item
    }

    static func size(_ item: Item) -> Int {
        switch item {
        case .connection: 0
        case .event(let event): event.arguments.byteCount + event.name.utf8.count
        case .discarded(let event, _): event.utf8.count
        }
    }
}
