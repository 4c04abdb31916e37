import NIOHTTP1

/// What a request to the engine's path asks for, before any session is looked at.
enum EngineRoute: Equatable {
    case preflight
    case handshake(EngineConfiguration.Transport)
    case poll(sid: String)
    case post(sid: String)
    /// A WebSocket for an existing session.
    case upgrade(sid: String)

    /// Checks a request in the order of the reference implementation, so that the same mistakes get the same codes.
    static func find(_ head: HTTPRequestHead, configuration: EngineConfiguration) -> Result<EngineRoute, EngineRefusal> {
        if head.method == .OPTIONS { return .success(.preflight) }
        let query = QueryString.parse(head.uri)
        func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
        guard let name = parameter("transport"), let transport = EngineConfiguration.Transport(rawValue: name),
            configuration.transports.contains(transport)
        else { return .failure(EngineRefusal(.unknownTransport)) }
        // JSONP belongs to version 3 of the protocol.
        guard parameter("j") == nil else { return .failure(EngineRefusal(.unsupportedProtocolVersion)) }
        if let sid = parameter("sid"), !sid.isEmpty {
            return findExisting(head, sid: sid, transport: transport, configuration: configuration)
        }
        guard head.method == .GET else { return .failure(EngineRefusal(.badHandshakeMethod)) }
        guard (transport == .websocket) == head.isWebSocketUpgrade else {
            return .failure(EngineRefusal(.badRequest, context: "transport and Upgrade header do not match"))
        }
        guard parameter("EIO") == "4" else { return .failure(EngineRefusal(.unsupportedProtocolVersion)) }
        return .success(.handshake(transport))
    }

    private static func findExisting(
        _ head: HTTPRequestHead,
        sid: String,
        transport: EngineConfiguration.Transport,
        configuration: EngineConfiguration
    ) -> Result<EngineRoute, EngineRefusal> {
        switch (head.method, transport, head.isWebSocketUpgrade) {
        case (.GET, .websocket, true):
            guard configuration.allowUpgrades else { return .failure(EngineRefusal(.badRequest, context: "upgrades are not allowed")) }
            return .success(.upgrade(sid: sid))
        case (.GET, .polling, false): return .success(.poll(sid: sid))
        case (.POST, .polling, false): return .success(.post(sid: sid))
        case (.GET, _, _), (.POST, _, _): return .failure(.transportMismatch)
        default: return .failure(EngineRefusal(.badHandshakeMethod))
        }
    }
}

extension HTTPRequestHead {
    /// Whether the request asks to become a WebSocket (RFC 6455, section 4.2.1).
    var isWebSocketUpgrade: Bool {
        headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" } && asksForUpgrade
    }

    /// Whether the request asks to become anything else: NIO's decoder reads no further request of such a connection.
    var asksForUpgrade: Bool {
        headers.contains(name: "upgrade") && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// Whether the answer may be gzipped.
    var acceptsGzip: Bool {
        ContentCoding.acceptsGzip(headers[canonicalForm: "accept-encoding"])
    }

    /// The path without the query.
    var path: Substring {
        uri.prefix { $0 != "?" && $0 != "#" }
    }
}
