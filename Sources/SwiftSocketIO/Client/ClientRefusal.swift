// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOConcurrency
import SocketIOText

/// Why a client may not join a namespace, or is disconnected because of what it does.
enum ClientRefusal: Sendable {
    // The answer to a CONNECT packet.
    case unknownNamespace, limit, middleware, failure
    // Disconnected.
    case invalidPacket, notJoined, joinedNothing

    /// Those that are answered to a CONNECT packet, with their value of the metric's dimension `reason`.
    static let connects: [(refusal: ClientRefusal, label: String)] = [
        (.unknownNamespace, "unknown_namespace"), (.limit, "limit"), (.middleware, "middleware"), (.failure, "failure"),
    ]

    fileprivate var text: String {
        switch self {
        case .unknownNamespace: "a client asked for a namespace that does not exist"
        case .limit: "a client was refused a namespace because of a limit"
        case .middleware: "middleware refused a client"
        case .failure: "a client was refused a namespace because of an error"
        case .invalidPacket: "a client was disconnected because of an invalid packet"
        case .notJoined: "a client was disconnected because it sent something to a namespace that it had not joined"
        case .joinedNothing: "a client was disconnected because it had not joined a namespace within SocketIOConfiguration.connectTimeout"
        }
    }

    fileprivate var cure: String {
        switch self {
        case .unknownNamespace:
            """
            Create it with io.of(_:), allow it with io.of(matching:), or correct the client's URL: what follows the host is the namespace, \
            and the server's path is the client's option `path`.
            """
        case .limit: "If clients legitimately need more, raise the limit in SocketIOConfiguration.limits."
        case .middleware: "If it should have been accepted, check the namespace's middleware and the `auth` that the client sends."
        case .failure: "The error was passed to the onError(_:) hook, or logged if there is none."
        case .invalidPacket: "Client and server must use the same parser, and event names and arguments must be within the limits."
        case .notJoined: "Clients join each namespace with a CONNECT packet, the main one as well, and wait for the answer."
        case .joinedNothing: "Clients must speak Socket.IO 3 or 4, which begins with a CONNECT packet. Engine.IO alone is not enough."
        }
    }
}

/// Counts refusals and writes them to the log: each at `debug`, and each cause at most once an hour with its cure, at `notice`.
final class ClientRefusals: Sendable {
    /// Longer names and messages share a line.
    private static let longestText = 200

    private let logger: Logger
    private let metrics: SocketIOMetrics
    private let causes = CauseLimiter<ClientRefusal, Name>()

    init(logger: Logger, metrics: SocketIOMetrics) {
        self.logger = logger
        self.metrics = metrics
    }

    /// A client is refused.
    ///
    /// - Parameters:
    ///   - refusal: Why.
    ///   - namespace: The namespace; nil if it is not about one.
    ///   - message: What the client gets, or what is wrong.
    func report(_ refusal: ClientRefusal, of namespace: String? = nil, _ message: String = "") {
        metrics.refusedConnects[refusal]?.increment()
        guard logger.logLevel <= .notice else { return }
        logger.debug("\(refusal.text)", metadata: metadata(namespace, message))
        // Each namespace has its own messages: those of one must not suppress those of another.
        causes.log(refusal, about: Self.short(namespace ?? ""), Self.short(message.withoutDigits)) { suppressed in
            var metadata = metadata(namespace, message)
            metadata[LogKey.suppressed] = "\(suppressed ?? 0)"
            logger.notice("\(refusal.text). \(refusal.cure) Logged at most once an hour", metadata: metadata)
        }
    }

    private static func short(_ text: String) -> Name? { text.utf8.count <= longestText ? Name(text) : nil }

    private func metadata(_ namespace: String?, _ message: String) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.message: "\(QuotedText(message))"]
        if let namespace { metadata[LogKey.namespace] = "\(QuotedText(namespace))" }
        return metadata
    }
}

extension String {
    /// Messages that differ only in a size or a number are of one kind.
    fileprivate var withoutDigits: String {
        String(decoding: utf8.filter { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }, as: UTF8.self)
    }
}
