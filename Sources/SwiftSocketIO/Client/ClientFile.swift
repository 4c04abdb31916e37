// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import HTTPTypes
import SocketIOText
import Synchronization

/// The JavaScript client, served below the server's path once it has been read.
final class ClientFile: Sendable {
    private let source: String
    private let path: String
    private let file = Mutex<StaticFile?>(nil)

    /// nil if none is configured.
    init?(_ configuration: SocketIOConfiguration) {
        guard let source = configuration.serveClient else { return nil }
        self.source = source
        let base = configuration.engine.path
        self.path = (base.hasSuffix("/") ? base : base + "/") + "socket.io.js"
    }

    /// Reads the file.
    ///
    /// - Throws: ``SocketIOError`` with `invalidConfiguration` if it cannot be read.
    func load() async throws {
        do {
            let loaded = try await StaticFile(path: source, contentType: "application/javascript; charset=utf-8")
            file.withLock { $0 = loaded }
        } catch {
            throw SocketIOError(.invalidConfiguration, "serveClient names '\(source)', which cannot be read", cause: error)
        }
    }

    /// Returns the engine's options with a responder that serves the file.
    func served(by configuration: EngineConfiguration) -> EngineConfiguration {
        var configuration = configuration
        let next = configuration.responder
        configuration.responder = { [self] request in response(to: request) ?? next?(request) }
        return configuration
    }

    private func response(to request: HTTPRequest) -> EngineHTTPResponse? {
        let end = [UInt8(ascii: "?"), UInt8(ascii: "#")]
        guard let wanted = request.path, wanted.utf8.prefix(while: { !end.contains($0) }).elementsEqual(path.utf8) else { return nil }
        // The server is mounted, but has not started yet.
        guard let file = file.withLock({ $0 }) else { return EngineHTTPResponse(status: .serviceUnavailable) }
        return file.response(to: request)
    }
}
