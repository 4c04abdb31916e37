// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The last messages of each room, in memory. Every node has its own; the chat keeps them alike.
actor History {
    private static let roomLimit = 64
    private static let messageLimit = 100
    /// What a node that has just started is given of each room.
    private static let pastLimit = 20

    private struct Entry {
        var message: Message
        /// Whether it has been sent to all members. If not, its author will send it again.
        var isSent: Bool
    }

    /// The least recently used first.
    private var rooms: [(name: String, entries: [Entry])]

    init(rooms names: [String]) {
        rooms = names.map { ($0, []) }
    }

    var names: [String] { rooms.map(\.name).sorted() }

    var past: Past {
        Past(rooms: rooms.map { .init(name: $0.name, messages: $0.entries.filter(\.isSent).suffix(Self.pastLimit).map(\.message)) })
    }

    func messages(in room: String) -> [Message] {
        rooms.first { $0.name == room }?.entries.map(\.message) ?? []
    }

    /// Returns whether the room is new. Beyond the limit, the room that was used least recently is forgotten.
    func open(_ room: String) -> Bool {
        let index = rooms.firstIndex { $0.name == room }
        rooms.append(index.map { rooms.remove(at: $0) } ?? (room, []))
        if rooms.count > Self.roomLimit { rooms.removeFirst() }
        return index == nil
    }

    /// Keeps a message. If the room has it already, because its author sent it again, returns that one, and whether it has been sent.
    func keep(_ message: Message, in room: String, isSent: Bool = false) -> (message: Message, isSent: Bool) {
        _ = open(room)
        let last = rooms.count - 1
        if let index = rooms[last].entries.lastIndex(where: { $0.message.id == message.id }) {
            if isSent { rooms[last].entries[index].isSent = true }
            return (rooms[last].entries[index].message, rooms[last].entries[index].isSent)
        }
        rooms[last].entries.append(Entry(message: message, isSent: isSent))
        if rooms[last].entries.count > Self.messageLimit { rooms[last].entries.removeFirst() }
        return (message, isSent)
    }

    /// Takes over what another node knows.
    func add(_ past: Past) {
        for room in past.rooms {
            for message in room.messages { _ = keep(message, in: room.name, isSent: true) }
            _ = open(room.name)
        }
    }
}
