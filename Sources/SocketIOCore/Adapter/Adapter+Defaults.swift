// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOText

/// Adapters that do not carry an operation leave it to this process.
extension Adapter {
    /// Does nothing.
    public func start() async throws {}
    /// Does nothing.
    public func close() async {}
    /// One: this process.
    public func serverCount() async throws -> Int { 1 }

    /// Serves this process only.
    public func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws {
        local.deliver(packet, to: options)
    }

    /// Serves this process only.
    public func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements {
        try await local.broadcastWithAck(packet, to: options)
    }

    /// Serves this process only.
    public func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws {
        try await local.addSockets(options, to: rooms)
    }

    /// Serves this process only.
    public func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws {
        try await local.removeSockets(options, from: rooms)
    }

    /// Serves this process only.
    public func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws {
        try await local.disconnectSockets(options, closeConnection: closeConnection)
    }

    /// Serves this process only.
    public func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription] {
        try await local.fetchSockets(options)
    }

    /// Serves this process only.
    public func rooms(_ options: BroadcastOptions) async throws -> NameSet { try await local.rooms(options) }

    /// Does nothing: there are no other processes.
    public func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments] { [] }

    /// Does nothing.
    public func emitted(_ packet: BroadcastPacket, to id: SocketID) {}

    /// The id alone.
    public func makeOffset(_ id: MessageID) -> String { id.description }

    /// The random characters alone.
    public func makeSessionID(_ random: String) -> String { random }

    /// Keeps the session in this process.
    public func parkSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool {
        local.parkSession(of: socket, session)
    }

    /// Looks in this process.
    public func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        await local.restoreSession(pid: pid, offset: offset, to: claimant)
    }
}
