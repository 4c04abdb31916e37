// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Anything that a broadcast can start from: a server, a namespace, a socket, or sockets that are selected already.
///
/// The methods take rooms one by one or as an array, and return a selection that can be narrowed further.
public protocol BroadcastSelecting: Sendable {
    /// The selected sockets, with modifiers for what is done with them.
    associatedtype Selection: Sendable

    /// Returns a selection whose options have been changed; the other methods of this protocol call it.
    func selecting(_ change: (inout BroadcastOptions) -> Void) -> Selection
}

// Inlinable, so that a selection costs no generic call in another module.
extension BroadcastSelecting {
    /// Selects the sockets in these rooms. Repeated calls add rooms; a socket in several of them is selected once.
    @inlinable public func to(_ rooms: Room...) -> Selection { to(rooms) }
    /// Selects the sockets in these rooms. Repeated calls add rooms; a socket in several of them is selected once.
    @inlinable public func to(_ rooms: [Room]) -> Selection { selecting { $0.rooms += rooms } }
    /// The same as `to`.
    @inlinable public func `in`(_ rooms: Room...) -> Selection { to(rooms) }
    /// The same as `to`.
    @inlinable public func `in`(_ rooms: [Room]) -> Selection { to(rooms) }
    /// Leaves out the sockets in these rooms. Repeated calls add rooms.
    @inlinable public func except(_ rooms: Room...) -> Selection { except(rooms) }
    /// Leaves out the sockets in these rooms. Repeated calls add rooms.
    @inlinable public func except(_ rooms: [Room]) -> Selection { selecting { $0.except += rooms } }
}

/// A selection whose events can be modified, and whatever such a selection starts from.
public protocol BroadcastModifying: BroadcastSelecting {}

extension BroadcastModifying {
    /// The event may be dropped: for clients that are not ready to receive, and for other processes if too much waits to be sent to them.
    /// Emitting it never waits.
    @inlinable public var volatile: Selection { selecting { $0.flags.volatile = true } }
    /// Whether servers may compress the event on its way to clients. Default: they may.
    ///
    /// This server sends messages uncompressed whatever the value. In a cluster the Node.js servers respect it.
    @inlinable public func compress(_ compress: Bool) -> Selection { selecting { $0.flags.compress = compress } }
}
