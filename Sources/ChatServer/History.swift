/// The last messages of each room, in memory.
actor History {
    private static let roomLimit = 64
    private static let messageLimit = 100

    /// The least recently used first.
    private var rooms: [(name: String, messages: [Message])]

    init(rooms names: [String]) {
        rooms = names.map { ($0, []) }
    }

    var names: [String] { rooms.map(\.name).sorted() }

    func messages(in room: String) -> [Message] {
        rooms.first { $0.name == room }?.messages ?? []
    }

    /// Returns whether the room is new. Beyond the limit, the room that was used least recently is forgotten.
    func open(_ room: String) -> Bool {
        let index = rooms.firstIndex { $0.name == room }
        rooms.append(index.map { rooms.remove(at: $0) } ?? (room, []))
        if rooms.count > Self.roomLimit { rooms.removeFirst() }
        return index == nil
    }

    /// Keeps a message. If the room has it already, because its author sent it again, returns the one that was kept.
    func add(_ message: Message, to room: String) -> Message? {
        _ = open(room)
        let last = rooms.count - 1
        if let known = rooms[last].messages.last(where: { $0.id == message.id }) { return known }
        rooms[last].messages.append(message)
        if rooms[last].messages.count > Self.messageLimit { rooms[last].messages.removeFirst() }
        return nil
    }
}
