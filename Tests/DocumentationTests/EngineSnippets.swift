// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import EngineIOCore
import Logging
import NIOCore
import SocketIOCore

final class Echo: EngineServerDelegate {
    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate { EchoSession() }
}

final class EchoSession: EngineSessionDelegate {
    func session(_ session: EngineSession, didReceiveText message: ByteBuffer) {
        session.send(EncodedPacket(message: message, isBinary: false))
    }
    func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) {
        session.send(EncodedPacket(message: message, isBinary: true))
    }
    func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) {}
}

enum EngineSnippets {
    static func serving() async throws {
        let engine = EngineServer(delegate: Echo(), logger: Logger(label: "engine"))
        let server = try await EngineHTTPServer.start(EngineHTTPServerConfiguration(port: 3000), engine: engine)
        await server.waitUntilClosed()
    }

    static func behindProxies() throws -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.trustedProxies = try TrustedProxies(["10.0.0.0/24", "fd00::/8"])
        return configuration
    }

    static func webSocketOnly() -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.transports = [.websocket]  // and { transports: ["websocket"] } in the client
        return configuration
    }
}
