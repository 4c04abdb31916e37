// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText

/// How the handlers of one socket follow each other.
public enum HandlerMode: Sendable, Hashable {
    /// The socket's next event is handled when this handler has returned. The default.
    case serial
    /// The handler starts in order, and the next event does not wait for it. The events of running handlers count for
    /// ``SocketIOConfiguration/eventQueue``: at its limit the client is read again when half of them have returned.
    case concurrent
}

/// What a handler does with an event: it returns the acknowledgement, or nil to leave it to somebody else.
enum HandlerBody: Sendable {
    case sync(@Sendable (SocketEvent) throws -> Ack?)
    case async(@Sendable (SocketEvent) async throws -> Ack?)
}

/// Names a handler, so that it can be removed.
public struct HandlerID: Hashable, Sendable {
    let value: UInt64
}

struct Handler: Sendable {
    let name: String
    let body: HandlerBody
    /// The id, and in the lowest bits the mode and whether the handler runs once: every socket has its own handlers.
    private let packed: UInt64

    init(id: HandlerID, name: String, body: HandlerBody, mode: HandlerMode, isOnce: Bool) {
        self.name = name
        self.body = body
        self.packed = id.value << 2 | (mode == .concurrent ? 2 : 0) | (isOnce ? 1 : 0)
    }

    var id: HandlerID { HandlerID(value: packed >> 2) }
    var mode: HandlerMode { packed & 2 == 0 ? .serial : .concurrent }
    var isOnce: Bool { packed & 1 != 0 }
}

/// The handlers of a socket. Few sockets have more than a dozen, so a search beats a dictionary.
struct HandlerTable: Sendable {
    private(set) var handlers: [Handler] = []
    var any: [Handler] = []
    var anyOutgoing: [Handler] = []
    var middleware: [@Sendable (SocketEvent) async throws -> Void] = []

    mutating func add(_ handler: Handler) {
        // Every socket has a table, so room to spare would be the most of what an idle one needs.
        if handlers.count == handlers.capacity { handlers.reserveCapacity(handlers.count + 3) }
        handlers.append(handler)
    }

    mutating func remove(_ id: HandlerID) {
        handlers.removeAll { $0.id == id }
        any.removeAll { $0.id == id }
        anyOutgoing.removeAll { $0.id == id }
    }

    mutating func removeAll(named name: String) { handlers.removeAll { $0.name == name } }

    /// The only handler of a name that needs nothing else to run; nil if there are several, or listeners or middleware come first.
    func loneHandler(named name: String) -> Handler? {
        guard any.isEmpty, middleware.isEmpty else { return nil }
        let count = name.utf8.count
        var found: Handler?
        // Most names differ in length, which costs less to see.
        for handler in handlers where handler.name.utf8.count == count && handler.name == name {
            guard found == nil else { return nil }
            found = handler
        }
        return found
    }

    /// The handlers for an event, in the order of their registration; those that run once are removed.
    mutating func take(named name: String) -> [Handler] {
        let matching = handlers.filter { $0.name == name }
        if matching.contains(where: \.isOnce) { handlers.removeAll { $0.name == name && $0.isOnce } }
        return any + matching
    }

    /// The names that have handlers.
    var names: [String] { handlers.reduce(into: []) { if !$0.contains($1.name) { $0.append($1.name) } } }
}
