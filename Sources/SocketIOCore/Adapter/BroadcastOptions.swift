// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The name of a room: two names are the same if their UTF-8 bytes are, as in Node.js.
///
/// Sockets do not join a room whose name is longer than ``RoomLimits/nameBytes``.
public typealias Room = String

/// The id of a socket: unique in its cluster, and the name of the room that only this socket is in.
public typealias SocketID = String

/// Modifiers of a broadcast.
public struct BroadcastFlags: Sendable, Hashable {
    /// The event may be dropped for clients that are not ready to receive, and for other processes if too much waits to be sent to them.
    /// Default: false.
    public var volatile = false
    /// Whether the operation returns only when other processes are certain to carry it out, and throws if they may not. It has no effect
    /// on volatile events. Default: false.
    public var confirmed = false
    /// Only sockets of this process get the event. Default: false.
    public var local = false
    /// Whether servers may compress the event on its way to clients. This server does not. Default: true.
    public var compress = true
    /// How long to wait for acknowledgements, or for the answers of other nodes; nil for the default of the server.
    public var timeout: Duration?
    /// Whether one acknowledgement is expected in all, because the broadcast addresses a single socket. Default: false.
    public var expectSingleResponse = false

    /// No modifiers.
    public init() {}
}

/// Which sockets of a namespace an operation applies to, and how.
///
/// A socket is selected if it is in any of `rooms` (in every case if `rooms` is empty) and in none of `except`.
public struct BroadcastOptions: Sendable {
    /// Rooms whose members are selected; all sockets if empty.
    public var rooms: [Room]
    /// Rooms whose members are excluded.
    public var except: [Room]
    /// Modifiers of the operation.
    public var flags: BroadcastFlags
    /// The only node whose sockets are selected, if it is known, so that others are not asked; nil for all nodes. See
    /// ``SocketDescription/node``.
    public var node: String?
    /// The socket that sends, if one does. It is in `except` as well, but not every wire format can tell a socket from a room there.
    package var sender: SocketID?

    /// Creates a selection; with the defaults, all sockets of the namespace.
    public init(rooms: [Room] = [], except: [Room] = [], flags: BroadcastFlags = .init(), node: String? = nil) {
        self.rooms = rooms
        self.except = except
        self.flags = flags
        self.node = node
    }
}

extension BroadcastOptions: Hashable {
    /// Whether both select the same sockets in the same way; names are compared by their bytes of UTF-8.
    public static func == (left: BroadcastOptions, right: BroadcastOptions) -> Bool {
        left.flags == right.flags && left.node == right.node && left.sender == right.sender
            && left.rooms.elementsEqual(right.rooms) { $0 == $1 } && left.except.elementsEqual(right.except) { $0 == $1 }
    }

    /// Feeds the selection to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(flags)
        hasher.combine(node.map { Name($0) })
        hasher.combine(sender.map { Name($0) })
        for names in [rooms, except] {
            hasher.combine(names.count)
            for name in names { Bytewise.hash(name, into: &hasher) }
        }
    }
}
