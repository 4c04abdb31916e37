// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// Passes errors of the application's code, and whatever a limit prevents, to the application's hook or to the log.
final class ErrorReporter: Sendable {
    private let logger: Logger
    private let metrics: SocketIOMetrics
    private let roomLimits: RoomLimits
    private let hook = Mutex<(@Sendable (HandlerFailure) -> Void)?>(nil)
    // Clients and stored documents can cause any number of these lines.
    private let failureLog = SharedLogLimiter()
    private let limitLog = SharedLogLimiter()
    private let descriptionLog = SharedLogLimiter()
    private let sessionLog = SharedLogLimiter()

    init(logger: Logger, metrics: SocketIOMetrics, roomLimits: RoomLimits) {
        self.logger = logger
        self.metrics = metrics
        self.roomLimits = roomLimits
    }

    /// Replaces the hook.
    func setHook(_ hook: @escaping @Sendable (HandlerFailure) -> Void) { self.hook.withLock { $0 = hook } }

    /// Counts an error and passes it on.
    func report(_ error: any Error, event: String? = nil, socket: Socket? = nil) {
        metrics.errors.increment()
        if let hook = hook.withLock({ $0 }) { return hook(HandlerFailure(error: error, event: event, socket: socket)) }
        let code = (error as? SocketIOError)?.code
        let isLimit = code == .tooManyRooms || code == .invalidRoom
        // Clients can send arguments that no handler accepts as often as they like.
        let level: Logger.Level = code == .unexpectedArguments ? .debug : .warning
        guard logger.logLevel <= level else { return }
        (isLimit ? limitLog : failureLog).log { suppressed in
            // The name and the error may contain text from the client.
            logger.log(
                level: level,
                isLimit ? "a limit was reached" : "a handler failed",
                metadata: [
                    LogKey.event: "\(event.map { "\(QuotedText($0))" } ?? "-")",
                    LogKey.namespace: "\(socket.map { "\(QuotedText($0.namespace.name))" } ?? "-")",
                    LogKey.socket: "\(socket?.id ?? "-")",
                    LogKey.error: "\(QuotedText("\(error)", limit: 300))",
                    LogKey.suppressed: "\(suppressed ?? 0)",
                ]
            )
        }
    }

    /// Counts and reports what a limit has prevented.
    func limitReached(_ limit: LocalLimit, in namespace: String) {
        switch limit {
        case .rooms(let refusal):
            metrics.refusedRooms.increment(by: refusal.count)
            report(roomLimits.error(for: refusal))
        case .session(let socket, let bytes):
            metrics.unkeptSessions.increment()
            warn(
                sessionLog,
                "a session is not kept: its data is larger than SocketIOConfiguration.limits.descriptionBytes",
                of: socket,
                in: namespace,
                [LogKey.bytes: "\(bytes)"]
            )
        case .description(let socket, let omitted):
            metrics.cutDescriptions.increment()
            warn(
                descriptionLog,
                "fetchSockets omits parts that are larger than SocketIOConfiguration.limits.descriptionBytes",
                of: socket,
                in: namespace,
                [LogKey.omitted: "\(omitted.names)"]
            )
        }
    }

    private func warn(
        _ limiter: SharedLogLimiter,
        _ message: Logger.Message,
        of socket: SocketID,
        in namespace: String,
        _ details: Logger.Metadata
    ) {
        limiter.log { suppressed in
            let common: Logger.Metadata = [
                LogKey.namespace: "\(QuotedText(namespace))", LogKey.socket: "\(QuotedText(socket))",
                LogKey.suppressed: "\(suppressed ?? 0)",
            ]
            logger.warning(message, metadata: common.merging(details) { first, _ in first })
        }
    }
}

/// An error that the application's code has thrown, or a limit that kept a socket out of a room.
public struct HandlerFailure: Sendable {
    /// The error.
    public let error: any Error
    /// The event that was handled; nil if it was a connection.
    public let event: String?
    /// The socket; nil if there was none.
    public let socket: Socket?
}

extension SocketDescription.Omissions {
    fileprivate var names: String {
        [(Self.data, "data"), (.rooms, "rooms"), (.auth, "auth"), (.request, "request")].filter { contains($0.0) }.map { $0.1 }
            .joined(separator: ", ")
    }
}
