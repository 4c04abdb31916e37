// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOText

/// Opens sessions. Every handshake comes here, whether it was read by the HTTP pipeline or without.
extension EngineLoop {
    /// Opens a session on this loop for a handshake that may have one. The caller answers the handshake, then calls
    /// ``EngineSession/didOpen()``.
    ///
    /// It is called once for each handshake: `generateID` may have side effects.
    ///
    /// - Returns: The session, or why there is none.
    func openSession(_ handshake: EngineHandshake, over transport: EngineConfiguration.Transport) -> Result<EngineSession, EngineRefusal> {
        let id = context.generateID?(handshake) ?? RandomID.make()
        let session = EngineSession(id: id, handshake: handshake, loop: self, transport: transport == .polling ? .polling : .websocket)
        let sessionHandle = SessionHandle(home: handle, session: NIOLoopBound(session, eventLoop: eventLoop))
        switch context.registry.insert(sessionHandle, id: id, limit: context.sessionLimit) {
        case .inserted:
            context.metrics.sessionOpened(transport)
            if !context.proxies.isEmpty { context.noteHiddenClient(handshake) }
            context.logger.debug(
                "a session opened",
                metadata: [LogKey.transport: "\(transport.rawValue)", LogKey.address: "\(QuotedText(handshake.remoteAddress))"]
            )
            return .success(session)
        case .refused: return .failure(EngineRefusal(context.registry.isDraining ? .draining : .full))
        case .duplicate: return .failure(EngineRefusal(.idInUse))
        case .unfit: return .failure(EngineRefusal(.idUnfit))
        }
    }
}
