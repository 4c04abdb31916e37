// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// A change of a session that can be recovered.
package enum SessionEvent: Sendable, Hashable {
    /// It has begun or has arrived from elsewhere, when its loop was at this position in the messages for the whole cluster.
    case added(pid: String, position: MessageID?)
    /// Its rooms or data have changed.
    case changed(pid: String)
    /// It has ended or has moved elsewhere.
    case removed(pid: String)
}

/// A change of a room in one process.
public enum RoomEvent: Sendable, Hashable {
    /// The room's first socket is about to join.
    case create(room: Room)
    /// The room's last socket has left.
    case delete(room: Room)
    /// A socket has joined.
    case join(room: Room, socket: SocketID)
    /// A socket has left.
    case leave(room: Room, socket: SocketID)
}

// Whether two changes are equal is decided by the operators of SocketIOText; hashing has to be written by hand.

extension SessionEvent {
    package func hash(into hasher: inout Hasher) {
        switch self {
        case .added(let pid, let position):
            hasher.combine(Name(pid))
            hasher.combine(position)
        case .changed(let pid), .removed(let pid): hasher.combine(Name(pid))
        }
    }
}

extension RoomEvent {
    /// Feeds the change to a hasher.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .create(let room), .delete(let room): hasher.combine(Name(room))
        case .join(let room, let socket), .leave(let room, let socket):
            hasher.combine(Name(room))
            hasher.combine(Name(socket))
        }
    }
}
