// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// Operations on all sockets of the main namespace, `/`: an ``EmitterOperator`` without a selection.
extension SocketIOEmitter {
    private var all: EmitterOperator { of("/") }

    /// The sockets in these rooms; see ``EmitterOperator/to(_:)-(Room...)``.
    public func to(_ rooms: Room...) -> EmitterOperator { all.to(rooms) }
    /// The sockets in these rooms; see ``EmitterOperator/to(_:)-([Room])``.
    public func to(_ rooms: [Room]) -> EmitterOperator { all.to(rooms) }
    /// The same as ``to(_:)-(Room...)``.
    public func `in`(_ rooms: Room...) -> EmitterOperator { all.to(rooms) }
    /// The same as ``to(_:)-([Room])``.
    public func `in`(_ rooms: [Room]) -> EmitterOperator { all.to(rooms) }
    /// All sockets but those in these rooms.
    public func except(_ rooms: Room...) -> EmitterOperator { all.except(rooms) }
    /// All sockets but those in these rooms.
    public func except(_ rooms: [Room]) -> EmitterOperator { all.except(rooms) }
    /// The event may be dropped for clients that are not ready to receive.
    public var volatile: EmitterOperator { all.volatile }
    /// Whether transports may compress the event.
    public func compress(_ compress: Bool) -> EmitterOperator { all.compress(compress) }

    /// Sends an event to all clients; see ``EmitterOperator/emit(_:_:)``.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await all.emit(event, repeat each arguments)
    }

    /// Makes all sockets join rooms; see ``EmitterOperator/socketsJoin(_:)-(Room...)``.
    public func socketsJoin(_ rooms: Room...) async throws { try await all.socketsJoin(rooms) }
    /// Makes all sockets leave rooms; see ``EmitterOperator/socketsLeave(_:)-(Room...)``.
    public func socketsLeave(_ rooms: Room...) async throws { try await all.socketsLeave(rooms) }
    /// Disconnects all sockets; see ``EmitterOperator/disconnectSockets(close:)``.
    public func disconnectSockets(close: Bool = false) async throws { try await all.disconnectSockets(close: close) }

    /// Sends an event to the servers themselves; see ``EmitterOperator/serverSideEmit(_:_:)``.
    public func serverSideEmit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await all.serverSideEmit(event, repeat each arguments)
    }
}
