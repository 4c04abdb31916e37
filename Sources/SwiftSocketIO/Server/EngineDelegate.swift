// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import Logging
import NIOCore
import Synchronization

/// Passes new connections to the server, which it does not keep alive.
final class EngineDelegate: EngineServerDelegate {
    private let server = Mutex(WeakServer())

    private struct WeakServer {
        weak var server: SocketIOServer?
    }

    func attach(_ server: SocketIOServer) { self.server.withLock { $0.server = server } }

    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate {
        guard let server = server.withLock({ $0.server }) else { return Orphan() }
        guard server.owns(session.eventLoop) else {
            server.logger.error("a connection uses an event loop that is not the server's; mount the server on its eventLoopGroup")
            return Orphan()
        }
        return Client(session: session, server: server)
    }

    func engineServerShouldDrain() -> Bool {
        guard let server = server.withLock({ $0.server }) else { return false }
        server.beginClosing(over: server.configuration.drainDuration)
        return true
    }

    /// A connection of a server that was released while its transports were still mounted, or on an event loop of another server.
    private final class Orphan: EngineSessionDelegate {
        func session(_ session: EngineSession, didReceiveText message: ByteBuffer) { session.discard(.serverShuttingDown) }
        func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) { session.discard(.serverShuttingDown) }
        func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) {}
    }
}
