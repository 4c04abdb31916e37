// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// Why a request to the engine's path is refused, or does not lead to a session.
enum RefusalCause: Hashable, CaseIterable, Sendable {
    // Which request it is.
    case unknownPath, unknownTransport, unknownSID, unsupportedVersion, badMethod, transportMismatch
    // HTTP.
    case host, body, bodyTooLarge
    // WebSocket.
    case upgradeMissing, upgradeUnexpected, upgradesOff, webSocketOverHTTP10, webSocketVersion, webSocketKey, webSocketProtocol
    // Browsers.
    case origin, unreadable
    // The session.
    case sessionEnded, overlap, payload, idInUse, idUnfit
    // The server.
    case rejected, full, tooManyPending, draining

    /// The values of the metric's dimension `reason`.
    enum Reason: CaseIterable, Sendable {
        case unknownPath, unknownTransport, unknownSID, unsupportedVersion, badMethod, badRequest, tooLarge, webSocket, origin, unreadable
        case forbidden, unavailable

        var label: String {
            switch self {
            case .unknownPath: "unknown_path"
            case .unknownTransport: "unknown_transport"
            case .unknownSID: "unknown_sid"
            case .unsupportedVersion: "unsupported_protocol_version"
            case .badMethod: "bad_handshake_method"
            case .badRequest: "bad_request"
            case .tooLarge: "payload_too_large"
            case .webSocket: "websocket_handshake"
            case .origin: "origin"
            case .unreadable: "cors"
            case .forbidden: "forbidden"
            case .unavailable: "unavailable"
            }
        }
    }

    var reason: Reason {
        switch self {
        case .unknownPath: .unknownPath
        case .unknownTransport: .unknownTransport
        case .unknownSID, .sessionEnded: .unknownSID
        case .unsupportedVersion: .unsupportedVersion
        case .badMethod: .badMethod
        case .transportMismatch, .host, .body, .overlap, .payload, .idInUse, .idUnfit: .badRequest
        case .bodyTooLarge: .tooLarge
        case .upgradeMissing, .upgradeUnexpected, .upgradesOff, .webSocketOverHTTP10, .webSocketVersion, .webSocketKey, .webSocketProtocol:
            .webSocket
        case .origin: .origin
        case .unreadable: .unreadable
        case .rejected: .forbidden
        case .full, .tooManyPending, .draining: .unavailable
        }
    }

    var code: EngineConnectionError.Code {
        switch self {
        case .unknownTransport: .unknownTransport
        case .unknownSID, .sessionEnded: .unknownSID
        case .badMethod: .badHandshakeMethod
        case .unsupportedVersion: .unsupportedProtocolVersion
        case .origin, .unreadable, .rejected: .forbidden
        default: .badRequest
        }
    }

    /// Details for the log and the configuration's hook.
    var context: String {
        switch self {
        case .unknownPath: "the path is not the server's"
        case .unknownTransport: "the transport is missing, unknown or not offered"
        case .unknownSID: "this process does not have the session"
        case .unsupportedVersion: "only version 4 of the protocol is supported"
        case .badMethod: "the HTTP method is not allowed here"
        case .transportMismatch: "the session uses another transport"
        case .host: "a request must name one host"
        case .body: "a WebSocket handshake must not have a body"
        case .bodyTooLarge: "the body is larger than maxHTTPBufferSize, or it arrives in tiny chunks"
        case .upgradeMissing: "the transport is websocket, but the request does not ask for an upgrade"
        case .upgradeUnexpected: "the transport is polling, but the request asks for an upgrade"
        case .upgradesOff: "upgrades are not allowed"
        case .webSocketOverHTTP10: "WebSocket needs HTTP/1.1"
        case .webSocketVersion: "only version 13 of the WebSocket protocol is supported"
        case .webSocketKey: "Sec-WebSocket-Key is not the base64 of 16 bytes"
        case .webSocketProtocol: "Sec-WebSocket-Protocol is not a list of tokens"
        case .origin: "the page's origin is not allowed"
        case .unreadable: "the page's origin is not allowed to read the answer"
        case .sessionEnded: "the session has since ended"
        case .overlap: "overlapping request of the same session"
        case .payload: "the payload could not be parsed"
        case .idInUse: "generateID returned an id that is already in use"
        case .idUnfit: "generateID returned an id that is empty or longer than \(EngineConfiguration.longestID) bytes"
        case .rejected: "allowRequest rejected the handshake"
        case .full: "the limit of sessions is reached"
        case .tooManyPending: "too many handshakes wait for allowRequest"
        case .draining: "the server is shutting down"
        }
    }

    /// How to change it, for the log; nil if there is nothing to do.
    var cure: String? {
        switch self {
        case .unknownPath:
            "The server's path and the client's option `path` must be the same."
        case .unknownTransport:
            """
            If it was a Socket.IO client, its option `transports` and the server's must have one in common. If it was a health check, let \
            it ask for another path.
            """
        case .unknownSID:
            """
            It was answered 400 "Session ID unknown". If the counter engineio_requests_refused_total with the reason unknown_sid grows, \
            requests of one client reach different processes: enable sticky sessions in the load balancer, or let clients use the \
            websocket transport only.
            """
        case .unsupportedVersion:
            "Clients of Socket.IO 2 and older send EIO=3, and JSONP the parameter j: use a client of Socket.IO 3 or 4."
        case .badMethod: "Handshakes and polls use GET; packets from the client use POST."
        case .transportMismatch, .overlap: "The client must have one request of each kind at a time, over its session's transport."
        case .host: "The client or a proxy in front sends no Host field, several, or one with characters that are not allowed."
        case .body: "The client must not send anything after the handshake headers until the server has answered."
        case .bodyTooLarge: "If clients need to send messages this large, raise EngineConfiguration.maxHTTPBufferSize."
        case .upgradeMissing:
            """
            A proxy in front most likely drops Upgrade and Connection: let it forward them (nginx: proxy_http_version 1.1, \
            proxy_set_header Upgrade and Connection).
            """
        case .upgradeUnexpected: "The client asks for transport=polling with the header fields of a WebSocket; that has to be websocket."
        case .upgradesOff: "The configuration has allowUpgrades = false, but the client upgrades its transport."
        case .webSocketOverHTTP10: "If a proxy is in front, let it speak HTTP/1.1 to this server (nginx: proxy_http_version 1.1)."
        case .webSocketVersion, .webSocketKey, .webSocketProtocol:
            "The client does not follow RFC 6455, section 4.1, or a proxy has changed its header fields."
        case .origin:
            """
            It was answered 403. If the page is yours, add its origin to EngineConfiguration.cors. If it has the server's own host, a \
            proxy in front changes Host: let it forward Host with the port (nginx: proxy_set_header Host $http_host), or name it in \
            EngineConfiguration.trustedProxies and let it send X-Forwarded-Host.
            """
        case .unreadable:
            """
            It was answered, but the browser will not let a page of this origin read the response. If the page is yours, add its origin \
            to EngineConfiguration.cors.
            """
        case .payload: "The body is not a valid Engine.IO 4 payload, or its content type is not text."
        case .idInUse, .idUnfit: "Let generateID return a new id of 1 to \(EngineConfiguration.longestID) bytes each time."
        case .rejected: "If it should have been accepted, change EngineConfiguration.allowRequest."
        case .full: "Add processes, or raise EngineConfiguration.limits.sessions."
        case .tooManyPending: "Make allowRequest faster, or raise EngineConfiguration.limits.pendingHandshakes."
        case .sessionEnded, .draining: nil
        }
    }
}
