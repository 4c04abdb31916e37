// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// What happens when a limit of rooms, descriptions or sessions is met.
extension SocketIOServer {
    /// Counts and reports what was not done.
    func limitReached(_ limit: LocalLimit, in namespace: String) {
        switch limit {
        case .rooms(let refusal):
            metrics.refusedRooms.increment(by: refusal.count)
            report(configuration.rooms.error(for: refusal), event: nil, socket: nil)
        case .session(let socket, let bytes):
            metrics.unkeptSessions.increment()
            sessionLog.log { suppressed in
                logger.warning(
                    "a session is not kept: its data is larger than SocketIOConfiguration.maxDescriptionSize",
                    metadata: [
                        "nsp": "\(QuotedText(namespace))", "sid": "\(QuotedText(socket))", "bytes": "\(bytes)",
                        "suppressed": "\(suppressed ?? 0)",
                    ]
                )
            }
        case .description(let socket, let omitted):
            metrics.cutDescriptions.increment()
            descriptionLog.log { suppressed in
                logger.warning(
                    "fetchSockets leaves out what is larger than SocketIOConfiguration.maxDescriptionSize",
                    metadata: [
                        "nsp": "\(QuotedText(namespace))", "sid": "\(QuotedText(socket))", "omitted": "\(omitted.names)",
                        "suppressed": "\(suppressed ?? 0)",
                    ]
                )
            }
        }
    }
}

extension SocketDescription.Omissions {
    fileprivate var names: String {
        [(Self.data, "data"), (.rooms, "rooms"), (.auth, "auth"), (.request, "request")].filter { contains($0.0) }.map { $0.1 }
            .joined(separator: ", ")
    }
}

extension RoomLimits {
    /// Checks what the application asks for.
    func check(_ options: BroadcastOptions, adding rooms: [Room] = []) throws(SocketIOError) {
        guard !areExceeded(by: options, adding: rooms) else { throw error(for: RoomRefusal(reason: .operationTooLarge, count: 1)) }
        guard isShort(options.rooms), isShort(options.except), isShort(rooms) else {
            throw error(for: RoomRefusal(reason: .nameTooLong, count: 1))
        }
    }

    private func isShort(_ names: [Room]) -> Bool { names.allSatisfy { $0.utf8.count <= nameBytes } }

    fileprivate func error(for refusal: RoomRefusal) -> SocketIOError {
        let socket = refusal.socket.map { "socket \($0)" } ?? "a socket"
        return switch refusal.reason {
        case .socketIsFull:
            SocketIOError(
                .tooManyRooms,
                "\(socket) is in \(perSocket) rooms and did not join \(refusal.count) more; leave some before, or raise "
                    + "SocketIOConfiguration.rooms.perSocket"
            )
        case .nameTooLong:
            SocketIOError(
                .invalidRoom,
                "the name of a room has more than \(nameBytes) bytes; use a shorter one, or raise SocketIOConfiguration.rooms.nameBytes"
            )
        case .operationTooLarge:
            SocketIOError(
                .tooManyRooms,
                "an operation names more than \(perOperation) rooms; use several, or raise SocketIOConfiguration.rooms.perOperation"
            )
        case .tooManyChanges:
            SocketIOError(
                .tooManyRooms,
                "sockets were to join or leave rooms faster than they can, and this was not done; do it for fewer sockets or rooms at a time"
            )
        }
    }
}
