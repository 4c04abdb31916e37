// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText

/// The adapter of a namespace that cannot be used, because its name is invalid or the server is closed. All operations throw the reason.
final class RefusingAdapter: Adapter {
    let local: CoreLocalAdapter
    private let error: SocketIOError

    init(local: CoreLocalAdapter, error: SocketIOError) {
        self.local = local
        self.error = error
    }

    func start() async throws { throw error }
    func serverCount() async throws -> Int { throw error }
    func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws { throw error }
    func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements { throw error }
    func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws { throw error }
    func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws { throw error }
    func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws { throw error }
    func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription] { throw error }
    func rooms(_ options: BroadcastOptions) async throws -> NameSet { throw error }
    func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws { throw error }
    func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments] { throw error }
    func parkSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool { false }
    func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool { false }
}
