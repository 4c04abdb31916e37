// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import SocketIOText

/// A request to the engine's path, before any session is looked up.
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
        guard let name = parameter("transport"), let transport = configuration.transports.first(where: { $0.rawValue == name })
        else { return .failure(EngineRefusal(.unknownTransport)) }
        // JSONP belongs to version 3 of the protocol.
        guard parameter("j") == nil else { return .failure(EngineRefusal(.unsupportedVersion)) }
        // Bytes after the head of a handshake belong to the WebSocket or to a body; which of them cannot be decided.
        if head.isWebSocketUpgrade, head.hasBody {
            return .failure(EngineRefusal(.body))
        }
        if let sid = parameter("sid"), !sid.isEmpty {
            return findExisting(head, sid: sid, transport: transport, configuration: configuration)
        }
        guard head.method == .GET else { return .failure(EngineRefusal(.badMethod)) }
        guard (transport == .websocket) == head.isWebSocketUpgrade else {
            return .failure(EngineRefusal(transport == .websocket ? .upgradeMissing : .upgradeUnexpected))
        }
        guard parameter("EIO") == "4" else { return .failure(EngineRefusal(.unsupportedVersion)) }
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
            guard configuration.allowUpgrades else { return .failure(EngineRefusal(.upgradesOff)) }
            return .success(.upgrade(sid: sid))
        case (.GET, .polling, false): return .success(.poll(sid: sid))
        case (.POST, .polling, false): return .success(.post(sid: sid))
        case (.GET, .websocket, false): return .failure(EngineRefusal(.upgradeMissing))
        case (.GET, .polling, true): return .failure(EngineRefusal(.upgradeUnexpected))
        case (.GET, _, _), (.POST, _, _): return .failure(EngineRefusal(.transportMismatch))
        default: return .failure(EngineRefusal(.badMethod))
        }
    }
}

extension HTTPRequestHead {
    /// Whether the request asks to become a WebSocket (RFC 6455, section 4.2.1).
    var isWebSocketUpgrade: Bool {
        headers.lists("websocket", in: "upgrade") && headers.lists("upgrade", in: "connection")
    }

    /// Whether the request asks to become anything else: NIO's decoder reads no further request of such a connection.
    var asksForUpgrade: Bool {
        headers.lists("upgrade", in: "connection") && headers.contains(name: "upgrade")
    }

    /// Whether the request says that something follows its head (RFC 9112, section 6.3).
    var hasBody: Bool {
        headers.contains(name: "transfer-encoding")
            || headers["content-length"].contains { !$0.utf8.allSatisfy { $0 == UInt8(ascii: "0") } }
    }

    /// Whether the request says for which host it is, and only once, as version 1.1 demands (RFC 9112, section 3.2).
    var namesOneHost: Bool {
        var hosts = 0
        for (name, value) in headers where name.utf8.isLowercase("host") {
            hosts += 1
            guard value.utf8.allSatisfy(\.mayStandInHost) else { return false }
        }
        return hosts == 1 || (hosts == 0 && version.minor == 0)
    }

    /// Whether the answer may be gzipped.
    var acceptsGzip: Bool {
        ContentCoding.acceptsGzip(headers["accept-encoding"])
    }
}

extension HTTPHeaders {
    /// Whether a field whose value is a list has this element (RFC 9110, section 5.6.1). Both names are given in lower case.
    ///
    /// Every handshake asks this several times, so nothing is copied for it.
    func lists(_ element: String, in field: String) -> Bool {
        for (name, value) in self where name.utf8.isLowercase(field) {
            for part in value.utf8.split(separator: UInt8(ascii: ",")) where part.trimmed.isLowercase(element) { return true }
        }
        return false
    }
}

extension UInt8 {
    /// Whether names and addresses of hosts, and ports, are made of this (RFC 3986, section 3.2).
    var mayStandInHost: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        // Unreserved ones, sub-delimiters, escapes, and what addresses of version 6 and ports need. An underscore is common in containers.
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
            UInt8(ascii: "="):
            true
        default: false
        }
    }
}

extension Collection<UInt8> {
    /// Whether the bytes are those of `text`, which is in lower case, but for the case of ASCII letters.
    func isLowercase(_ text: String) -> Bool {
        guard count == text.utf8.count else { return false }
        return zip(self, text.utf8).allSatisfy { byte, wanted in
            byte == wanted || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") && byte | 0x20 == wanted)
        }
    }
}

extension Substring.UTF8View {
    /// Without spaces and tabs around it.
    var trimmed: Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return rest
    }
}
