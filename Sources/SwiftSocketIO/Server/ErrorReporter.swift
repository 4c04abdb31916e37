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
    private let undeliveredLog = SharedLogLimiter()
    private let standstillLog = SharedLogLimiter()

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
        if let hook = hook.withLock({ $0 }) {
            return hook(HandlerFailure(error: error, event: event, socket: socket, undelivered: nil))
        }
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

    /// Counts and passes on what the adapter had accepted and could not bring to other processes.
    func undelivered(_ operation: UndeliveredOperation) {
        metrics.errors.increment()
        if let hook = hook.withLock({ $0 }) {
            return hook(HandlerFailure(error: operation.error, event: operation.event, socket: nil, undelivered: operation))
        }
        func quoted(_ rooms: [Room]) -> String {
            rooms.prefix(8).map { "\(QuotedText($0))" }.joined(separator: ", ") + (rooms.count > 8 ? ", …" : "")
        }
        undeliveredLog.log { suppressed in
            logger.warning(
                "other servers may not have received this \(operation.kind)",
                metadata: [
                    LogKey.event: "\(operation.event.map { "\(QuotedText($0))" } ?? "-")",
                    LogKey.namespace: "\(QuotedText(operation.namespace))",
                    LogKey.rooms: "\(quoted(operation.options.rooms))",
                    LogKey.except: "\(quoted(operation.options.except))",
                    LogKey.error: "\(QuotedText("\(operation.error)", limit: 300))",
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

    /// Logs that the events of a client have waited for long.
    ///
    /// - Parameter event: The event whose handler they wait for; nil if there are several.
    func stoodStill(event: String?, waiting: Int, socket: SocketID, namespace: String) {
        guard logger.logLevel <= .notice else { return }
        let message: Logger.Message =
            event == nil
            ? "a client is not read for 10 s because of its running handlers; does one of them wait for something without a timeout?"
            : "events of a client wait for 10 s because a handler does not return; give what it waits for a timeout, or make it concurrent"
        standstillLog.log { suppressed in
            logger.notice(
                message,
                metadata: [
                    LogKey.event: "\(event.map { "\(QuotedText($0))" } ?? "-")",
                    LogKey.namespace: "\(QuotedText(namespace))",
                    LogKey.socket: "\(QuotedText(socket))",
                    LogKey.waiting: "\(waiting)",
                    LogKey.suppressed: "\(suppressed ?? 0)",
                ]
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

/// An error that the application's code has thrown, a limit that kept a socket out of a room, or an operation that other servers may not
/// have received.
public struct HandlerFailure: Sendable {
    /// The error.
    public let error: any Error
    /// The event that was handled, or that was to be sent; nil if it was a connection or another operation.
    public let event: String?
    /// The socket; nil if there was none.
    public let socket: Socket?
    /// What could not be brought to other servers after the call had returned, with the selected sockets; nil for all other errors. See
    /// <doc:RoomsAndBroadcasts#When-other-servers-cannot-be-reached>.
    public let undelivered: UndeliveredOperation?
}

extension SocketDescription.Omissions {
    fileprivate var names: String {
        [(Self.data, "data"), (.rooms, "rooms"), (.auth, "auth"), (.request, "request")].filter { contains($0.0) }.map { $0.1 }
            .joined(separator: ", ")
    }
}
