// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// Bounds of the rooms of sockets and operations.
public struct RoomLimits: Sendable, Hashable {
    /// The rooms that one socket may be in, without its own; it does not join further ones, which is reported. At least 1. Default 4 096: with
    /// the longest names they take 6 MB, about as much as the other buffers of a connection.
    public var perSocket: Int
    /// The size of the name of a room, in bytes of UTF-8. At least 1. Default 1 024.
    public var nameBytes: Int
    /// The rooms that one operation may name: those that it selects, excludes, adds and removes. With more, the API throws, and an operation of
    /// another node is not carried out, which is reported. At least 1. Default 10 000.
    public var perOperation: Int

    /// Creates limits.
    public init(perSocket: Int = 4_096, nameBytes: Int = 1_024, perOperation: Int = 10_000) {
        self.perSocket = perSocket
        self.nameBytes = nameBytes
        self.perOperation = perOperation
    }

    /// Whether a room may have this name.
    package func allow(_ name: Room) -> Bool { name.utf8.count <= nameBytes }

    /// Whether an operation names more rooms than allowed.
    package func areExceeded(by options: BroadcastOptions, adding rooms: [Room] = []) -> Bool {
        options.rooms.count + options.except.count + rooms.count > perOperation
    }
}

/// A limit of one process that was reached.
package enum LocalLimit: Sendable {
    case rooms(RoomRefusal)
    /// A socket's description is incomplete.
    case description(of: SocketID, SocketDescription.Omissions)
    /// A session is not kept, or not taken over, because its data is too large.
    case session(of: SocketID, bytes: Int)
}

/// An operation on rooms that a limit prevented.
package struct RoomRefusal: Sendable, Equatable {
    /// The limit.
    package enum Reason: Sendable {
        /// ``RoomLimits/perSocket``.
        case socketIsFull
        /// ``RoomLimits/nameBytes``.
        case nameTooLong
        /// ``RoomLimits/perOperation``.
        case operationTooLarge
        /// Too many changes of many sockets or rooms are queued.
        case tooManyChanges
    }

    /// The limit.
    package var reason: Reason
    /// How often a socket did not join a room; 1 for a whole operation.
    package var count: Int
    /// The first socket; nil for a whole operation.
    package var socket: SocketID?

    package init(reason: Reason, count: Int, socket: SocketID? = nil) {
        self.reason = reason
        self.count = count
        self.socket = socket
    }
}
