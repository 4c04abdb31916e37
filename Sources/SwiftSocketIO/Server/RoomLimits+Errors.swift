// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore

extension RoomLimits {
    /// Throws if an operation of the application exceeds the limits.
    func check(_ options: BroadcastOptions, adding rooms: [Room] = []) throws(SocketIOError) {
        guard !areExceeded(by: options, adding: rooms) else { throw error(for: RoomRefusal(reason: .operationTooLarge, count: 1)) }
        guard options.rooms.allSatisfy(allow), options.except.allSatisfy(allow), rooms.allSatisfy(allow) else {
            throw error(for: RoomRefusal(reason: .nameTooLong, count: 1))
        }
    }

    /// The error that reports a refusal to the application.
    func error(for refusal: RoomRefusal) -> SocketIOError {
        let socket = refusal.socket.map { "socket \($0)" } ?? "a socket"
        return switch refusal.reason {
        case .socketIsFull:
            SocketIOError(
                .tooManyRooms,
                "\(socket) is in \(perSocket) rooms and did not join \(refusal.count) more; leave some before, or raise "
                    + "SocketIOConfiguration.limits.rooms.perSocket"
            )
        case .nameTooLong:
            SocketIOError(
                .invalidRoom,
                "the name of a room has more than \(nameBytes) bytes; use a shorter one, or raise SocketIOConfiguration.limits.rooms.nameBytes"
            )
        case .operationTooLarge:
            SocketIOError(
                .tooManyRooms,
                "an operation names more than \(perOperation) rooms; use several, or raise SocketIOConfiguration.limits.rooms.perOperation"
            )
        case .tooManyChanges:
            SocketIOError(
                .tooManyRooms,
                "too many sockets were to join or leave rooms at once, and some did not; use fewer sockets or rooms at a time"
            )
        }
    }
}
