// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import DequeModule
import SocketIOCore
import SocketIOText

/// The ids of the documents that were read last, in formats without numbers: a stream that had to go back a little reads some again.
struct RecentDocuments {
    private let limit: Int
    private var ids: Set<MessageID> = []
    private var order: Deque<MessageID> = []

    /// - Parameter limit: How many are remembered. Default: 65 536, more than one answer of the server has.
    init(limit: Int = 1 << 16) { self.limit = limit }

    /// Notes a document.
    ///
    /// - Returns: Whether it is new.
    mutating func insert(_ id: MessageID) -> Bool {
        guard ids.insert(id).inserted else { return false }
        order.append(id)
        if order.count > limit, let oldest = order.popFirst() { ids.remove(oldest) }
        return true
    }
}
#endif
