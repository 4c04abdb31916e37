// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import SocketIOText
import Synchronization

/// A polling request that waits for its answer, as its session knows it.
struct PollingExchange: Sendable {
    let home: EngineLoopHandle
    let handler: NIOLoopBound<EngineHTTPHandler>
    /// Unique in this process.
    let id: Int

    private static let lastID = Atomic(0)

    static func nextID() -> Int {
        lastID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Answers the request, from the session's event loop.
    func answer(_ answer: Answer, from loop: EngineLoop) {
        let (handler, id) = (handler, id)
        loop.perform(on: home) { _ in handler.value.answer(answer, to: id) }
    }

    /// What a polling request is answered.
    enum Answer: Sendable {
        /// 200 with a payload, the answer to a GET.
        case payload(ByteBuffer)
        /// 200 with `ok`, the answer to a POST.
        case ok
        case refused(EngineRefusal)
    }
}

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
