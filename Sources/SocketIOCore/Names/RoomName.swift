/// What a room may be called.
package enum RoomName {
    /// Bytes of UTF-8.
    package static let limit = 1_024

    /// Whether sockets may be in a room of this name.
    package static func isAllowed(_ name: Room) -> Bool { name.utf8.count <= limit }

    /// Rooms that another node asks sockets to join.
    ///
    /// - Throws: ``ClusterError`` with `malformed` if sockets cannot be in one of them, so that the message is counted as such and skipped.
    package static func check(_ names: [Room]) throws -> [Room] {
        guard names.allSatisfy(isAllowed) else { throw ClusterError(.malformed, "the name of a room has more than \(limit) bytes") }
        return names
    }
}
