// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import SocketIOText

/// Why a request to the engine's path is refused, and with what.
struct EngineRefusal: Error, Sendable, Equatable {
    var status: HTTPResponseStatus
    var code: EngineConnectionError.Code
    var message: String
    var context: String

    init(_ code: EngineConnectionError.Code, status: HTTPResponseStatus? = nil, message: String? = nil, context: String = "") {
        self.code = code
        self.status = status ?? (code == .forbidden ? .forbidden : .badRequest)
        self.message = message ?? code.message
        self.context = context
    }

    /// Why requests are refused, as the metrics count it.
    enum Reason: CaseIterable, Sendable {
        case unknownTransport, unknownSID, badHandshakeMethod, badRequest, forbidden, unsupportedProtocolVersion
        /// The server is full, or shuts down.
        case unavailable

        /// The value of the metric's dimension.
        var label: String {
            switch self {
            case .unknownTransport: "unknown_transport"
            case .unknownSID: "unknown_sid"
            case .badHandshakeMethod: "bad_handshake_method"
            case .badRequest: "bad_request"
            case .forbidden: "forbidden"
            case .unsupportedProtocolVersion: "unsupported_protocol_version"
            case .unavailable: "unavailable"
            }
        }
    }

    var reason: Reason {
        switch code {
        case .unknownTransport: .unknownTransport
        case .unknownSID: .unknownSID
        case .badHandshakeMethod: .badHandshakeMethod
        case .badRequest: status == .serviceUnavailable ? .unavailable : .badRequest
        case .forbidden: .forbidden
        case .unsupportedProtocolVersion: .unsupportedProtocolVersion
        }
    }

    static let unknownSID = EngineRefusal(.unknownSID)
    static let overlap = EngineRefusal(.badRequest, context: "overlapping request of the same session")
    static let transportMismatch = EngineRefusal(.badRequest, context: "the session uses another transport")
    static let invalidPayload = EngineRefusal(.badRequest, context: "the payload could not be parsed")
    static let unavailable = EngineRefusal(.badRequest, status: .serviceUnavailable, message: "Service unavailable")
}

extension EngineConnectionError.Code {
    /// The message of the reference implementation.
    var message: String {
        switch self {
        case .unknownTransport: "Transport unknown"
        case .unknownSID: "Session ID unknown"
        case .badHandshakeMethod: "Bad handshake method"
        case .badRequest: "Bad request"
        case .forbidden: "Forbidden"
        case .unsupportedProtocolVersion: "Unsupported protocol version"
        }
    }
}
