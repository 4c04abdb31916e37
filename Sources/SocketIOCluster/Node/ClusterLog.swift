// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// Writes to a node's log.
///
/// Most lines are caused by documents or by clients, so each kind of line has a limit, and text from documents is quoted.
final class ClusterLog: Sendable {
    private let target: NodeLogger
    private let membership = SharedLogLimiter(lines: 100)
    private let gaps = SharedLogLimiter()
    private let failures = SharedLogLimiter()
    private let contradictions = SharedLogLimiter()
    private let untrusted = SharedLogLimiter()
    private let deaths = SharedLogLimiter(lines: 100)
    private let sessions = SharedLogLimiter()
    private let streams = SharedLogLimiter(lines: 30)

    init(_ target: NodeLogger) { self.target = target }

    private var logger: Logger { target.current }

    func log(_ event: ClusterEvent) {
        switch event {
        case .joined(let node): write(.info, "node joined", membership, [LogKey.node: "\(node)"])
        case .draining(let node): write(.info, "node is draining", membership, [LogKey.node: "\(node)"])
        case .left(let node): write(.info, "node left", membership, [LogKey.node: "\(node)"])
        case .died(let node): write(.warning, "node considered dead: no heartbeat", deaths, [LogKey.node: "\(node)"])
        case .gap(let origin, let count):
            let node = origin?.description ?? "any"
            let count = count.map(String.init) ?? "unknown"
            write(.error, "messages were lost", gaps, [LogKey.node: "\(node)", LogKey.count: "\(count)"])
        case .skipped(let reason):
            logger.debug("document skipped", metadata: [LogKey.reason: "\(QuotedText(reason, limit: 300))"])
        case .contradiction(let node, let text):
            let line: Logger.Message = "the cluster contradicts itself: another program writes to it, or two processes share a node id"
            write(.error, line, contradictions, [LogKey.node: "\(node)", LogKey.reason: "\(text)"])
        case .untrusted(let reason):
            write(.error, "document skipped: not signed with a known key", untrusted, [LogKey.reason: "\(reason)"])
        case .answerFailed(let node, let text):
            let metadata: Logger.Metadata = [
                LogKey.node: "\(NodeIdentity.shown(node))", LogKey.reason: "\(QuotedText(text, limit: 300))",
            ]
            write(.warning, "node could not answer", failures, metadata)
        case .duplicateNodeID(let node):
            logger.error("another process uses this node's id; give each process its own", metadata: [LogKey.node: "\(node)"])
        case .wasPaused(let node):
            let line: Logger.Message = "process was suspended past the heartbeat timeout; rejoining with a new epoch"
            logger.warning(line, metadata: [LogKey.node: "\(node)"])
        case .health(let health): logger.notice("health changed", metadata: [LogKey.health: "\(health)"])
        }
    }

    // MARK: Sessions

    /// An operation on sessions has failed. Clients cause it when they return while the backend is unreachable.
    func session(
        _ text: Logger.Message,
        namespace: String? = nil,
        error: (any Error)? = nil,
        reason: String? = nil,
        count: Int? = nil
    ) {
        var metadata: Logger.Metadata = [:]
        if let namespace { metadata[LogKey.namespace] = "\(QuotedText(namespace))" }
        if let error { metadata[LogKey.error] = "\(QuotedText("\(error)", limit: 300))" }
        if let reason { metadata[LogKey.reason] = "\(reason)" }
        if let count { metadata[LogKey.count] = "\(count)" }
        write(.warning, text, sessions, metadata)
    }

    func sessionUnreadable(_ error: any Error) { session("a stored session could not be read", error: error) }

    // MARK: The backend

    func streamFailed(_ error: any Error) {
        write(.warning, "stream failed; reopening it", streams, [LogKey.error: "\(QuotedText("\(error)", limit: 1_000))"])
    }

    func streamEnded() { logger.debug("stream ended") }

    /// Logs the outcome of an attempt to write a batch, if it failed.
    func batch(_ outcome: BatchOutcome, lane: Int) {
        switch outcome {
        case .written: break
        case .refused(_, let error), .unknown(let error), .notWritten(let error):
            logger.debug("batch not written", metadata: [LogKey.error: "\(error)", LogKey.lane: "\(lane)"])
        }
    }

    private func write(_ level: Logger.Level, _ text: Logger.Message, _ limiter: SharedLogLimiter, _ metadata: Logger.Metadata) {
        let logger = logger
        guard logger.logLevel <= level else { return }
        limiter.log { suppressed in
            var metadata = metadata
            if let suppressed { metadata[LogKey.suppressed] = "\(suppressed)" }
            logger.log(level: level, text, metadata: metadata)
        }
    }
}
