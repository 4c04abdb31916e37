// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// Passes errors of the application's code, and whatever a limit prevents, to the application's hook or to the log.
final class ErrorReporter: Sendable {
    private let logger: Logger
    private let metrics: SocketIOMetrics
    private let roomLimits: RoomLimits
    private let hook = Hook<HandlerFailure>()
    // Clients and stored documents can cause any number of these lines.
    private let failureLog = SharedLogLimiter()
    private let limitLog = SharedLogLimiter()
    private let descriptionLog = SharedLogLimiter()
    private let sessionLog = SharedLogLimiter()
    private let registrationLog = SharedLogLimiter()
    private let undeliveredLog = SharedLogLimiter()
    private let standstillLog = SharedLogLimiter()

    init(logger: Logger, metrics: SocketIOMetrics, roomLimits: RoomLimits) {
        self.logger = logger
        self.metrics = metrics
        self.roomLimits = roomLimits
    }

    /// Replaces the hook.
    func setHook(_ hook: @escaping @Sendable (HandlerFailure) -> Void) { self.hook.set(hook) }

    /// Counts an error and passes it on.
    func report(
        _ error: any Error,
        from source: HandlerFailure.Source,
        event: String? = nil,
        socket: Socket? = nil,
        namespace: String? = nil
    ) {
        metrics.errors.increment()
        let namespace = namespace ?? socket?.namespace.name
        let isHandled = hook.call(
            HandlerFailure(error: error, source: source, event: event, socket: socket, namespace: namespace, undelivered: nil)
        )
        if isHandled { return }
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
                    LogKey.source: "\(source)",
                    LogKey.namespace: "\(namespace.map { "\(QuotedText($0))" } ?? "-")",
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
        let isHandled = hook.call(
            HandlerFailure(
                error: operation.error,
                source: .undelivered,
                event: operation.event,
                socket: nil,
                namespace: operation.namespace,
                undelivered: operation
            )
        )
        if isHandled { return }
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

    /// Says how many more operations were not brought to other processes than the log names, when no later line can say it.
    func reportSuppressed() {
        let count = undeliveredLog.takeSuppressed()
        guard count > 0 else { return }
        logger.warning("other servers may not have received more operations than those logged", metadata: [LogKey.suppressed: "\(count)"])
    }

    /// Counts and reports what a limit has prevented.
    func limitReached(_ limit: LocalLimit, in namespace: String) {
        switch limit {
        case .rooms(let refusal):
            metrics.refusedRooms.increment(by: refusal.count)
            report(roomLimits.error(for: refusal), from: .limit, namespace: namespace)
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

    /// Says that a handler is registered for nothing. A debug build stops if that is certain.
    func uncallable(_ problem: UncallableHandler.Problem, event: String, in namespace: String) {
        // Every connection may register the same handlers.
        registrationLog.log { suppressed in
            logger.log(
                level: problem.isCertain ? .error : .warning,
                "a handler will never be called: \(problem.advice)",
                metadata: [
                    LogKey.event: "\(QuotedText(event))", LogKey.namespace: "\(QuotedText(namespace))",
                    LogKey.suppressed: "\(suppressed ?? 0)",
                ]
            )
        }
        if problem.isCertain, UncallableHandler.stopsDebugBuilds {
            assertionFailure("a handler for '\(event)' will never be called: \(problem.advice)")
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

    /// Logs that the events of a client have waited for long.
    ///
    /// - Parameter event: The event whose handler they wait for; nil if there are several.
    func stoodStill(event: String?, waiting: Int, socket: SocketID, namespace: String) {
        guard logger.logLevel <= .notice else { return }
        let message: Logger.Message =
            event == nil
            ? "reading from a client has been paused for 10 s by its concurrent handlers; check whether one of them waits without a timeout"
            : """
            a client's events have waited 10 s for a handler that has not returned; add a timeout to what it awaits, or make it concurrent. \
            In a cluster, it may also wait in emit because the queue for other servers is full
            """
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
}

/// An error that the application's code has thrown, a limit that kept a socket out of a room, or an operation that other servers may not
/// have received.
public struct HandlerFailure: Sendable {
    /// The code that threw an error.
    public struct Source: Hashable, Sendable, CustomStringConvertible {
        private enum Value {
            case event, serverSideEvent, middleware, connect, disconnecting, disconnect, task, namespace, limit, undelivered
        }
        private let value: Value

        /// A handler, listener or middleware of a client's event.
        public static let event = Source(value: .event)
        /// A handler or listener of another server's event.
        public static let serverSideEvent = Source(value: .serverSideEvent)
        /// Middleware of a namespace, which then refuses the client, or the namespace's own code while a client joins.
        public static let middleware = Source(value: .middleware)
        /// A handler of `onConnect`, or ``SocketController/register(on:)-(Socket)``.
        public static let connect = Source(value: .connect)
        /// A hook of ``Socket/onDisconnecting(_:)``.
        public static let disconnecting = Source(value: .disconnecting)
        /// A hook of ``Socket/onDisconnect(_:)``.
        public static let disconnect = Source(value: .disconnect)
        /// Work of ``Socket/addTask(_:)``.
        public static let task = Source(value: .task)
        /// The start of a namespace that was created while the server runs.
        public static let namespace = Source(value: .namespace)
        /// A limit that kept a socket out of a room.
        public static let limit = Source(value: .limit)
        /// An operation that had been accepted and that other servers may not have received; see ``HandlerFailure/undelivered``.
        public static let undelivered = Source(value: .undelivered)
        /// The name of the source.
        public var description: String { "\(value)" }
    }

    /// The error.
    public let error: any Error
    /// The code that threw it.
    public let source: Source
    /// The event that was handled, or that was to be sent; nil if there was none.
    public let event: String?
    /// The socket; nil if there was none, or if it has not joined its namespace.
    public let socket: Socket?
    /// The name of the namespace; nil if the error concerns none.
    public let namespace: String?
    /// What could not be brought to other servers after the call had returned, with the name of the event and the selected sockets, but without
    /// the arguments; nil for all other errors. See <doc:RoomsAndBroadcasts#When-other-servers-cannot-be-reached>.
    public let undelivered: UndeliveredOperation?
}

extension SocketDescription.Omissions {
    fileprivate var names: String {
        [(Self.data, "data"), (.rooms, "rooms"), (.auth, "auth"), (.request, "request")].filter { contains($0.0) }.map { $0.1 }
            .joined(separator: ", ")
    }
}
