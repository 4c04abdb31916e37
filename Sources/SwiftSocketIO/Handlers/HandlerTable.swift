// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText

/// Whether the next event of a socket waits for a handler.
public enum HandlerMode: Sendable, Hashable {
    /// The socket's next event is handled when this handler has returned. The default.
    case serial
    /// The handler starts in order, and the next event does not wait for it. The events of running handlers count towards
    /// ``SocketIOConfiguration/Limits/eventQueue``: at the limit, reading from the client resumes when half of them have returned.
    case concurrent
}

/// The code of a handler. It returns the acknowledgement, or nil if the handler sends it otherwise.
enum HandlerBody: Sendable {
    case sync(@Sendable (SocketEvent) throws -> Ack?)
    case async(@Sendable (SocketEvent) async throws -> Ack?)
}

/// Identifies a handler, so that it can be removed.
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
        // Every socket has a table: spare capacity would be most of the memory of an idle one.
        if handlers.count == handlers.capacity { handlers.reserveCapacity(handlers.count + 3) }
        handlers.append(handler)
    }

    mutating func remove(_ id: HandlerID) {
        handlers.removeAll { $0.id == id }
        any.removeAll { $0.id == id }
        anyOutgoing.removeAll { $0.id == id }
    }

    mutating func removeAll(named name: String) { handlers.removeAll { $0.name == name } }

    /// The only handler for a name; nil if there are several, or listeners or middleware that run first.
    func loneHandler(named name: String) -> Handler? {
        guard any.isEmpty, middleware.isEmpty else { return nil }
        let count = name.utf8.count
        var found: Handler?
        // Most names differ in length, which is cheaper to compare.
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
