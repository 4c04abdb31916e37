// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import SocketIOText

/// The refusal of a request to the engine's path.
struct EngineRefusal: Error, Sendable {
    let cause: RefusalCause
    /// The message that the client gets.
    let message: String

    /// - Parameter message: Default: that of the reference implementation.
    init(_ cause: RefusalCause, message: String? = nil) {
        self.cause = cause
        self.message = message ?? (cause.code == .badRequest ? cause.badRequestMessage : cause.code.message)
    }

    static let sessionEnded = EngineRefusal(.sessionEnded)
    static let overlap = EngineRefusal(.overlap)
    static let transportMismatch = EngineRefusal(.transportMismatch)
    static let invalidPayload = EngineRefusal(.payload)

    var code: EngineConnectionError.Code { cause.code }

    var status: HTTPResponseStatus {
        switch cause {
        case .unknownPath: .notFound
        case .bodyTooLarge: .payloadTooLarge
        case .origin, .rejected: .forbidden
        case .full, .tooManyPending, .draining: .serviceUnavailable
        default: .badRequest
        }
    }
}

extension RefusalCause {
    fileprivate var badRequestMessage: String {
        switch self {
        case .bodyTooLarge: "Payload too large"
        case .full, .tooManyPending, .draining: "Service unavailable"
        default: EngineConnectionError.Code.badRequest.message
        }
    }
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
