// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOCore

/// The parts that both drivers share.
protocol MongoDriver: Driver {
    var connection: MongoConnection { get }
    /// Whether the stream has repeatedly lost its position in the last minute.
    var isUnstable: Bool { get }
}

extension MongoDriver {
    /// The maximum size of a message: that of a document, minus its header.
    var messageLimit: Int { connection.configuration.documentLimit - 1_024 }

    var messageCheck: (@Sendable (ClusterBody, String) -> ClusterError?)? {
        guard let format = connection.format as? any SelectiveWireFormat else { return nil }
        let limit = connection.configuration.documentLimit
        return { body, namespace in format.refusal(of: body, in: namespace, limit: limit) }
    }

    var backendHealth: ClusterHealth? { connection.mismatch != nil ? .mismatched : isUnstable ? .deaf : nil }

    func close() async { await connection.close() }

    var readingExecutor: (any TaskExecutor)? { connection.cursorExecutor }

    func writingExecutor(lane: Int) -> (any TaskExecutor)? { connection.makeCommandThread() }

    var keepsSessions: Bool { connection.format.traits.keepsSessions }

    var sessionExchange: (any SessionExchange)? {
        (connection.format as? NodeJSWireFormat).map { NodeJSSessions(connection: connection, format: $0) }
    }

    var snapshotStore: (any SnapshotStore)? {
        connection.format.traits.keepsSnapshots ? SessionStore(connection: connection) : nil
    }

    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        try await SessionStore(connection: connection).store(sessions, for: duration)
    }

    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? {
        try await SessionStore(connection: connection).take(pid, in: namespace)
    }
}
#endif
