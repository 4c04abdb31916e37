// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// Operations on all sockets of the main namespace, `/`: an ``EmitterOperator`` without a selection.
extension SocketIOEmitter: BroadcastModifying {
    private var all: EmitterOperator { of("/") }

    /// Returns a selection of the main namespace's sockets, with changed options.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> EmitterOperator { all.selecting(change) }

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
