// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText

/// What a node writes to its log of what happens in the cluster.
///
/// Documents cause most of it, so each kind of line has a limit, and what documents say stands in quotes.
final class ClusterLog: Sendable {
    private let logger: Logger
    private let membership = SharedLogLimiter(lines: 100)
    private let gaps = SharedLogLimiter()
    private let failures = SharedLogLimiter()
    private let contradictions = SharedLogLimiter()
    private let untrusted = SharedLogLimiter()
    private let deaths = SharedLogLimiter(lines: 100)
    private let sessions = SharedLogLimiter()
    private let streams = SharedLogLimiter(lines: 30)

    init(_ logger: Logger) { self.logger = logger }

    func log(_ event: ClusterEvent) {
        switch event {
        case .joined(let node): write(.info, "a node has joined", membership, ["socketio.node": "\(node)"])
        case .draining(let node): write(.info, "a node is draining", membership, ["socketio.node": "\(node)"])
        case .left(let node): write(.info, "a node has left", membership, ["socketio.node": "\(node)"])
        case .died(let node): write(.warning, "a node is not heard any more", deaths, ["socketio.node": "\(node)"])
        case .gap(let origin, let count):
            let count = count.map(String.init) ?? "an unknown number of"
            write(.error, "messages were lost", gaps, ["socketio.node": "\(origin?.description ?? "any")", "count": "\(count)"])
        case .skipped(let reason): logger.debug("a document was skipped", metadata: ["reason": "\(QuotedText(reason, limit: 300))"])
        case .contradiction(let node, let text):
            let line: Logger.Message = "the cluster contradicts itself: somebody else writes to it, or two processes have one id"
            write(.error, line, contradictions, ["socketio.node": "\(node)", "reason": "\(text)"])
        case .untrusted(let reason):
            write(.error, "a document is not signed with a known key and was skipped", untrusted, ["reason": "\(reason)"])
        case .answerFailed(let node, let text):
            let node = NodeIdentity.shown(node)
            write(.warning, "a node could not answer", failures, ["socketio.node": "\(node)", "reason": "\(QuotedText(text, limit: 300))"])
        case .duplicateNodeID(let node):
            logger.error("another process uses this node's id; give each its own", metadata: ["socketio.node": "\(node)"])
        case .wasPaused(let node):
            logger.warning("the process was stopped for too long and goes on as another", metadata: ["socketio.node": "\(node)"])
        case .health(let health): logger.notice("the node's health has changed", metadata: ["health": "\(health)"])
        }
    }

    /// Something about sessions has failed: clients cause it when they come back while the backend is not there.
    func session(_ text: Logger.Message, _ metadata: Logger.Metadata) { write(.warning, text, sessions, metadata) }

    /// The stream has failed.
    func stream(_ error: any Error) {
        write(.warning, "the stream has failed and is opened again", streams, ["error": "\(QuotedText("\(error)", limit: 1_000))"])
    }

    private func write(_ level: Logger.Level, _ text: Logger.Message, _ limiter: SharedLogLimiter, _ metadata: Logger.Metadata) {
        guard logger.logLevel <= level else { return }
        limiter.log { suppressed in
            var metadata = metadata
            if let suppressed { metadata["suppressed"] = "\(suppressed)" }
            logger.log(level: level, text, metadata: metadata)
        }
    }
}
