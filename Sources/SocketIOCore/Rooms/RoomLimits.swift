// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// How many rooms there may be, and how long their names.
public struct RoomLimits: Sendable, Hashable {
    /// The rooms that one socket may be in, its own not counted; it is not put into further ones, which is reported. At least 1. Default 4 096:
    /// with names of the greatest length they take 6 MB, about as much as the other buffers of a connection may.
    public var perSocket: Int
    /// The bytes of UTF-8 that the name of a room may have. At least 1. Default 1 024.
    public var nameBytes: Int
    /// The rooms that one operation may name: those that it selects, leaves out, and adds or removes. The API throws if there are more, and
    /// a message of another node is not carried out, which is reported. At least 1. Default 10 000.
    public var perOperation: Int

    /// Creates limits.
    public init(perSocket: Int = 4_096, nameBytes: Int = 1_024, perOperation: Int = 10_000) {
        self.perSocket = perSocket
        self.nameBytes = nameBytes
        self.perOperation = perOperation
    }

    /// Whether an operation names more rooms than it may.
    package func areExceeded(by options: BroadcastOptions, adding rooms: [Room] = []) -> Bool {
        options.rooms.count + options.except.count + rooms.count > perOperation
    }
}

/// A limit of the rooms of one process was met.
package enum LocalLimit: Sendable {
    case rooms(RoomRefusal)
    /// A socket's description does not carry all of it.
    case description(of: SocketID, SocketDescription.Omissions)
    /// A session is not kept, or not taken over, because its data is too large.
    case session(of: SocketID, bytes: Int)
}

/// What was not done for sockets and rooms because of a limit.
package struct RoomRefusal: Sendable, Equatable {
    /// The limit.
    package enum Reason: Sendable {
        /// ``RoomLimits/perSocket``.
        case socketIsFull
        /// ``RoomLimits/nameBytes``.
        case nameTooLong
        /// ``RoomLimits/perOperation``.
        case operationTooLarge
        /// More changes of many sockets or rooms wait for their turn than are kept.
        case tooManyChanges
    }

    /// The limit.
    package var reason: Reason
    /// How often a socket was not put into a room; 1 for a whole operation.
    package var count: Int
    /// The first socket; nil for a whole operation.
    package var socket: SocketID?

    package init(reason: Reason, count: Int, socket: SocketID? = nil) {
        self.reason = reason
        self.count = count
        self.socket = socket
    }
}
